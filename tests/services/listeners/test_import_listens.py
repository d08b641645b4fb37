"""Exported listens are imported once, however often and in any order."""

import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes import MemoryStore
from fakes_log import LaterLog
from making import make_listen, make_track
from soundalike.domain.errors import EventLogError, ListenError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogEntry
from soundalike.domain.profiles import LATENESS_MS
from soundalike.domain.times import to_ms
from soundalike.domain.types import LibraryId, UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners import import_listens as importing
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.import_listens import (
    MAX_LINE_BYTES,
    ImportReport,
    LeftOut,
    ListenImporter,
)
from soundalike.services.listeners.profiles import Profiles
from soundalike.wire.listens import entry_body, exported_body

ADA = UserId("ada")
OURS, OTHER = (LibraryId(digit * 32) for digit in "ab")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW_MS = to_ms(NOW)
FIVE_MINUTES_MS = 5 * 60 * 1000
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_BATCH", 4)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.save_track(make_track("t1"))
    return store


@pytest.fixture
def importer(store: MemoryStore) -> ListenImporter:
    return ListenImporter(store, StoredLog(store), library_id=OURS, clock=lambda: NOW)


def lines(*entries: LogEntry, library_id: LibraryId = OURS) -> list[bytes]:
    return [json.dumps(exported_body(entry, library_id)).encode() + b"\n" for entry in entries]


def some(count: int, *, start: int = 0, user: str = "ada") -> list[Listen]:
    return [make_listen(n, at_ms=n, user_id=user) for n in range(start, start + count)]


def report(*, left_out: LeftOut | None = None, **counts: int) -> ImportReport:
    names = ("accepted", "duplicates", "hidden", "erasures", "unknown_tracks", "unknown_listens")
    return ImportReport(**dict.fromkeys(names, 0) | counts, left_out=left_out)


def entries(store: MemoryStore) -> list[LogEntry]:
    return [one.erasure if isinstance(one, ErasureRecord) else one for one in StoredLog(store).entries()]


def test_exported_listens_are_imported(store: MemoryStore, importer: ListenImporter) -> None:
    log: list[LogEntry] = [Erasure(ADA, 5), *some(9, start=6), *some(3, user="bob")]
    assert importer.import_lines(lines(*log)) == report(accepted=12, erasures=1)
    assert entries(store) == log


def test_an_empty_file_is_an_empty_log(importer: ListenImporter) -> None:
    assert importer.import_lines([]) == report()


def test_importing_again_changes_nothing(store: MemoryStore, importer: ListenImporter) -> None:
    log = lines(Erasure(ADA, 2), *some(10))
    assert importer.import_lines(log) == report(accepted=7, hidden=3, erasures=1)
    before = entries(store)
    assert importer.import_lines(log) == report(duplicates=7, hidden=3, erasures=1)
    assert entries(store) == before


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_repeats_give_the_same(store: MemoryStore, importer: ListenImporter, seed: int) -> None:
    log: list[LogEntry] = [Erasure(ADA, 5), *some(20), *some(20, user="bob")]
    shuffled = random.Random(seed).sample(lines(*log) * 3, 3 * len(log))  # noqa: S311 - no secret is made
    importer.import_lines(shuffled)
    assert entries(store) == [Erasure(ADA, 5), *some(14, start=6), *some(20, user="bob")]


def test_generations_of_this_library_say_what_an_erasure_hides(
    store: MemoryStore, importer: ListenImporter
) -> None:
    before, after = (make_listen(n, at_ms=at_ms, generation=n) for n, at_ms in enumerate((9, 1)))
    # The clock of one device was fast, that of the other slow.
    log = lines(Erasure(ADA, 5, 1), before, after)
    assert importer.import_lines(log) == report(accepted=1, hidden=1, erasures=1)
    assert entries(store) == [Erasure(ADA, 5, 1), after]


def test_a_generation_that_has_not_begun_here_ends_the_import(
    store: MemoryStore, importer: ListenImporter
) -> None:
    log: list[LogEntry] = [
        Erasure(ADA, 5, 1),
        make_listen(1, at_ms=9, generation=1),
        make_listen(2, at_ms=9, generation=2),
    ]
    with pytest.raises(ListenError, match=r"^line 3: it is from after an erasure of 'ada' that this library"):
        importer.import_lines(lines(*log))
    assert entries(store) == log[:2]


