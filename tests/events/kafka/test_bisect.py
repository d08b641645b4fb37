"""A record is only rejected if the store takes others."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from events.kafka.fakes import FlakyStore
from making import make_listen
from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnavailableError, StoreUnfitError
from soundalike.domain.listens import Listen
from soundalike.domain.profiles import LATENESS_MS
from soundalike.domain.types import EventId
from soundalike.events.kafka.bisect import bisect_rejected
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.sqlite.store import SqliteStore


def numbered(count: int, *, users: int = 1) -> list[Listen]:
    return [make_listen(n, user_id=f"u{n % users}", at_ms=n) for n in range(count)]


def ids_at(listens: Sequence[Listen], *which: int) -> set[EventId]:
    return {listens[place].id for place in which}


def test_records_are_stored_with_one_call_if_none_fails() -> None:
    store, listens = FlakyStore(), numbered(100)
    assert bisect_rejected(store.take, listens) == ()
    assert store.calls == [listens]


@pytest.mark.parametrize("users", [1, 3, 100])
@pytest.mark.parametrize("bad", [[0], [99], [50], [0, 1, 2, 3], [0, 99], [10, 11, 70], list(range(1, 100))])
def test_rejected_records_are_found_and_the_rest_is_stored(users: int, bad: list[int]) -> None:
    listens = numbered(100, users=users)
    store = FlakyStore(rejected=ids_at(listens, *bad))
    assert sorted(rejected.index for rejected in bisect_rejected(store.take, listens)) == bad
    assert store.taken == ids_at(listens, *range(100)) - store.rejected


def test_a_rejected_record_has_its_error() -> None:
    listens = numbered(3)
    (rejected,) = bisect_rejected(FlakyStore(rejected=ids_at(listens, 1)).take, listens)
    assert str(rejected.error) == "it is rejected"


def test_a_rejected_record_is_found_in_a_logarithmic_number_of_calls() -> None:
    listens = numbered(4_000, users=50)
    store = FlakyStore(rejected=ids_at(listens, 2_345))
    bisect_rejected(store.take, listens)
    assert len(store.calls) < 50


@pytest.mark.parametrize("count", [1, 2, 5, 1_000])
def test_if_every_record_fails_the_store_has_failed(count: int) -> None:
    listens = numbered(count, users=3)
    store = FlakyStore(rejected={listen.id for listen in listens})
    with pytest.raises(StoreError, match="it is rejected"):
        bisect_rejected(store.take, listens)
    assert len(store.calls) <= 9


def test_one_user_with_only_rejected_records_does_not_look_like_a_failed_store() -> None:
    listens = [*numbered(500), make_listen(999, user_id="bob")]
    store = FlakyStore(rejected={listen.id for listen in listens[:-1]})
    assert len(bisect_rejected(store.take, listens)) == 500
    assert store.taken == {listens[-1].id}


def test_a_record_that_fails_once_and_then_succeeds_is_not_rejected() -> None:
    listens = numbered(64, users=8)
    store = FlakyStore(rejected=ids_at(listens, 20))
    store.recovers_after_rejecting_one = True
    assert bisect_rejected(store.take, listens) == ()
    assert store.taken == {listen.id for listen in listens}


@pytest.mark.parametrize(
    "error", [StoreBusyError("held"), StoreUnavailableError("gone"), StoreUnfitError("full")]
)
@pytest.mark.parametrize("after", [0, 1, 5, 12])
def test_a_store_that_goes_away_raises_its_error(error: StoreError, after: int) -> None:
    listens = numbered(64, users=8)
    store = FlakyStore(rejected=ids_at(listens, 20, 21))
    store.go_away_after(after, error)
    with pytest.raises(type(error), match=str(error)):
        bisect_rejected(store.take, listens)


@pytest.mark.parametrize("error", [KeyError("damaged"), RecursionError(), ValueError()])
def test_any_exception_rejects_a_record(error: Exception) -> None:
    listens = numbered(10)
    store = FlakyStore(rejected=ids_at(listens, 4), error=error)
    (rejected,) = bisect_rejected(store.take, listens)
    assert rejected.error is error


def test_an_interrupt_rejects_no_record() -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    take: Callable[[Sequence[object]], None] = interrupted
    with pytest.raises(KeyboardInterrupt):
        bisect_rejected(take, numbered(3))


def test_a_full_disk_rejects_no_record_although_one_still_fits(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "library.sqlite")) as store:
        take = LogProjector(store, Profiles(store, lateness_ms=LATENESS_MS)).apply
        take(numbered(2_000))
        fill_up(store)
        with pytest.raises(StoreUnfitError, match="has no space left on its disk"):
            bisect_rejected(take, numbered(9_000))


def fill_up(store: SqliteStore) -> None:
    """Leave room for only a few more pages."""
    connect = store._connections._connect  # noqa: SLF001 - a full disk is made where connections are

    def connect_to_a_full_disk() -> sqlite3.Connection:
        connection = connect()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        return connection

    store._connections._connect = connect_to_a_full_disk  # type: ignore[method-assign]  # noqa: SLF001 - the same
    for connection in store._connections._idle:  # noqa: SLF001 - the same
        connection.close()
    store._connections._idle.clear()  # noqa: SLF001 - the same
