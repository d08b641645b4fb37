"""Questions that the contract's tests put to a store, and what they ask with."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from making import file_of, make_schema, make_vectors
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.ports.library import Store
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tracks import Position, Sort, Track, TrackPage
from soundalike.domain.types import RelativePath, RootName, TrackId, UserId
from soundalike.domain.words import words

MUSIC = RootName("music")
ADA, BOB = UserId("ada"), UserId("bob")
SCHEMA = make_schema()
LATER_MS = 1_800_000_000_123
LATER = datetime(2027, 1, 15, 8, 0, 0, 123_000, tzinfo=UTC)

HOSTILE_TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udcffb",
    "%",
    "_",
    "*",
    '"',
    "'",
    "');--",
    "$where",
    ".*",
    "\\",
    "\U0010ffff",
    "é" * 10_000,
    "a b " * 5_000,
]


def save_many(store: Store, tracks: Sequence[Track], vectors: Iterable[FeatureVectors] = ()) -> None:
    """Save tracks as a copy does, which is fast; the first vectors are the first track's, and so on."""
    store.save_stored_tracks(tracks)
    of_tracks = [StoredVectors.of(track.id, one) for track, one in zip(tracks, vectors, strict=False)]
    store.save_stored_vectors(of_tracks)


def found_ids(page: TrackPage) -> list[str]:
    return [track.id for track in page.tracks]


def search(store: Store, query: str, *, sort: str = "title", limit: int = 100) -> list[str]:
    page = store.find_tracks(words(query), sort=Sort.parse(sort), limit=limit)
    assert page.total == len(page.tracks)
    return found_ids(page)


def walk(store: Store, sort: str, *, limit: int, query: str = "") -> list[str]:
    """Page through everything that matches."""
    ids: list[str] = []
    after: Position | None = None
    while True:
        page = store.find_tracks(words(query), sort=Sort.parse(sort), limit=limit, after=after)
        assert len(page.tracks) <= limit
        ids += found_ids(page)
        if page.next is None:
            assert page.total == len(ids)
            return ids
        after = page.next


def same_vectors(found: FeatureVectors | None, expected: FeatureVectors) -> bool:
    return (
        found is not None
        and found.schema == expected.schema
        and found.patches == expected.patches
        and found.values.dtype == expected.values.dtype
        and found.values.tobytes() == expected.values.tobytes()
    )


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Call a function with its number in several threads at once; fail if any of them does."""
    failures: list[BaseException] = []

    def run(thread: int) -> None:
        try:
            work(thread)
        except BaseException as failure:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def assert_written_whole(store: Store, ids: Sequence[str], schema: FeatureSchema) -> None:
    """Check that what a killed writer said to be done is done, and that nothing is half done."""
    for track_id in ids:
        number = int(track_id.rpartition("-")[2])
        track = store.track(TrackId(track_id))
        assert track is not None
        assert file_of(track).location.path.startswith(b"moved/") == (number % 5 == 0)
        assert track.is_vanished == (number % 7 == 0)
    for track in store.tracks_under(RootName("music"), RelativePath(b"")):
        vectors = store.vectors_of(track.id, schema)
        assert same_vectors(vectors, make_vectors(schema, int(track.id.rpartition("-")[2])))
    count = store.count_tracks()
    assert store.find_tracks(["title"], sort=Sort(), limit=1).total == count
    assert len(list(store.track_vectors(schema))) == count
