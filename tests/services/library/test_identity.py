"""Metadata first or audio first: there is one track, with the same tags."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import MemoryStore
from making import SOME_TIME, make_location
from soundalike.domain.files import Analysis, FileStamp, FoundFile
from soundalike.domain.tags import TAGS_VERSION, ExternalId, ExternalIdKind, Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import AudioHash, DurationMs, TrackId
from soundalike.services.library.identity import Identity
from soundalike.services.library.roots import RootMap

ISRC = ExternalId(ExternalIdKind.ISRC, "GBAYE7300001")
FILE = Tags(title="Song", artists=("Ada",), external_ids=(ISRC,))
IMPORT = Tags(artists=("ADA",), album="One", genres=("Pop",), external_ids=(ISRC,))


class Importing:
    """A store into which files are scanned and metadata is imported."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        ids = iter("0123456789")
        self._identity = Identity(
            self.store,
            RootMap(self.store, {}),
            is_gone=lambda _path: False,
            new_id=lambda: TrackId(next(ids)),
        )

    def scan(self, name: str = "a.mp3", tags: Tags = FILE) -> Track:
        location = make_location(name.encode())
        file = FoundFile(
            location=location, real_path=Path("/m", name), is_linked=False, stamp=FileStamp(1, 1)
        )
        analysis = Analysis(
            tags=tags,
            audio_hash=AudioHash(f"audio of {name}"),
            duration_ms=DurationMs(30_000),
            media_type="audio/mpeg",
            analysed_ms=DurationMs(20_000),
            vectors=(),
        )
        _, track = self._identity.settle(file, analysis, now=SOME_TIME)
        self.store.save_track(track)
        return track

    def bring(self, tags: Tags = IMPORT) -> Track:
        _, track = self._identity.settle_import(tags, duration_ms=DurationMs(31_000), now=SOME_TIME)
        self.store.save_track(track)
        return track


@pytest.fixture
def library() -> Importing:
    return Importing()


def test_audio_and_metadata_give_one_track_in_either_order() -> None:
    def done(*steps: Callable[[Importing], Track]) -> Track:
        library = Importing()
        for step in steps:
            step(library)
        (track,) = library.store.stored_tracks()
        return track

    audio_first, metadata_first = (
        done(Importing.scan, Importing.bring), done(Importing.bring, Importing.scan),
    )  # fmt: skip
    assert audio_first == metadata_first
    assert (audio_first.tags.album, audio_first.artist, audio_first.duration_ms) == ("One", "Ada", 30_000)


def test_an_import_without_an_id_of_the_track_is_a_new_one(library: Importing) -> None:
    bare = replace(IMPORT, title="Song", external_ids=(ExternalId(ExternalIdKind.ARTIST, "x"),))
    assert library.scan().id != library.bring(bare).id != library.bring(bare).id
    assert library.store.count_tracks() == 3


def test_an_import_describes_the_track_that_it_described_before(library: Importing) -> None:
    first = library.bring()
    assert library.scan("b.mp3").id == first.id
    other = library.scan("a.mp3")
    assert other.id != first.id
    again = library.bring(replace(IMPORT, album="Two"))
    assert again.id == first.id
    assert library.store.track(other.id) == other


def test_what_an_import_no_longer_says_is_gone_once_the_file_was_read_again(library: Importing) -> None:
    library.scan()
    assert library.bring().tags_version == TAGS_VERSION
    assert library.bring(replace(IMPORT, album="Two")).tags_version < TAGS_VERSION
    track = library.scan()
    assert (track.album, track.genre, track.tags_version) == ("Two", "Pop", TAGS_VERSION)


def test_audio_by_fmas_folder_rule_is_the_track_that_an_import_described(library: Importing) -> None:
    fma = ExternalId(ExternalIdKind.FMA, "2")
    described = library.bring(replace(IMPORT, title="Song", external_ids=(fma,)))
    heard = library.scan("fma_small/000/000002.mp3", Tags(title="Clip"))
    other = library.scan("fma_small/000/000005.mp3", Tags(title="Clip"))
    assert (heard.id, heard.title, heard.album) == (described.id, "Clip", "One")
    assert other.id != described.id
    assert not other.tags.external_ids


def test_the_same_import_again_changes_nothing(library: Importing) -> None:
    library.scan()
    once = library.bring()
    assert library.bring() == once
