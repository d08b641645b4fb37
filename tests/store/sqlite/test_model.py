"""The SQLite store equals a model in memory after any sequence of calls."""

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fakes import MemoryStore
from making import SOME_TIME, at, file_of, make_location, make_schema, make_track, make_vectors
from soundalike.domain.catalogue import artist_id, own_entry
from soundalike.domain.entries import FIELDS, EntryKind, EntrySort
from soundalike.domain.errors import StoreError
from soundalike.domain.files import FileProblem, Place, ProblemReason
from soundalike.domain.ports.library import Store
from soundalike.domain.recordings import name_key
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Position, Sort, SortField, Track, TrackFilter
from soundalike.domain.types import AudioHash, RelativePath, RootName, TrackId
from soundalike.domain.words import sort_key, words
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.store.sqlite.store import SqliteStore

SCHEMAS = [make_schema(), make_schema(name="other")]
ids = st.sampled_from([TrackId(name) for name in "abcd"])
paths = st.sampled_from([b"a", b"a/b", b"a/b/c", b"ab", b"a0", b"\xff"])
hashes = st.sampled_from(["h1", "h2"])
texts = st.text(st.sampled_from("aAéß 'İ-!夜💚\x00\ud800%_"), max_size=6)
names = st.none() | texts
years = st.none() | st.integers(1, 3)
sorts = st.builds(Sort, st.sampled_from(SortField), is_descending=st.booleans())


def with_own_entry(track: Track) -> Track:
    return replace(track, entry=own_entry(track.tags))


tracks = st.builds(
    lambda track_id, seconds, **tags: with_own_entry(
        make_track(track_id, added_at=SOME_TIME + timedelta(seconds=seconds), **tags)
    ),
    ids,
    st.integers(0, 2),
    path=paths,
    audio_hash=hashes,
    title=texts,
    artist=names,
    album=names,
    year=years,
    root=st.sampled_from(["music", "disk"]),
)

filters = st.builds(
    TrackFilter,
    album=st.none() | st.builds(lambda name: own_entry(Tags(album=name, artists=("A",))).album_id, texts),
    artist=st.none() | st.builds(lambda name: artist_id(name_key(name)), texts),
    hides_duplicates=st.booleans(),
    is_playable=st.booleans(),
)


def outcome(store: Store, track: Track, seed: int | None, moved_from: bytes | None) -> type[Exception] | None:
    try:
        store.save_track(
            track,
            *(() if seed is None else (make_vectors(SCHEMAS[seed % 2], seed),)),
            moved_from=None if moved_from is None else make_location(moved_from),
        )
    except StoreError as error:
        return type(error)
    return None


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore(self.folder / "library.sqlite")
        self.model = MemoryStore()

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.folder / "library.sqlite")

    @rule(track=tracks, seed=st.none() | st.integers(0, 3), moved_from=st.none() | paths)
    def save(self, track: Track, seed: int | None, moved_from: bytes | None) -> None:
        arguments = (track, seed, moved_from)
        assert outcome(self.store, *arguments) == outcome(self.model, *arguments)

    @rule(track_id=ids, path=paths)
    def move(self, track_id: TrackId, path: bytes) -> None:
        track = self.model.track(track_id)
        if track is not None:
            moved = at(track, path)
            results = []
            for store in (self.store, self.model):
                try:
                    store.save_track(moved, moved_from=file_of(track).location)
                    results.append("moved")
                except StoreError as error:
                    results.append(type(error).__name__)
            assert results[0] == results[1]

    @rule(track_ids=st.lists(ids), at_ms=st.integers(0, 10**12))
    def vanish(self, track_ids: list[TrackId], at_ms: int) -> None:
        assert self.store.mark_vanished(track_ids, at_ms) == self.model.mark_vanished(track_ids, at_ms)

    @rule(track_id=ids)
    def drop_vectors(self, track_id: TrackId) -> None:
        self.store.drop_vectors(track_id)
        self.model.drop_vectors(track_id)

    @rule(path=paths, reason=st.sampled_from(ProblemReason))
    def save_problem(self, path: bytes, reason: ProblemReason) -> None:
        for store in (self.store, self.model):
            store.save_problem(FileProblem(location=make_location(path), reason=reason))

    @rule(removed=st.lists(paths))
    def remove_problems(self, removed: list[bytes]) -> None:
        for store in (self.store, self.model):
            store.remove_problems([Place(make_location(path)) for path in removed])

    @rule(query=texts, sort=sorts, limit=st.integers(1, 3), name=names, year=years, after=st.none() | ids)
    def find(
        self, query: str, sort: Sort, limit: int, name: str | None, year: int | None, after: TrackId | None
    ) -> None:
        key = year if sort.field in {SortField.YEAR, SortField.ADDED} else sort_key(name)
        position = None if after is None else Position(key, after)
        asked = words(query)
        found = self.store.find_tracks(asked, sort=sort, limit=limit, after=position)
        assert found == self.model.find_tracks(asked, sort=sort, limit=limit, after=position)

    @invariant()
    def everything_else_is_the_same(self) -> None:
        store, model = self.store, self.model
        assert store.count_tracks() == model.count_tracks()
        for root in ("music", "disk"):
            for path in (b"", b"a", b"a/b"):
                where = (RootName(root), RelativePath(path))
                assert list(store.tracks_under(*where)) == list(model.tracks_under(*where))
                assert list(store.problems_under(*where)) == list(model.problems_under(*where))
        for audio_hash in map(AudioHash, ("h1", "h2")):
            assert store.tracks_with_hash(audio_hash) == model.tracks_with_hash(audio_hash)
        for schema in SCHEMAS:
            assert store.ids_with_vectors(schema) == model.ids_with_vectors(schema)
            assert store.hashes_with_vectors(schema) == model.hashes_with_vectors(schema)
            pairs = zip(store.track_vectors(schema), model.track_vectors(schema), strict=True)
            for found, expected in pairs:
                assert (found.track_id, found.audio_hash) == (expected.track_id, expected.audio_hash)
                assert found.vectors.values.tolist() == expected.vectors.values.tolist()


class CatalogueMachine(StoreMachine):
    """The same with artists, albums and genres."""

    @rule()
    def settle(self) -> None:
        for store in (self.store, self.model):
            settle_catalogue(store)

    @rule(sort=sorts, limit=st.integers(1, 3), offset=st.integers(0, 4), only=filters)
    def find_listed(self, sort: Sort, limit: int, offset: int, only: TrackFilter) -> None:
        found, expected = (
            store.find_tracks([], sort=sort, limit=limit, offset=offset, only=only)
            for store in (self.store, self.model)
        )
        assert found == expected

    @rule(
        kind=st.sampled_from(EntryKind), is_descending=st.booleans(), offset=st.integers(0, 3), data=st.data()
    )
    def find_entries(self, kind: EntryKind, *, is_descending: bool, offset: int, data: st.DataObject) -> None:
        sort = EntrySort(data.draw(st.sampled_from(FIELDS[kind])), is_descending=is_descending)
        found, expected = (
            getattr(store, f"find_{kind}s")(sort=sort, limit=2, offset=offset)
            for store in (self.store, self.model)
        )
        assert found == expected

    @invariant()
    def tracks_and_what_is_unsettled_are_the_same(self) -> None:
        assert list(self.store.unsettled(100)) == list(self.model.unsettled(100))
        for track_id in map(TrackId, "abcd"):
            assert self.store.track(track_id) == self.model.track(track_id)


TestStoreMachine = CatalogueMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
