"""Time how listens become profiles, with 129,310 real plays; check that all ways give the same profiles.

Each figure has a baseline from the same round: reading the same lines as JSON and counting them in a
dictionary, or inserting the same rows into a plain table. The plays are read in place from
``../shared/data/events``.

    python bench/events.py [PLAYS]
"""

import cProfile
import json
import pstats
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from journeys.plays import LASTFM, json_line, read_plays
from soundalike.domain.listens import Listen
from soundalike.domain.profiles import LATENESS_MS, refold
from soundalike.domain.types import LibraryId, UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.import_listens import ListenImporter
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.sqlite.store import SqliteStore
from soundalike.wire.profiles import profile_body

ROUNDS = 5
FLOOR = 20_000
BATCH = 5_000
OUTBOX = 500
KILLS = 5
HOT_SPOTS = 8

Bits = Mapping[UserId, str]


@dataclass(frozen=True, slots=True)
class Rate:
    """Listens per second by the clock on the wall, and per second of this process's CPU."""

    wall: float
    cpu: float


def main() -> None:
    """Print rates with their spread, where the time goes, and whether all ways give the same profiles."""
    if not LASTFM.is_file():
        sys.exit(f"{LASTFM} does not exist; it has the real plays that this benchmark replays")
    plays = list(read_plays(most=int(sys.argv[1]) if len(sys.argv) > 1 else None))
    lines = [json_line(play).encode() for play in plays]
    users = {play.user_id for play in plays}
    print(f"{len(plays):,} plays of {len(users)} users, {ROUNDS} rounds; the floor of folding is {FLOOR:,}/s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rates = [time_round(plays, lines, folder / f"round{number}") for number in range(ROUNDS)]
        print_rates(rates)
        print_where_time_goes(folder / "round0" / "library.sqlite", lines, folder / "profiled.sqlite")
        print_sameness(lines, folder)


def time_round(plays: Sequence[Listen], lines: Sequence[bytes], folder: Path) -> dict[str, Rate]:
    """Return the listens per second of each way, all within one round."""
    folder.mkdir()
    rates: dict[str, Rate] = {}

    @contextmanager
    def timed(what: str, count: int = len(plays)) -> Iterator[None]:
        start, start_cpu = time.perf_counter(), time.process_time()
        yield
        rates[what] = Rate(count / (time.perf_counter() - start), count / (time.process_time() - start_cpu))

    with timed("baseline: JSON read and counted"):
        Counter(json.loads(line)["track_id"] for line in lines)
    with timed("baseline: rows into a plain table"):
        insert_bare(plays, folder / "bare.sqlite")
    with timed("fold alone, in memory"):
        fold_in_memory(plays)
    with closing(SqliteStore(folder / "library.sqlite")) as store:
        with timed("import: read, stored for good, folded"):
            take_in(store, lines)
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        with timed("replay: read from the store, folded, saved"):
            profiles.replay()
    batches = outboxes(plays)
    with closing(SqliteStore(folder / "live.sqlite")) as store:
        log = StoredLog(store, on_append=Profiles(store, lateness_ms=LATENESS_MS).fold)
        with timed(f"live: up to {OUTBOX} of a user at once", sum(map(len, batches))):
            for batch in batches:
                log.append(batch)
    return rates


def fold_in_memory(plays: Sequence[Listen]) -> None:
    """Fold all listens, and nothing else."""
    by_user: dict[UserId, list[Listen]] = defaultdict(list)
    for play in plays:
        by_user[play.user_id].append(play)
    for user_id, listens in by_user.items():
        refold(user_id, listens)


def insert_bare(plays: Sequence[Listen], path: Path) -> None:
    """Insert the same columns, as durably, and nothing else."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE listens (user, at_ms, id, track, kind, position_ms, PRIMARY KEY (user, at_ms, id))"
            " WITHOUT ROWID"
        )
        for start in range(0, len(plays), BATCH):
            rows = [
                (one.user_id, one.at_ms, one.id, one.track_id, one.kind.value, one.position_ms)
                for one in plays[start : start + BATCH]
            ]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO listens VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")


def take_in(store: SqliteStore, lines: Sequence[bytes]) -> None:
    """Do what ``soundalike events import`` does."""
    importer = ListenImporter(
        store, StoredLog(store), library_id=LibraryId("0" * 32), clock=lambda: datetime.now(UTC)
    )
    importer.import_lines(lines)
    Profiles(store, lateness_ms=LATENESS_MS).catch_up()


def outboxes(plays: Sequence[Listen]) -> list[list[Listen]]:
    """Return the plays as offline browsers would send them later, oldest batch first."""
    open_batches: dict[UserId, list[Listen]] = {}
    batches: list[list[Listen]] = []
    for play in plays:
        batch = open_batches.get(play.user_id)
        if batch is None or len(batch) == OUTBOX:
            batch = open_batches[play.user_id] = []
            batches.append(batch)
        batch.append(play)
    return batches


def print_rates(rounds: Sequence[Mapping[str, Rate]]) -> None:
    """Print medians with their spread, and the share of the baselines of the same round."""
    json_rate, bare_rate = (name for name in rounds[0] if name.startswith("baseline"))
    columns = ("median", "least", "most", "a CPU s", "of JSON", "of bare")
    print(f"\n{'listens per second':44}", *(f"{column:>9}" for column in columns))
    for what in rounds[0]:
        walls = [rates[what].wall for rates in rounds]
        figures = (statistics.median(walls), min(walls), max(walls))
        cpu = statistics.median(rates[what].cpu for rates in rounds)
        shares = (
            statistics.median(rates[what].wall / rates[baseline].wall for rates in rounds)
            for baseline in (json_rate, bare_rate)
        )
        print(
            f"{what:44}",
            *(f"{figure:9,.0f}" for figure in (*figures, cpu)),
            *(f"{share:9.2f}" for share in shares),
        )


def print_where_time_goes(path: Path, lines: Sequence[bytes], fresh: Path) -> None:
    """Profile a replay and an import."""
    with closing(SqliteStore(path)) as store:
        print_hot_spots("replay", Profiles(store, lateness_ms=LATENESS_MS).replay)
    with closing(SqliteStore(fresh)) as store:
        print_hot_spots("import", lambda: take_in(store, lines))


def print_hot_spots(what: str, act: Callable[[], object]) -> None:
    """Print which functions took most of the time by themselves."""
    profile = cProfile.Profile()
    profile.runcall(act)
    found = pstats.Stats(profile).get_stats_profile()
    print(f"\nwhere a {what} spends its time (own time; profiling itself inflates small functions)")
    by_time = sorted(found.func_profiles.items(), key=lambda item: -item[1].tottime)
    for name, spent in by_time[:HOT_SPOTS]:
        place = "" if spent.file_name == "~" else f"{Path(spent.file_name).stem}."
        print(f"  {spent.tottime / found.total_tt:5.1%}  {spent.ncalls:>9}  {place}{name}")


def print_sameness(lines: Sequence[bytes], folder: Path) -> None:
    """Import the plays in other orders and through crashes, and compare every profile to the bit."""
    expected = profiles_of(folder / "round0" / "library.sqlite")
    shuffled = random.Random(1).sample(lines, len(lines))  # noqa: S311 - no secret is made
    thrice = random.Random(2).sample([*lines] * 3, 3 * len(lines))  # noqa: S311 - no secret is made
    print("\nprofiles that are the same to the bit as those imported in order")
    for what, sent in (("shuffled", shuffled), ("every one sent three times, shuffled", thrice)):
        path = folder / f"{what}.sqlite"
        with closing(SqliteStore(path)) as store:
            take_in(store, sent)
        print_same(what, profiles_of(path), expected)
    import_through_kills(shuffled, folder / "killed", expected)
    print_same(
        f"shuffled, cut by {KILLS} kill -9", profiles_of(folder / "killed" / "library.sqlite"), expected
    )


def import_through_kills(lines: Sequence[bytes], data: Path, expected: Collection[UserId]) -> None:
    """Start the program, kill it at several points, the last during the fold, then let it finish."""
    data.mkdir()
    file = data / "plays.jsonl"
    file.write_bytes(b"".join(lines))
    command = [sys.executable, "-m", "soundalike", "events", "import", str(file), "--data", str(data)]
    with closing(SqliteStore(data / "library.sqlite")) as store:
        for kill in range(KILLS):
            with subprocess.Popen(command, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own program
                while process.poll() is None and not is_time(store, kill, len(lines), len(expected)):
                    time.sleep(0.02)
                process.send_signal(signal.SIGKILL)
            if process.returncode != -signal.SIGKILL:
                sys.exit(f"the import ended before it was killed (code {process.returncode})")
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program


def is_time(store: SqliteStore, kill: int, plays: int, users: int) -> bool:
    """Whether to kill it now: each time a fifth further, at last when half is folded."""
    if kill == KILLS - 1:
        return len(store.profile_counts()) >= users // 2
    return sum(store.listen_counts().values()) > plays * kill // KILLS


def profiles_of(path: Path) -> Bits:
    """Return all profiles, to the bit."""
    with closing(SqliteStore(path)) as store:
        found = [store.profile(user_id) for user_id in store.listen_counts()]
    return {one.user_id: json.dumps([one.version, profile_body(one)]) for one in found if one is not None}


def print_same(what: str, found: Bits, expected: Bits) -> None:
    """Print how many users have the expected profile; end the run if one has not."""
    same = sum(found.get(user_id) == bits for user_id, bits in expected.items())
    print(f"  {same} of {len(expected)}  {what}")
    if found != expected:
        sys.exit("profiles differ")


if __name__ == "__main__":
    main()
