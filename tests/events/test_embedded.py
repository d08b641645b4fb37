"""The embedded log keeps the promises of every log, and folding never makes it fail."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from events.contract import EventLogContract, holds, numbered
from fakes import MemoryStore
from making import make_listen
from soundalike.domain.errors import (
    EventLogError,
    StoreBusyError,
    StoreError,
    StoreReplacedError,
    StoreUnavailableError,
    StoreUnfitError,
)
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.types import UserId
from soundalike.events.embedded import StoredLog
from soundalike.store.sqlite.store import SqliteStore

TESTS = Path(__file__).parent.parent
ADA = UserId("ada")

# Appends listens one by one, and prints the number of each once it is acknowledged.
APPEND = """
import sys
from pathlib import Path
from making import make_listen
from soundalike.events.embedded import StoredLog
from soundalike.store.sqlite.store import SqliteStore

log = StoredLog(SqliteStore(Path(sys.argv[1])))
number = int(sys.argv[2])
while True:
    log.append([make_listen(number, at_ms=number)])
    print(number, flush=True)
    number += 1
"""


class TestOnMemory(EventLogContract):
    @pytest.fixture
    def reopen(self) -> Callable[[], EventLog]:
        store = MemoryStore()
        return lambda: StoredLog(store)

    @pytest.fixture
    def log(self, reopen: Callable[[], EventLog]) -> EventLog:
        return reopen()


class TestOnSqlite(EventLogContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Callable[[], EventLog]]:
        opened: list[SqliteStore] = []

        def open_again() -> EventLog:
            opened.append(SqliteStore(tmp_path / "library.sqlite"))
            return StoredLog(opened[-1])

        yield open_again
        for store in opened:
            store.close()

    @pytest.fixture
    def log(self, reopen: Callable[[], EventLog]) -> EventLog:
        return reopen()

    def test_a_killed_process_loses_no_acknowledged_listen(
        self, tmp_path: Path, reopen: Callable[[], EventLog]
    ) -> None:
        said = 0
        for _ in range(3):
            process = subprocess.Popen(
                [sys.executable, "-c", APPEND, str(tmp_path / "library.sqlite"), str(said)],
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                stdout=subprocess.PIPE,
                text=True,
            )
            with process:
                assert process.stdout is not None
                last = [process.stdout.readline() for _ in range(20)][-1]
                process.kill()
                rest = process.stdout.read()
                said = int((last + rest[: rest.rfind("\n") + 1]).split()[-1]) + 1
        log = reopen()
        kept = [entry for entry in log.entries() if isinstance(entry, Listen)]
        assert kept[:said] == numbered(said)
        assert len(kept) - said <= 1  # the last may be stored without having been acknowledged


class Recorder:
    """Records its calls, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[list[Listen], set[UserId]]] = []
        self._error = error

    def __call__(self, new: Sequence[Listen], repeated: Collection[UserId]) -> None:
        self.calls.append((list(new), set(repeated)))
        if self._error is not None:
            raise self._error


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestFolding:
    def test_on_append_gets_new_listens_once_they_are_stored(self, store: MemoryStore) -> None:
        seen: list[int] = []
        log = StoredLog(store, on_append=lambda new, _: seen.append(store.count_listens(new[0].user_id)))
        log.append(numbered(3))
        assert seen == [3]

    def test_on_append_gets_only_the_stored_content(self, store: MemoryStore) -> None:
        log = StoredLog(store, on_append=(recorder := Recorder()))
        first = make_listen(1, kind="liked", at_ms=5)
        log.append([first, make_listen(1, kind="disliked", at_ms=90)])
        log.append([make_listen(1, kind="less", at_ms=50), make_listen(2)])
        assert recorder.calls == [([first], {ADA}), ([make_listen(2)], {ADA})]

    def test_on_append_gets_exactly_the_users_with_repeats(self, store: MemoryStore) -> None:
        log = StoredLog(store, on_append=(recorder := Recorder()))
        log.append(numbered(2))
        log.append([*numbered(3), *numbered(2, user="bob")])
        assert recorder.calls[0] == (numbered(2), set())
        assert recorder.calls[1] == ([*numbered(1, start=2), *numbered(2, user="bob")], {ADA})

    def test_erased_listens_count_as_known(self, store: MemoryStore) -> None:
        log = StoredLog(store, on_append=(recorder := Recorder()))
        log.erase(Erasure(ADA, 10))
        assert log.append([make_listen(1, at_ms=10), make_listen(2, at_ms=11)]) == 1
        assert recorder.calls == [([make_listen(2, at_ms=11)], {ADA})]

    @pytest.mark.parametrize("error", [StoreBusyError("held"), KeyError("damaged"), RecursionError()])
    def test_a_failing_fold_does_not_fail_the_append(
        self, store: MemoryStore, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = StoredLog(store, on_append=Recorder(error))
        with caplog.at_level(logging.WARNING):
            assert log.append(numbered(3)) == 0
        assert holds(log, *numbered(3))
        assert "3 listens are stored, but not folded yet" in caplog.text

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (StoreError("failed"), EventLogError),
            (StoreBusyError("held"), StoreBusyError),
            (StoreUnfitError("no space left"), StoreUnfitError),
            (StoreReplacedError("gone"), StoreReplacedError),
            (StoreUnavailableError("no answer"), StoreUnavailableError),
        ],
    )
    def test_a_failing_store_fails_the_append_and_nothing_is_folded(
        self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, error: StoreError, told: type[StoreError]
    ) -> None:
        monkeypatch.setattr(store, "add_listens", Mock(side_effect=error))
        log = StoredLog(store, on_append=(fold := Recorder()))
        with pytest.raises(told, match=str(error)):
            log.append(numbered(1))
        assert fold.calls == []
