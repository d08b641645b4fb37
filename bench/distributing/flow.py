"""Listens through Kafka into profiles by two consumers, compared with the embedded log."""

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from journeys.plays import json_line, read_plays
from servers.kafka import KafkaServer, new_topic
from soundalike.app.backends import open_store
from soundalike.domain.errors import EventLogError
from soundalike.domain.listens import Listen
from soundalike.domain.types import UserId
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from soundalike.wire.profiles import profile_body
from spread import ROUNDS, ratio, spread

CONSUMERS = 2
EMBEDDED = "embedded: imported and folded"
FLOOR = 10_000
BATCH = 5_000
PATIENCE_S = 600
SECONDS_AFTER_KILL = 2

Bits = Mapping[UserId, str]


def report(
    broker: KafkaServer, stores: Mapping[str, Callable[[], str]], folder: Path, *, most: int | None
) -> None:
    """Print the listens per second into the log, out of it and into each store, and compare profiles.

    Parameters
    ----------
    stores : mapping of str to callable
        Each returns a new store. The first one must reach the floor.
    """
    plays = list(read_plays(most=most))
    print(
        f"\n== {len(plays):,} plays through Kafka, {CONSUMERS} consumers, {ROUNDS} rounds;"
        f" into the first store the floor is {FLOOR:,}/s"
    )
    rates = defaultdict[str, list[float]](list)
    for number in range(ROUNDS):
        expected, embedded = embedded_profiles(plays, folder / f"embedded{number}")
        rates[EMBEDDED].append(embedded)
        url = broker.url(new_topic())
        with closing(KafkaLog(KafkaAddress.parse(url), {})) as log:
            rates["appended, acks=all, idempotent"].append(append(log, plays))
            rates["read back, twice over for erasures"].append(read_back(log))
        for name, new_store in stores.items():
            store = new_store()
            rate = fold_by_consumers(f"{url}?group={new_topic()}", store, len(plays), folder / "consumers")
            rates[f"folded into {name}"].append(rate)
            exit_if_different(store, expected)
    print(f"  {'listens/s: median and range':38}{'':28}times embedded")
    for what, found in rates.items():
        print(f"  {what:38}{spread(found):28}{ratio(found, rates[EMBEDDED])}")
    print(f"  all {len(expected)} profiles the same to the bit as the embedded ones, each time", flush=True)
    slowest = min(rates[f"folded into {next(iter(stores))}"])
    if most is None and slowest < FLOOR:
        sys.exit(f"the floor is {FLOOR:,}/s")


def report_kill(broker: KafkaServer, store: str, folder: Path, *, most: int | None) -> None:
    """Kill and restart the broker during appends; check that every acknowledged listen counts once."""
    plays = list(read_plays(most=most))
    expected, _ = embedded_profiles(plays, folder / "embedded")
    url = broker.url(new_topic())
    log = KafkaLog(KafkaAddress.parse(url), {})
    failed = 0
    with consumers(url, store, folder / "killed"):
        for number, first in enumerate(range(0, len(plays), BATCH)):
            if number == len(plays) // BATCH // 2:
                broker.kill()
                time.sleep(SECONDS_AFTER_KILL)
                broker.start()
            failed += append_until_taken(log, plays[first : first + BATCH])
        wait_until_folded(store, len(plays))
    log.close()
    print(
        f"\n== the broker was killed and restarted during appends; {failed} batches failed and were repeated"
    )
    exit_if_different(store, expected)
    print(f"  all {len(expected)} profiles the same to the bit as the embedded ones", flush=True)


def embedded_profiles(plays: Sequence[Listen], data: Path) -> tuple[Bits, float]:
    """Import the plays into the embedded program; return all profiles, and listens per second."""
    data.mkdir()
    file = data / "plays.jsonl"
    file.write_text("".join(map(json_line, plays)), encoding="utf-8")
    start = time.perf_counter()
    run("events", "import", str(file), data=data)
    rate = len(plays) / (time.perf_counter() - start)
    return profiles_of(str(data / "library.sqlite")), rate


def append(log: KafkaLog, plays: Sequence[Listen]) -> float:
    """Append in batches; return listens per second."""
    start = time.perf_counter()
    for first in range(0, len(plays), BATCH):
        log.append(plays[first : first + BATCH])
    return len(plays) / (time.perf_counter() - start)


def read_back(log: KafkaLog) -> float:
    """Read the whole log; return listens per second."""
    start = time.perf_counter()
    count = sum(1 for _ in log.entries())
    return count / (time.perf_counter() - start)


def append_until_taken(log: KafkaLog, batch: Sequence[Listen]) -> int:
    """Send a batch until it is acknowledged, as an outbox does; return how often it failed."""
    for failed in range(1_000):
        try:
            log.append(batch)
        except EventLogError:
            time.sleep(0.2)
        else:
            return failed
    sys.exit("the broker did not come back")


def fold_by_consumers(url: str, store: str, count: int, data: Path) -> float:
    """Start consumers on a full topic; return listens per second since the first was ready."""
    with consumers(url, store, data) as started:
        wait_until_folded(store, count)
        return count / (time.perf_counter() - started)


@contextmanager
def consumers(url: str, store: str, data: Path) -> Iterator[float]:
    """Run two consumers; yield when the first was ready."""
    command = [
        sys.executable, "-m", "soundalike", "consume",
        "--events", url, "--store", store, "--data", str(data),
    ]  # fmt: skip
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))  # noqa: S603 - our own program
            for _ in range(CONSUMERS)
        ]
        for process in processes:
            stack.callback(process.terminate)
        out = processes[0].stdout
        if out is None or not out.readline():
            sys.exit("a consumer stopped early")
        yield time.perf_counter()


def wait_until_folded(store: str, count: int) -> None:
    """Wait until every listen is in a profile."""
    deadline = time.monotonic() + PATIENCE_S
    with open_store(store) as opened:
        while sum(opened.profile_counts().values()) < count:
            if time.monotonic() > deadline:
                sys.exit(f"{sum(opened.profile_counts().values()):,} of {count:,} folded in {PATIENCE_S} s")
            time.sleep(0.05)


def profiles_of(store: str) -> Bits:
    """Return all profiles, to the bit."""
    with open_store(store) as opened:
        found = [opened.profile(user_id) for user_id in opened.listen_counts()]
    return {one.user_id: json.dumps([one.version, profile_body(one)]) for one in found if one is not None}


def exit_if_different(store: str, expected: Bits) -> None:
    """Exit if a profile is not as expected."""
    found = profiles_of(store)
    if found != expected:
        same = sum(found.get(user_id) == bits for user_id, bits in expected.items())
        sys.exit(f"only {same} of {len(expected)} profiles are the same")


def run(*words: str, data: Path) -> None:
    """Run a command of the program on its own data folder."""
    command = [sys.executable, "-m", "soundalike", *words, "--data", str(data)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOUNDALIKE_")}
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603 - our own program
