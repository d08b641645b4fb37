"""What was listened to comes to the same profiles to the bit, whatever happens on the way."""

import http.client
import json
import os
import random
import shutil
import signal
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from journeys.plays import LASTFM, json_line, read_plays
from journeys.program import Program, answers, free_port, post, wait_until
from making import make_listen, make_track
from soundalike.domain.listens import Erasure, Listen, ListenKind
from soundalike.domain.profiles import refold
from soundalike.domain.times import rfc3339, to_ms
from soundalike.domain.types import UserId
from soundalike.domain.users import YOU
from soundalike.store.sqlite.store import SqliteStore
from soundalike.wire.listens import listen_body
from soundalike.wire.profiles import profile_body

PLAYS, USERS, TRACKS = 129_310, 304, 789
BUSIEST, BUSIEST_PLAYS = UserId("user-93"), 23_069


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "data")


def write(path: Path, lines: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    return path


LATEST_MS = 253_402_300_799_999  # the last moment of the year 9999


def open_store(program: Program) -> SqliteStore:
    return SqliteStore(program.data / "library.sqlite")


def profiles_of(program: Program) -> dict[str, tuple[str, str]]:
    """Return everybody's profile, to the bit."""
    with closing(open_store(program)) as store:
        found = [store.profile(user_id) for user_id in store.listen_counts()]
    return {one.user_id: (one.version, json.dumps(profile_body(one))) for one in found if one is not None}


@pytest.fixture(scope="module")
def plays() -> Sequence[str]:
    if not LASTFM.is_file():
        pytest.skip("no real plays beside the checkout (../shared/data/events)")
    return list(map(json_line, read_plays()))


@pytest.fixture(scope="module")
def in_order(plays: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A program that took all plays in the order in which they were made."""
    folder = tmp_path_factory.mktemp("in_order")
    program = Program(folder / "data")
    taken = program.json("events", "import", write(folder / "plays.jsonl", plays))
    assert taken == {
        "accepted": PLAYS,
        "duplicates": 0,
        "hidden": 0,
        "erasures": 0,
        "unknown_tracks": TRACKS,
        "unknown_listens": PLAYS,
        "left_out": None,
        "profiles": USERS,
    }
    return program


class TestRealPlays:
    @pytest.fixture(autouse=True)
    def _they_come_to_the_same(self, program: Program, in_order: Program) -> Iterable[None]:
        yield
        expected = profiles_of(in_order)
        assert len(expected) == USERS
        found = profiles_of(program)
        assert {user for user in expected if found.get(user) != expected[user]} == set()
        assert found == expected

    def test_shuffled_and_every_one_sent_three_times(
        self, program: Program, plays: Sequence[str], tmp_path: Path
    ) -> None:
        thrice = random.Random(2).sample([*plays, *plays, *plays], 3 * len(plays))  # noqa: S311 - no secret is made
        taken = program.json("events", "import", write(tmp_path / "plays.jsonl", thrice))
        assert (taken["accepted"], taken["duplicates"]) == (PLAYS, 2 * PLAYS)

    @pytest.mark.faults
    def test_cut_by_five_kills(self, program: Program, plays: Sequence[str], tmp_path: Path) -> None:
        shuffled = random.Random(3).sample(plays, len(plays))  # noqa: S311 - no secret is made
        file = write(tmp_path / "plays.jsonl", shuffled)
        with closing(open_store(program)) as store:
            for least in (1, 5_000, 12_000, BUSIEST_PLAYS):
                kill_once(program, file, partial(has_taken, store, least))
                assert len(store.profile_counts()) < USERS
            kill_once(program, file, lambda: len(store.profile_counts()) >= 100)
            assert 100 <= len(store.profile_counts()) < USERS
        assert program.json("events", "import", file)["duplicates"] == PLAYS

    def test_replayed(self, program: Program, in_order: Program) -> None:
        program.data.mkdir()
        with closing(open_store(in_order)):  # the last to close leaves one file
            pass
        shutil.copy(in_order.data / "library.sqlite", program.data)
        replayed = program.json("events", "replay")
        assert (replayed["profiles"], replayed["listens"]) == (USERS, PLAYS)


def has_taken(store: SqliteStore, least: int) -> bool:
    """Whether so many of the busiest user's listens are there: one in five or six of all."""
    return store.count_listens(BUSIEST) >= least


def kill_once(program: Program, file: Path, is_time: Callable[[], bool]) -> None:
    """Start an import and kill it without warning."""
    with program.start("events", "import", file) as process:
        wait_until(is_time, process)
        process.kill()


def without_library(lines: str) -> list[dict[str, Any]]:
    bodies = [json.loads(line) for line in lines.splitlines()]
    return [{name: value for name, value in body.items() if name != "library"} for body in bodies]


class TestMoving:
    def test_what_is_exported_and_imported_elsewhere_is_the_same(
        self, program: Program, plays: Sequence[str], tmp_path: Path
    ) -> None:
        other = Program(tmp_path / "other")
        first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
        program.json("events", "import", write(tmp_path / "plays.jsonl", plays[-10_000:]))
        assert program.run("events", "export", first).returncode == 0
        assert other.run("events", "import", first).returncode == 0
        assert other.run("events", "export", second).returncode == 0
        # Each names the library that counts generations.
        assert without_library(first.read_text()) == without_library(second.read_text())
        assert profiles_of(program) == profiles_of(other)


class TestCommands:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        listens = [
            make_listen(n, at_ms=n, user_id=user, generation=0) for user in ("ada", "bob") for n in range(3)
        ]
        return write(tmp_path / "listens.jsonl", map(json_line, listens))

    def test_what_went_in_by_stdin_comes_out_by_stdout(self, program: Program, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        taken = program.run("events", "import", "-", input=text)
        assert taken.returncode == 0
        assert (
            "6 plays, skips and likes imported, 0 already known; "
            "2 profiles of 6 plays, skips and likes folded."
        ) in taken.stderr
        assert "6 plays, skips and likes of 1 track that are not in the library" in taken.stderr
        for arguments in ([], ["-"]):
            exported = program.run("events", "export", *arguments)
            assert without_library(exported.stdout) == without_library(text)
            assert "6 plays to the end of 2 users written." in exported.stderr

    def test_what_is_dated_ahead_of_the_clock_is_left_out_with_what_to_do(
        self, program: Program, tmp_path: Path
    ) -> None:
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)
        log = [make_listen(n, at_ms=n or to_ms(until), user_id=f"user-{n}") for n in range(3)]
        file = write(tmp_path / "listens.jsonl", map(json_line, log))
        taken = program.run("events", "import", file)
        assert (taken.returncode, taken.stdout) == (1, "")
        imported, *_, told = taken.stderr.splitlines()
        assert imported.startswith("2 plays, skips and likes imported, 0 already known; 2 profiles of ")
        assert told.startswith(
            f"1 play, skip or like left out, the first in line 1: they are dated up to {rfc3339(until)}, "
        )
        again = program.run("events", "import", "--json", file)
        assert again.returncode == 1
        body = json.loads(again.stdout)
        assert (body["duplicates"], body["left_out"]["listens"], body["left_out"]["first_line"]) == (2, 1, 1)

    def test_an_export_says_what_it_counted(self, program: Program, tmp_path: Path) -> None:
        kinds = [ListenKind.STARTED] * 7 + [ListenKind.SKIPPED] * 4 + [ListenKind.LIKED]
        listens = [make_listen(n, at_ms=n, kind=kind, generation=0) for n, kind in enumerate(kinds)]
        program.run("events", "import", write(tmp_path / "listens.jsonl", map(json_line, listens)))
        exported = program.run("events", "export", tmp_path / "out.jsonl")
        assert exported.stderr == "7 plays, 4 skips, 1 like of 1 user written.\n"

    def test_replay_says_what_it_did(self, program: Program, file: Path) -> None:
        program.run("events", "import", file)
        before = profiles_of(program)
        replayed = program.run("events", "replay")
        assert (replayed.returncode, replayed.stdout) == (0, "")
        assert replayed.stderr.startswith("2 profiles of 6 plays, skips and likes rebuilt in ")
        assert profiles_of(program) == before

    def test_an_exported_file_is_for_its_owner_alone(
        self, program: Program, file: Path, tmp_path: Path
    ) -> None:
        program.run("events", "import", file)
        assert program.run("events", "export", tmp_path / "out").returncode == 0
        assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600

    def test_a_link_stays_one_and_a_pipe_is_written_to(
        self, program: Program, file: Path, tmp_path: Path
    ) -> None:
        program.run("events", "import", file)
        target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
        target.write_text("old", encoding="utf-8")
        link.symlink_to(target)
        os.mkfifo(pipe)
        assert program.run("events", "export", link).returncode == 0
        assert link.is_symlink()
        assert "finished" in target.read_text(encoding="utf-8")
        with program.start("events", "export", pipe) as process:
            assert pipe.read_bytes() == target.read_bytes()
            assert process.wait(30) == 0
        assert stat.S_ISFIFO(pipe.stat().st_mode)

    def test_a_wrong_line_is_named_and_those_before_it_are_taken_and_folded(
        self, program: Program, file: Path
    ) -> None:
        lines = file.read_text(encoding="utf-8").splitlines()
        lines[4] = lines[4].replace("finished", "loved")
        file.write_text("\n".join(lines), encoding="utf-8")
        result = program.run("events", "import", file)
        assert result.returncode == 1
        assert result.stderr.startswith("error: line 5: kind must be one of ")
        assert "the lines before it are imported" in result.stderr
        assert len(result.stderr.splitlines()) == 1
        with closing(open_store(program)) as store:
            assert store.listen_counts() == store.profile_counts() == {"ada": 3, "bob": 1}

    @pytest.mark.parametrize("command", ["import", "replay"])
    def test_an_erasure_ahead_of_the_clock_is_lowered_and_that_is_said_once(
        self, program: Program, file: Path, command: str
    ) -> None:
        with closing(open_store(program)) as store:
            store.erase_listens(Erasure(UserId("eve"), LATEST_MS, 1))
        arguments: list[str | Path] = ["events", command, *([file] if command == "import" else [])]
        said = [program.run(*arguments).stderr for _ in range(2)]
        told = "the data of 1 user was erased at a time ahead of this clock"
        assert [told in one for one in said] == [True, False]
        with closing(open_store(program)) as store:
            assert (store.erased(UserId("eve")).until_ms or 0) <= time.time() * 1000

    def test_an_erasure_in_a_file_is_honoured(self, program: Program, file: Path) -> None:
        program.run("events", "import", file)
        erasure = json.dumps({"user": "ada", "erased_until": "1970-01-01T00:00:00.001Z"})
        text = erasure + "\n" + file.read_text(encoding="utf-8")
        taken = json.loads(program.run("events", "import", "-", "--json", input=text).stdout)
        counts = (taken["accepted"], taken["duplicates"], taken["hidden"], taken["erasures"])
        assert counts == (0, 4, 2, 1)
        with closing(open_store(program)) as store:
            assert store.listen_counts() == store.profile_counts() == {"ada": 1, "bob": 3}

    def test_a_file_that_is_none_is_said_to_be_none(
        self, program: Program, file: Path, tmp_path: Path
    ) -> None:
        program.run("events", "import", file)
        for command, verb in (("import", "read"), ("export", "written")):
            result = program.run("events", command, tmp_path / "nowhere" / "at" / "all")
            assert result.returncode == 1
            assert f"cannot be {verb}" in result.stderr
            assert len(result.stderr.splitlines()) == 1

    def test_a_reader_that_has_seen_enough_ends_an_export_quietly(
        self, program: Program, tmp_path: Path
    ) -> None:
        many = [make_listen(n, at_ms=n) for n in range(5_000)]
        program.run("events", "import", write(tmp_path / "many.jsonl", map(json_line, many)))
        with program.start("events", "export") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""


class TestServing:
    def test_what_was_acknowledged_survives_a_kill_and_is_folded(self, program: Program) -> None:
        with closing(open_store(program)) as store:
            for number in range(5):
                store.save_track(make_track(f"t{number}"))
        acknowledged: set[str] = set()
        for number in range(3):
            acknowledged |= post_until_killed(program, first=10_000 * number)
        assert len(acknowledged) >= 30
        with program.serving("serve"):
            pass  # what the last one left unfolded is folded before it answers
        with closing(open_store(program)) as store:
            kept = list(store.listens_of(YOU))
            assert acknowledged <= {listen.id for listen in kept}
            profile = store.profile(YOU)
            assert profile is not None
            assert profile.taste.count == len(kept)
            assert profile_body(profile) == profile_body(refold(YOU, kept, lateness_ms=profile.lateness_ms))


def post_until_killed(program: Program, *, first: int) -> set[str]:
    """Serve, post from several threads, kill the server right after an answer; return what was taken."""
    port = free_port()
    acknowledged: set[str] = set()

    def post(thread: int) -> None:
        for batch in range(1_000):
            start = first + 2_000 * thread + 2 * batch
            listens = [
                make_listen(n, track_id=f"t{n % 5}", at_ms=n * 7_919 % 10**9) for n in (start, start + 1)
            ]
            try:
                status = send(f"http://127.0.0.1:{port}/api/listens", listens)
            except (OSError, http.client.HTTPException):
                return  # it is dead
            assert status == 202
            acknowledged.update(listen.id for listen in listens)
            if (thread, batch) == (0, 8):
                process.kill()

    with program.start("serve", "--port", str(port)) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), process)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(post, range(4)))
        assert process.wait(60) == -signal.SIGKILL
    return acknowledged


def send(url: str, listens: Sequence[Listen]) -> int:
    return post(url, {"events": [listen_body(listen) for listen in listens]})
