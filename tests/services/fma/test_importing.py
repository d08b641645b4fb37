"""What FMA says of tracks is imported; run twice, it changes nothing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fakes import MemoryStore
from making import SOME_TIME, make_location, make_track
from soundalike.domain.entries import EntryKind, EntrySort, SettledGroup
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import NOWHERE, Location, Root
from soundalike.domain.fma import FMA, BadRow, FmaTrack, Trouble, fma_id, fma_id_at
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Sort, Track
from soundalike.domain.types import DurationMs, FloatArray, RelativePath, RootName, TrackId
from soundalike.services.fma.importing import FmaImporter, FmaReport
from soundalike.services.library.identity import Identity
from soundalike.services.library.roots import RootMap

FOOD = Tags(
    title="Food", artists=("AWOL",), album="One", genres=("Metal", "Rock"), genre_parents={"Metal": "Rock"},
    external_ids=(fma_id(2),), licence="CC BY", dataset={"subset": "small"},
)  # fmt: skip
OTHER = replace(FOOD, title="Other", external_ids=(fma_id(5),))


class Metadata:
    """FMA's files, without any."""

    files = ("tracks.csv", "features.csv")
    missing = ("genres.csv", "raw_tracks.csv")

    def __init__(self, *tags: Tags, features: Sequence[int] = ()) -> None:
        self._tags = tags
        self._features = features

    def tracks(self) -> Iterator[FmaTrack | BadRow]:
        for tags in self._tags:
            (one,) = tags.track_ids
            yield FmaTrack(int(one.value), tags, DurationMs(168_000))
        yield BadRow("tracks.csv", 9, Trouble.NO_ID)

    def feature_set(self) -> FeatureSchema | None:
        return FMA if self._features else None

    def features(self, schema: FeatureSchema) -> Iterator[tuple[npt.NDArray[np.int64], FloatArray] | BadRow]:
        for number in self._features:
            yield np.array([number]), np.full((1, len(schema)), number, np.float32)
            yield BadRow("features.csv", number, Trouble.NO_FEATURES, number + 1_000)


