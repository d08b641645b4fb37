"""Each page is one indexed read beside the count, and what is removed of many is removed in batches.

The log of commands shows it.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo import monitoring

from making import SOME_TIME, make_schema, make_track, make_vectors
from soundalike.domain.entries import FIELDS, EntryKind, EntryPage, EntryPosition, EntrySort
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tracks import EVERY_TRACK, Sort, SortField, TrackFilter, TrackPage
from soundalike.domain.types import TrackId
from soundalike.store.mongo.connection import MOST_IDS
from soundalike.store.mongo.store import MongoStore
from store.contract_places import tagged
from store.contract_settling import settle_all

pytestmark = pytest.mark.mongodb

_CONTEXT = ("lsid", "$db", "$clusterTime", "batchSize", "readConcern", "singleBatch", "maxTimeMS")


class CommandLog(monitoring.CommandListener):
    """The commands that were sent since it was last read."""

    def __init__(self) -> None:
        self._sent: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._sent.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    def read(self) -> list[dict[str, Any]]:
        sent, self._sent = self._sent, []
        return sent


@pytest.fixture(scope="module")
def log() -> CommandLog:
    monitoring.register(log := CommandLog())
    return log


@pytest.fixture
def store(url: str, log: CommandLog) -> Iterator[MongoStore]:
    """A store with tracks that share names and lack values."""
    with closing(MongoStore(url)) as store:
        for number in range(12):
            track = tagged(
                f"t{number:02}",
                artists=() if number % 5 == 0 else (f"Artist {number % 3}",),
                album=None if number % 4 == 0 else f"Album {number % 2}",
                year=None if number % 3 == 0 else 1990 + number % 2,
                genres=("Rock",),
            )
            store.save_track(replace(track, added_at=SOME_TIME + timedelta(number % 4)))
        settle_all(store)
        log.read()
        yield store


def assert_one_indexed_read(log: CommandLog, raw: Any, *, has_simple_plan: bool = True) -> None:
    """Check it, also by the plan where the server of the tests finds one: it uses no index beside others."""
    sent = log.read()
    reads = [command for command in sent if "find" in command]
    counts = [command for command in sent if "aggregate" in command]
    assert (len(reads), len(counts), len(sent)) == (1, len(counts), len(counts) + 1)
    assert len(counts) <= 1
    asked = {name: value for name, value in reads[0].items() if name not in _CONTEXT}
    plan = raw.command("explain", asked)["queryPlanner"]["winningPlan"]
    assert ("IXSCAN" in str(plan)) != ("COLLSCAN" in str(plan))
    assert "IXSCAN" in str(plan) or not has_simple_plan
    log.read()


SORTS = [f"{sign}{field}" for field in SortField for sign in ("", "-")]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("words", [(), ("artist",)], ids=["all", "words"])
def test_a_page_of_tracks(store: MongoStore, raw: Any, log: CommandLog, sort: str, words: list[str]) -> None:
    found: list[str] = []
    page: TrackPage | None = None
    while page is None or page.next is not None:
        after = None if page is None else page.next
        page = store.find_tracks(words, sort=Sort.parse(sort), limit=5, after=after)
        assert_one_indexed_read(log, raw, has_simple_plan=not words)
        found += [track.id for track in page.tracks]
    assert page.total == len(found) == len(set(found)) >= 9


@pytest.mark.parametrize("kind", ["album", "artist", "genre"])
def test_a_page_of_what_an_entry_has(store: MongoStore, raw: Any, log: CommandLog, kind: str) -> None:
    entry = store.find_tracks(["1"], sort=Sort(), limit=1).tracks[0].entry
    filters = {
        "album": TrackFilter(album=entry.album_id),
        "artist": TrackFilter(artist=entry.artist_ids[0]),
        "genre": TrackFilter(genre=entry.genre_ids[0]),
    }
    log.read()
    for only in (filters[kind], EVERY_TRACK):
        for sort in SORTS:
            store.find_tracks([], sort=Sort.parse(sort), limit=2, offset=1, only=only)
            assert_one_indexed_read(log, raw)


@pytest.mark.parametrize("kind", EntryKind)
def test_a_page_of_entries(store: MongoStore, raw: Any, log: CommandLog, kind: EntryKind) -> None:
    ask: Callable[..., EntryPage[Any]] = getattr(store, f"find_{kind.value}s")
    for field in FIELDS[kind]:
        for sign in ("", "-"):
            after: EntryPosition | None = None
            for _ in range(2):
                page = ask(sort=EntrySort.parse(f"{sign}{field}", kind), limit=1, after=after)
                assert_one_indexed_read(log, raw)
                if (after := page.next) is None:
                    break


def test_a_feature_set_is_removed_in_batches(store: MongoStore, log: CommandLog) -> None:
    store.save_stored_tracks([make_track(f"f{number}", path=b"f/%d" % number) for number in range(501)])
    vectors = make_vectors(make_schema())
    store.save_stored_vectors([StoredVectors.of(TrackId(f"f{number}"), vectors) for number in range(501)])
    log.read()
    assert store.forget_set(vectors.schema.key) == 501
    removals = [one["deletes"] for one in log.read() if one.get("delete") == "feature"]
    assert all(len(one["q"]["_id"]["$in"]) <= MOST_IDS for deletes in removals for one in deletes)
    assert store.feature_sets() == ()