def test_what_is_imported_into_a_log_that_folds_later_goes_by_the_erasures_of_the_file() -> None:
    store = MemoryStore()
    log = LaterLog(LogProjector(store, Profiles(store, lateness_ms=LATENESS_MS)).apply)
    before, dated, after = (
        make_listen(n, at_ms=at_ms, generation=generation)
        for n, at_ms, generation in ((1, 9, 0), (2, 4, None), (3, 1, 1))
    )
    importer = ListenImporter(store, log, library_id=OURS, clock=lambda: NOW)
    assert importer.import_lines(lines(Erasure(ADA, 5, 1), before, dated, after)).hidden == 2
    log.fold()
    assert list(store.listens_of(ADA)) == [after]


class TestDatesAheadOfTheClock:
    """What a fast clock dated, and the true clock exports and imports."""

    @pytest.fixture
    def log(self) -> list[LogEntry]:
        at_ms = {1: 0, 2: 10 * DAY_MS, 3: FIVE_MINUTES_MS, 4: FIVE_MINUTES_MS + 1, 5: -DAY_MS}
        of_ada = [make_listen(n, at_ms=NOW_MS + ms) for n, ms in at_ms.items()]
        return [*of_ada, *some(9, user="bob")]

    def test_such_listens_are_left_out_and_the_others_imported(
        self, store: MemoryStore, importer: ListenImporter, log: list[LogEntry]
    ) -> None:
        found = importer.import_lines([b"\n", *lines(*log)])
        left_out = LeftOut(
            listens=2, first_line=3, until="2026-02-10T12:00:00.000Z", now="2026-01-31T12:00:00.000Z"
        )
        assert found == report(accepted=12, left_out=left_out)
        assert [one for one in log if one not in entries(store)] == [log[1], log[3]]

    def test_a_second_import_takes_them_once_their_dates_have_come(
        self, store: MemoryStore, importer: ListenImporter, log: list[LogEntry]
    ) -> None:
        importer.import_lines(lines(*log))
        later = ListenImporter(
            store, StoredLog(store), library_id=OURS, clock=lambda: NOW + timedelta(days=10)
        )
        assert later.import_lines(lines(*log)) == report(accepted=2, duplicates=12)
        assert sorted(entries(store), key=str) == sorted(log, key=str)

    def test_what_an_erasure_hides_is_hidden_and_not_left_out(
        self, store: MemoryStore, importer: ListenImporter
    ) -> None:
        store.erase_listens(Erasure(ADA, 5, 2))
        hidden = make_listen(1, at_ms=NOW_MS + DAY_MS, generation=1)
        assert importer.import_lines(lines(hidden)) == report(hidden=1)

    def test_an_erasure_of_this_library_counts_as_one_of_now(
        self, store: MemoryStore, importer: ListenImporter
    ) -> None:
        kept = make_listen(1, at_ms=NOW_MS - DAY_MS, generation=1)
        late, hidden = make_listen(2, at_ms=NOW_MS), make_listen(3, at_ms=NOW_MS, generation=0)
        log = lines(Erasure(ADA, NOW_MS + DAY_MS, 1), kept, late, hidden)
        assert importer.import_lines(log) == report(accepted=1, hidden=2, erasures=1)
        assert entries(store) == [Erasure(ADA, NOW_MS, 1), kept]

    def test_one_that_is_known_has_the_date_that_it_has(
        self, store: MemoryStore, importer: ListenImporter
    ) -> None:
        store.erase_listens(Erasure(ADA, NOW_MS - DAY_MS, 1))
        store.add_listens([make_listen(1, at_ms=NOW_MS - 1)])
        importer.import_lines(lines(Erasure(ADA, NOW_MS + DAY_MS, 1)))
        assert store.erased(ADA).until_ms == NOW_MS - DAY_MS
        assert store.count_listens(ADA) == 1


def without_library(lines: Iterable[bytes]) -> list[bytes]:
    bodies = [json.loads(line) for line in lines]
    return [json.dumps({name: body[name] for name in body if name != "library"}).encode() for body in bodies]


@pytest.mark.parametrize("is_named", [True, False])
def test_dates_decide_what_an_erasure_of_another_library_hides(
    store: MemoryStore, importer: ListenImporter, *, is_named: bool
) -> None:
    later = make_listen(1, at_ms=50)
    store.add_listens([later])
    log = lines(
        Erasure(ADA, 5, 1), *(make_listen(n, at_ms=n, generation=1) for n in (4, 6)), library_id=OTHER
    )
    importer.import_lines(log if is_named else without_library(log))
    assert [one.at_ms for one in store.listens_of(ADA)] == [6, 50]
    assert store.erased(ADA).generation == 0