class Library:
    """A store into which FMA is imported."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        ids = (TrackId(f"new{number}") for number in range(100))
        roots = RootMap(self.store, {})
        identity = Identity(self.store, roots, is_gone=lambda _path: False, new_id=lambda: next(ids))
        self._importer = FmaImporter(self.store, roots=roots, identity=identity, clock=lambda: SOME_TIME)

    def take(self, metadata: Metadata) -> FmaReport:
        return self._importer.take(metadata, progress=lambda _done, _total: None)

    def tracks(self) -> dict[str, Track]:
        return {track.title: track for track in self.store.stored_tracks()}


def test_tracks_are_listed_with_albums_and_genres() -> None:
    library = Library()
    report = library.take(Metadata(FOOD, OTHER, features=[2, 7]))
    assert (report.added, report.changed, report.unchanged, report.featured) == (2, 0, 0, 1)
    assert (report.files, report.missing) == (Metadata.files, Metadata.missing)
    assert report.troubles == {Trouble.NO_ID: 1, Trouble.NO_TRACK: 1, Trouble.NO_FEATURES: 2}
    assert [row.name for row in report.named[Trouble.NO_TRACK]] == ["track 7"]
    food = library.tracks()["Food"]
    assert (food.file, food.tags, food.imported, food.duration_ms) == (None, FOOD, FOOD, 168_000)
    page = library.store.find_tracks(["foo"], sort=Sort(), limit=10)
    assert [track.id for track in page.tracks] == [food.id]
    (album,) = library.store.find_albums(sort=EntrySort(), limit=10).entries
    assert (album.title, album.track_count) == ("One", 2)
    genres = {one.name: one for one in library.store.find_genres(sort=EntrySort(), limit=10).entries}
    assert genres["Metal"].parent_id == genres["Rock"].id
    vectors = library.store.vectors_of(food.id, FMA)
    assert vectors is not None
    assert (vectors.summary == 2).all()


def test_run_twice_it_changes_nothing() -> None:
    library = Library()
    metadata = Metadata(FOOD, OTHER, features=[2])
    library.take(metadata)
    before = library.store.library_version(), library.tracks()
    report = library.take(metadata)
    assert (report.added, report.changed, report.unchanged, report.refeatured) == (0, 0, 2, 0)
    assert (library.store.library_version(), library.tracks()) == before


class CutStore(MemoryStore):
    """Fails once before a write of a kind, as if the process had been killed."""

    def __init__(self, write: str) -> None:
        super().__init__()
        self.write: str | None = write

    def save_stored_vectors(self, vectors: Collection[StoredVectors]) -> None:
        self._cut("vectors")
        super().save_stored_vectors(vectors)

    def save_settled(self, found: Sequence[SettledGroup]) -> None:
        self._cut("settled" if found[0].group.kind is EntryKind.ARTIST else "albums")
        super().save_settled(found)

    def _cut(self, write: str) -> None:
        if self.write == write:
            self.write = None
            raise InterruptedError


@pytest.mark.parametrize("write", ["vectors", "settled", "albums"])
def test_an_import_that_was_interrupted_is_continued_by_the_next(write: str) -> None:
    library, whole = Library(CutStore(write)), Library()
    metadata = Metadata(FOOD, OTHER, features=[2, 5])
    whole.take(metadata)
    with pytest.raises(InterruptedError):
        library.take(metadata)
    library.take(metadata)
    assert library.tracks() == whole.tracks()
    assert library.store.unsettled(10) == {}
    assert library.store.feature_sets() == whole.store.feature_sets()
    albums, expected = (
        each.store.find_albums(sort=EntrySort(), limit=10).entries for each in (library, whole)
    )
    assert albums == expected


def test_features_that_changed_are_stored_and_those_of_vanished_tracks_are_not_again() -> None:
    library = Library()
    library.take(Metadata(FOOD, OTHER, features=[2, 5]))
    clip = library.tracks()["Other"]
    library.store.save_track(replace(clip, file=make_track("clip", path=b"a.mp3").file), moved_from=NOWHERE)
    library.store.mark_vanished([clip.id], 1)
    assert library.take(Metadata(FOOD, OTHER, features=[2, 5])).refeatured == 0
    other = np.full((1, len(FMA)), 3, np.float32)
    vectors = library.store.vectors_of(library.tracks()["Food"].id, FMA)
    assert vectors is not None
    changed = replace(StoredVectors.of(library.tracks()["Food"].id, vectors), values=other)
    library.store.save_stored_vectors([changed])
    assert library.take(Metadata(FOOD, OTHER, features=[2, 5])).refeatured == 1


def test_what_changed_is_changed_and_the_id_stays() -> None:
    library = Library()
    library.take(Metadata(FOOD, OTHER))
    before = library.tracks()["Food"].id
    report = library.take(Metadata(replace(FOOD, title="Drink"), OTHER))
    assert (report.changed, report.unchanged) == (1, 1)
    assert library.tracks()["Drink"].id == before
    assert not library.store.find_tracks(["food"], sort=Sort(), limit=10).tracks


def test_audio_that_was_analysed_before_is_found_by_fmas_folder_rule_wherever_it_is(tmp_path: Path) -> None:
    library = Library()
    library.store.save_root(Root(RootName("music"), tmp_path))
    heard = make_track("heard", title="Clip", artist=None, album=None, path=b"fma_small/000/000002.mp3")
    library.store.save_track(heard)
    report = library.take(Metadata(FOOD, OTHER))
    assert (report.added, report.changed) == (1, 1)
    track = library.store.track(heard.id)
    assert track is not None
    assert (track.file, track.title, track.artist, track.tags.licence) == (
        heard.file,
        "Clip",
        "AWOL",
        "CC BY",
    )
    before = library.tracks()
    assert library.take(Metadata(FOOD, OTHER)).unchanged == 2
    assert library.tracks() == before


@pytest.mark.parametrize("sizes", [(3,), (1, 1, 1)], ids=["in one batch", "in several"])
def test_of_features_that_are_there_twice_the_first_count_and_the_others_are_named(
    sizes: tuple[int, ...],
) -> None:
    class Twice(Metadata):
        def features(self, schema: FeatureSchema) -> Iterator[tuple[npt.NDArray[np.int64], FloatArray]]:
            numbers, values = np.array([2, 5, 2]), np.array([[1], [2], [3]], np.float32)
            cuts = np.cumsum(sizes)[:-1]
            wide = np.repeat(values, len(schema), axis=1)
            yield from zip(np.split(numbers, cuts), np.split(wide, cuts), strict=True)

    library, metadata = Library(), Twice(FOOD, OTHER, features=[2])
    first = library.take(metadata)
    assert (first.featured, first.refeatured, first.troubles[Trouble.TWICE]) == (2, 2, 1)
    assert [row.number for row in first.named[Trouble.TWICE]] == [2]
    stored = library.store.vectors_of(library.tracks()["Food"].id, FMA)
    assert stored is not None
    assert stored.summary[0] == 1
    assert library.take(metadata).refeatured == 0


def test_fmas_folder_rule() -> None:
    def number(path: bytes, root: str = "music") -> str | None:
        found = fma_id_at(make_location(path, root))
        return None if found is None else found.value

    assert number(b"fma_small/000/000002.mp3") == "2"
    assert number(b"x/fma_large/123/123456.mp3") == "123456"
    assert number(b"000/000140.mp3", "fma_full") == "140"
    assert number(b"000/000140.mp3", "fma_full-2") == "140"
    assert fma_id_at(Location(RootName("\udcff"), RelativePath(b"fma_small/000/000002.mp3"))) == fma_id(2)
    for other in (
        b"000/000002.mp3",
        b"fma_small/001/000002.mp3",
        b"fma_small/000/000002.mp3.txt",
        b"fma_small/0/2.mp3",
    ):
        assert number(other) is None
