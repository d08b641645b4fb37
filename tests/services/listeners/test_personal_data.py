"""A user's data is exported completely and erased for good, with every entity in the table."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from fakes import MemoryStore
from fakes_log import LaterLog
from filled_store import fill, no_progress
from making import make_listen, make_track
from services.listeners.folding import ADA, BOB, DAY_MS, FIVE_MINUTES_MS, NOW, NOW_MS, Clock, some
from soundalike.domain.errors import CopyError, EventLogError, StoreUnfitError, UnknownGenerationError
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.times import rfc3339
from soundalike.domain.types import LibraryId, UserId
from soundalike.domain.users import YOU
from soundalike.events.embedded import StoredLog
from soundalike.services.entities import ENTITIES
from soundalike.services.entities.entity import Entity, Export
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.ingest import ListenIngest, Receipt
from soundalike.services.listeners.personal_data import PersonalData
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.listeners.replay_log import restore_listens
from soundalike.services.store_copy.copier import Copier

FIRST = NOW_MS // 1_000
"""The generation that an erasure begins now: seconds since 1970."""
FAST = (NOW_MS + DAY_MS) // 1_000
"""That of an erasure under a clock that is a day fast."""


@pytest.fixture
def data(store: Store, profiles: Profiles, clock: Clock) -> PersonalData:
    return PersonalData(store, StoredLog(store, on_append=profiles.fold), profiles, clock=clock)


class TestErasing:
    def test_nothing_is_left(
        self, store: Store, data: PersonalData, listens: ListenIngest, profiles: Profiles
    ) -> None:
        listens.ingest(ADA, some(3))
        data.erase(ADA)
        assert list(store.listens_of(ADA)) == []
        assert profiles.of(ADA).taste.count == 0

    def test_a_late_listen_is_hidden(
        self, data: PersonalData, listens: ListenIngest, profiles: Profiles
    ) -> None:
        listens.ingest(ADA, some(1))
        data.erase(ADA)
        assert listens.ingest(ADA, some(5)) == Receipt(accepted=0, hidden=5, generation=FIRST)
        assert profiles.of(ADA).taste.count == 0

    def test_listens_dated_ahead_by_a_fast_clock_are_erased_too(
        self, store: Store, data: PersonalData, listens: ListenIngest
    ) -> None:
        listens.ingest(ADA, [make_listen(1, at_ms=NOW_MS + FIVE_MINUTES_MS)])
        data.erase(ADA)
        assert list(store.listens_of(ADA)) == []
        assert listens.ingest(ADA, [make_listen(2, at_ms=NOW_MS + 1)]).accepted == 1, (
            "and what is done after counts"
        )

    def test_a_user_without_data_can_be_erased(self, data: PersonalData, listens: ListenIngest) -> None:
        data.erase(ADA)
        assert listens.ingest(ADA, some(1)).accepted == 0

    def test_other_users_are_not_affected(
        self, store: Store, data: PersonalData, listens: ListenIngest
    ) -> None:
        listens.ingest(ADA, some(2))
        listens.ingest(BOB, some(2, user="bob"))
        data.erase(ADA)
        assert len(list(store.listens_of(BOB))) == 2

    def test_listens_after_it_count(
        self, store: Store, data: PersonalData, listens: ListenIngest, profiles: Profiles, clock: Clock
    ) -> None:
        listens.ingest(ADA, some(3))
        data.erase(ADA)
        clock.now = NOW + timedelta(seconds=1)
        fresh = make_listen(1, at_ms=NOW_MS + 1)  # even under an id of before
        assert listens.ingest(ADA, [fresh]).accepted == 1
        assert list(store.listens_of(ADA)) == [fresh]
        assert profiles.of(ADA).taste.count == 1


class TestGenerations:
    def test_each_erasure_begins_a_later_one(self, store: Store, data: PersonalData, clock: Clock) -> None:
        for s, number in ((0, FIRST), (0, FIRST + 1), (-60, FIRST + 2), (60, FIRST + 60)):
            clock.now = NOW + timedelta(seconds=s)
            data.erase(ADA)
            assert store.erased(ADA).generation == number

    def test_a_clock_of_before_1970_begins_one_too(
        self, store: Store, data: PersonalData, clock: Clock
    ) -> None:
        clock.now = datetime(1969, 1, 1, tzinfo=UTC)
        data.erase(ADA)
        assert store.erased(ADA).generation == 1

    def test_what_a_restored_backup_does_not_know_is_hidden_by_the_next_erasure(
        self, store: Store, data: PersonalData, listens: ListenIngest, clock: Clock
    ) -> None:
        lost = MemoryStore()
        PersonalData(lost, StoredLog(lost), Profiles(lost, lateness_ms=DAY_MS), clock=clock).erase(ADA)
        held = make_listen(1, at_ms=NOW_MS + 1, generation=lost.erased(ADA).generation)
        clock.now = NOW + timedelta(minutes=1)
        with pytest.raises(UnknownGenerationError):
            listens.ingest(ADA, [held])
        data.erase(ADA)
        assert listens.ingest(ADA, [held]).hidden == 1
        assert list(store.listens_of(ADA)) == []

    def test_a_slow_clock_leaves_nothing(
        self, store: Store, data: PersonalData, listens: ListenIngest, clock: Clock
    ) -> None:
        listens.ingest(ADA, some(3))
        clock.now = NOW - timedelta(hours=1)
        data.erase(ADA)
        assert list(store.listens_of(ADA)) == []

    def test_over_a_shared_log_it_is_stored_before_the_log_is_folded(
        self, store: Store, profiles: Profiles, clock: Clock
    ) -> None:
        projector = LogProjector(store, profiles)
        log = LaterLog(projector.apply)
        data = PersonalData(store, log, profiles, clock=clock)
        before, unfolded = some(1), [make_listen(1, at_ms=NOW_MS + FIVE_MINUTES_MS)]
        log.append(before)
        log.fold()
        log.append(unfolded)  # dated ahead, and not folded when it is erased
        data.erase(ADA)
        assert store.erased(ADA).generation == FIRST
        assert list(store.listens_of(ADA)) == []
        after = make_listen(2, at_ms=NOW_MS + 1)
        log.append([after])
        log.fold()
        assert store.erased(ADA).generation == FIRST
        assert list(store.listens_of(ADA)) == [after]
        projector.apply(list(log.entries()))
        assert store.erased(ADA).generation == FIRST
        assert list(store.listens_of(ADA)) == [after]


class TestClocks:
    """An erasure under a clock that was a day fast, and a start with the true one."""

    @pytest.fixture(autouse=True)
    def _erased_under_a_fast_clock(self, data: PersonalData, clock: Clock) -> None:
        clock.now = NOW + timedelta(days=1)
        data.erase(ADA)
        clock.now = NOW

    def test_what_names_its_generation_counts_at_once(self, listens: ListenIngest) -> None:
        assert listens.ingest(ADA, [make_listen(1, at_ms=NOW_MS, generation=FAST)]).accepted == 1

    def test_a_start_lowers_the_mark_once_and_says_so(
        self, store: Store, data: PersonalData, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        data.lower_marks()
        (told,) = caplog.messages
        assert "the data of 1 user was erased" in told
        assert rfc3339(NOW + timedelta(days=1)) in told
        assert rfc3339(NOW) in told
        for _ in range(2):
            assert store.erasures() == (Erasure(ADA, NOW_MS, FAST),)
            clock.now += timedelta(seconds=1)
            data.lower_marks()
        assert len(caplog.messages) == 1

    def test_what_is_done_after_such_a_start_counts(
        self, store: Store, data: PersonalData, listens: ListenIngest, profiles: Profiles, clock: Clock
    ) -> None:
        kept = make_listen(1, at_ms=NOW_MS - 1, generation=FAST)
        listens.ingest(ADA, [kept])
        data.lower_marks()
        clock.now = NOW + timedelta(seconds=1)
        late, fresh = make_listen(2, at_ms=NOW_MS), make_listen(3, at_ms=NOW_MS + 1)
        assert listens.ingest(ADA, [late, fresh]) == Receipt(accepted=1, hidden=1, generation=FAST)
        assert list(store.listens_of(ADA)) == [kept, fresh]
        profiles.catch_up()
        assert profiles.of(ADA).taste.count == 2

    def test_an_erasure_without_a_number_is_lowered_too(self, store: Store, data: PersonalData) -> None:
        store.erase_listens(Erasure(BOB, NOW_MS + 1))
        data.lower_marks()
        assert store.erasures() == (Erasure(ADA, NOW_MS, FAST), Erasure(BOB, NOW_MS))

    def test_a_copy_that_was_interrupted_gets_the_lowered_mark(
        self, store: Store, data: PersonalData, listens: ListenIngest
    ) -> None:
        target = MemoryStore()
        target.erase_listens(*store.erasures())
        data.lower_marks()
        listens.ingest(ADA, [make_listen(1, at_ms=NOW_MS, generation=FAST)])
        new_id = LibraryId("0" * 32)
        mark = LibraryMark(new_id)
        store.set_library_mark(mark, replacing=store.library_mark())
        target.set_library_mark(replace(mark, is_unfinished=True), replacing=target.library_mark())
        assert not Copier(store, target, names=("old", "new"), new_id=new_id).copy(no_progress).problem
        assert target.erasures() == (Erasure(ADA, NOW_MS, FAST),)

    @pytest.mark.parametrize(
        "failure", [EventLogError("Kafka does not answer"), StoreUnfitError("the disk is full")]
    )
    def test_a_start_without_the_log_lowers_nothing(
        self,
        store: Store,
        profiles: Profiles,
        clock: Clock,
        caplog: pytest.LogCaptureFixture,
        failure: Exception,
    ) -> None:
        log = LaterLog()
        log.failure = failure
        data = PersonalData(store, log, profiles, clock=clock)
        data.lower_marks()
        assert f"stays for now: {failure}" in caplog.text
        assert store.erased(ADA).until_ms == NOW_MS + DAY_MS


def test_over_a_shared_log_a_lowered_mark_is_a_record_of_the_log(
    store: Store, profiles: Profiles, clock: Clock
) -> None:
    log = LaterLog(LogProjector(store, profiles).apply)
    store.save_track(make_track("t1"))
    data, listens = PersonalData(store, log, profiles, clock=clock), ListenIngest(store, log, clock=clock)
    clock.now = NOW + timedelta(days=1)
    data.erase(ADA)
    clock.now = NOW
    hidden, counted = make_listen(1, at_ms=NOW_MS), make_listen(2, at_ms=NOW_MS + 1)
    assert listens.ingest(ADA, [hidden]) == Receipt(accepted=0, hidden=1, generation=FAST, is_folded=False)
    data.lower_marks()
    assert listens.ingest(ADA, [counted]) == Receipt(accepted=1, generation=FAST, is_folded=False)
    log.fold()
    assert list(store.listens_of(ADA)) == [counted]
    replayed, backup = MemoryStore(), MemoryStore()
    backup.erase_listens(Erasure(ADA, NOW_MS + DAY_MS, FAST))
    for other in (replayed, backup):
        restore_listens(log, other)
        assert other.erasures() == store.erasures() == (Erasure(ADA, NOW_MS, FAST),)
        assert list(other.listens_of(ADA)) == [counted]


class Favourites(MemoryStore):
    """A store of a later version: it keeps favourite tracks of users too."""

    def __init__(self) -> None:
        super().__init__()
        self.favourites: dict[UserId, list[str]] = {}


def save_favourites(store: Any, found: Sequence[tuple[UserId, list[str]]]) -> None:
    store.favourites.update(found)


FAVOURITES: Entity[Any] = Entity(
    kind="favourites",
    read=lambda store: sorted(cast("Favourites", store).favourites.items()),
    order=lambda one: one[0],
    name=lambda one: f"favourites of {one[0]!r}",
    content=lambda one: repr(one).encode(),
    write=save_favourites,
    exports=[Export("favourites", lambda data: cast("Favourites", data.store).favourites[data.user_id])],
    erase=lambda store, erasure: cast("Favourites", store).favourites.pop(erasure.user_id, None),
)


def copier(source: MemoryStore, target: MemoryStore) -> Copier:
    new_id, entities = LibraryId("0" * 32), (*ENTITIES, FAVOURITES)
    return Copier(source, target, names=("old", "new"), new_id=new_id, entities=entities)


class TestAnEntityThatIsAddedToTheTable:
    @pytest.fixture
    def store(self) -> Favourites:
        store = Favourites()
        fill(store)
        store.favourites = {YOU: ["t00001", "t00002"], BOB: ["t00003"]}
        return store

    @pytest.fixture
    def data(self, store: Favourites, profiles: Profiles, clock: Clock) -> PersonalData:
        entities = (*ENTITIES, FAVOURITES)
        log = StoredLog(store, on_append=profiles.fold)
        return PersonalData(store, log, profiles, clock=clock, entities=entities)

    def test_is_copied_and_compared(self, store: Favourites) -> None:
        target = Favourites()
        report = copier(store, target).copy(no_progress)
        assert target.favourites == store.favourites
        (of_kind,) = (one for one in report.kinds if one.kind == "favourites")
        assert (of_kind.target.count, of_kind.written) == (2, 2)
        target.favourites[BOB] = ["t00004"]
        with pytest.raises(CopyError, match="favourites of 'bob' differ"):
            copier(store, target).copy(no_progress)

    def test_is_exported(self, data: PersonalData) -> None:
        body = json.loads(b"".join(data.export(YOU)))
        assert body["favourites"] == ["t00001", "t00002"]
        assert {"account", "tokens", "profile", "listens"} < set(body)

    def test_is_erased(self, data: PersonalData, store: Favourites) -> None:
        data.erase(YOU)
        assert store.favourites == {BOB: ["t00003"]}