@pytest.mark.parametrize("is_named", [True, False])
def test_what_another_library_wrote_is_taken_where_its_user_was_erased(
    store: MemoryStore, importer: ListenImporter, *, is_named: bool
) -> None:
    store.erase_listens(Erasure(ADA, 5, 1))
    log = lines(*(make_listen(n, at_ms=n, generation=0) for n in (4, 6)), library_id=OTHER)
    assert importer.import_lines(log if is_named else without_library(log)) == report(accepted=1, hidden=1)
    assert [(one.at_ms, one.generation) for one in store.listens_of(ADA)] == [(6, 1)]


def test_blank_lines_and_foreign_line_ends_are_accepted(store: MemoryStore, importer: ListenImporter) -> None:
    first, second = lines(*some(2))
    importer.import_lines([b"\n", first.replace(b"\n", b"\r\n"), b"  \r\n", second.rstrip(), b""])
    assert entries(store) == some(2)


def test_listens_of_unknown_tracks_are_stored_and_counted(
    store: MemoryStore, importer: ListenImporter
) -> None:
    listens = [make_listen(n, at_ms=n, track_id=f"t{1 + n % 3}") for n in range(12)]
    assert importer.import_lines(lines(*listens)) == report(accepted=12, unknown_tracks=2, unknown_listens=8)
    assert entries(store) == listens


GOOD: dict[str, Any] = entry_body(make_listen(77))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"nonsense\n", "it is not JSON"),
        (b"{\n", "it is not JSON"),
        (b"\xff\xfe{}\n", "it is not JSON"),
        (b"[" * 60_000 + b"\n", "it is not JSON"),
        (b'{"position_ms":' + b"9" * 5000 + b"}\n", "it is not JSON"),
        (b"x" * (MAX_LINE_BYTES + 1), "it is longer than 65,536 bytes"),
        (b"[]\n", "an entry must be an object"),
        (b"null\n", "an entry must be an object"),
        (b"{}\n", "user must be 1 to 64 letters"),
        (json.dumps(GOOD | {"user": "a b"}).encode(), "user must be 1 to 64 letters"),
        (json.dumps(GOOD | {"user": "../../etc"}).encode(), "user must be 1 to 64 letters"),
        (json.dumps(GOOD | {"kind": "loved"}).encode(), "kind must be one of"),
        (json.dumps(GOOD | {"position_ms": float("nan")}).encode(), "position_ms must be a whole number"),
        (
            b'{"user": "ada", "erased_until": "2026-01-31T12:05:00.001Z"}',
            "dated 2026-01-31T12:05:00.001Z, and the clock of this machine says 2026-01-31T12:00:00.000Z",
        ),
        (b'{"user": "ada", "erased_until": null}', "erased_until must be a time"),
    ],
)
def test_a_wrong_line_is_named_and_those_before_it_are_imported(
    store: MemoryStore, importer: ListenImporter, line: bytes, why: str
) -> None:
    with pytest.raises(ListenError, match=rf"^line 8: .*{why}.*the lines before it are imported") as caught:
        importer.import_lines([*lines(*some(6)), b"\n", line, *lines(*some(6, start=50))])
    assert str(caught.value).isprintable()
    assert entries(store) == some(6)


def test_lines_are_read_no_faster_than_they_are_imported(
    store: MemoryStore, importer: ListenImporter
) -> None:
    def slowly() -> Iterable[bytes]:
        for number, line in enumerate(lines(*some(40))):
            assert number - store.count_listens(ADA) <= 4
            yield line

    assert importer.import_lines(slowly()).accepted == 40


def test_progress_counts_lines(importer: ListenImporter) -> None:
    steps: list[tuple[int, int]] = []
    importer.import_lines(lines(*some(9)), lambda done, total: steps.append((done, total)))
    assert steps == [(4, 0), (8, 0)]


def test_a_failing_log_ends_the_import_and_a_second_run_completes_it(store: MemoryStore) -> None:
    class FailingLog(StoredLog):
        appends = 0

        def append(self, listens: Sequence[Listen]) -> int:
            self.appends += 1
            if self.appends == 3:
                msg = "no space left"
                raise EventLogError(msg)
            return super().append(listens)

    importer = ListenImporter(store, FailingLog(store), library_id=OURS, clock=lambda: NOW)
    with pytest.raises(EventLogError, match="no space left"):
        importer.import_lines(lines(*some(20)))
    assert entries(store) == some(8)
    assert importer.import_lines(lines(*some(20))) == report(accepted=12, duplicates=8)
