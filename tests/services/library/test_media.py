import io
from pathlib import Path
from typing import BinaryIO

import pytest

from fakes import MemoryStore
from making import make_track
from soundalike.domain.errors import NoAudioError, NoCoverError, TrackGoneError, UnknownTrackError
from soundalike.domain.files import FileStamp, Part, Root
from soundalike.domain.ports.audio import Cover
from soundalike.domain.types import RootName, TrackId
from soundalike.services.library.browse import Library
from soundalike.services.library.media import Media
from soundalike.services.library.roots import RootMap


class OnePicture:
    """Files that are all equal; remembers what was opened and what is still open."""

    def __init__(self, picture: Cover | None = None) -> None:
        self.picture = picture
        self.asked: list[tuple[Path, FileStamp]] = []
        self.opened: list[BinaryIO] = []
        self.folders: list[Path] = []
        self.beside: dict[Path, Cover] = {}

    def open(self, real_path: Path, stamp: FileStamp) -> BinaryIO:
        self.asked.append((real_path, stamp))
        self.opened.append(io.BytesIO(b"sound"))
        return self.opened[-1]

    def cover(self, file: BinaryIO) -> Cover | None:  # noqa: ARG002 - the port names it
        return self.picture

    def folder_cover(self, folder: Path) -> Cover | None:
        self.folders.append(folder)
        return self.beside.get(folder)


def media_of(files: OnePicture, *, overrides: dict[RootName, Path] | None = None) -> Media:
    store = MemoryStore()
    store.save_root(Root(RootName("music"), Path("/music")))
    store.save_track(make_track("t1", path=b"a/b.mp3", size_bytes=5, mtime_ns=7))
    store.save_track(make_track("linked", target=Path("/elsewhere/c.mp3")))
    store.save_track(make_track("lost", root="unknown"))
    store.save_track(make_track("part", path=b"a/b.mp3", size_bytes=5, mtime_ns=7, part=Part(100, 200, 75)))
    store.save_track(make_track("bare", has_file=False))
    roots = RootMap(store, overrides or {})
    return Media(Library(store, roots), roots, files)


def test_a_track_is_opened_where_it_was_scanned_and_as_it_was() -> None:
    files = OnePicture()
    stream = media_of(files).audio(TrackId("t1"))
    assert files.asked == [(Path("/music/a/b.mp3"), FileStamp(5, 7))]
    assert (stream.file.read(), stream.size_bytes, stream.media_type) == (b"sound", 5, "audio/mpeg")


def test_a_linked_track_is_opened_at_the_link_s_target() -> None:
    files = OnePicture()
    media_of(files).audio(TrackId("linked"))
    assert files.asked[0][0] == Path("/elsewhere/c.mp3")


def test_a_root_may_be_elsewhere_on_this_machine() -> None:
    files = OnePicture()
    media_of(files, overrides={RootName("music"): Path("/mnt")}).audio(TrackId("t1"))
    assert files.asked[0][0] == Path("/mnt/a/b.mp3")


def test_a_track_of_an_unknown_root_is_gone() -> None:
    with pytest.raises(TrackGoneError, match="'unknown'"):
        media_of(OnePicture()).audio(TrackId("lost"))


def test_another_file_has_another_etag() -> None:
    store_one, store_two = media_of(OnePicture()), media_of(OnePicture())
    assert store_one.audio(TrackId("t1")).etag == store_two.audio(TrackId("t1")).etag
    assert store_one.audio(TrackId("t1")).etag != store_one.audio(TrackId("linked")).etag


def test_a_part_is_played_as_its_whole_file() -> None:
    files = OnePicture()
    stream = media_of(files).audio(TrackId("part"))
    assert files.asked == [(Path("/music/a/b.mp3"), FileStamp(5, 7))]
    assert (stream.file.read(), stream.size_bytes) == (b"sound", 5)


def test_a_track_without_a_file_has_neither_audio_nor_cover() -> None:
    with pytest.raises(NoAudioError, match="'bare' has no audio here"):
        media_of(OnePicture()).audio(TrackId("bare"))
    with pytest.raises(NoCoverError):
        media_of(OnePicture(Cover("image/png", b"png"))).cover(TrackId("bare"))


def test_an_unknown_track_cannot_be_played() -> None:
    with pytest.raises(UnknownTrackError):
        media_of(OnePicture()).audio(TrackId("nobody"))


def test_a_cover_is_read_and_the_file_closed() -> None:
    files = OnePicture(Cover("image/png", b"picture"))
    assert media_of(files).cover(TrackId("t1")).data == b"picture"
    assert files.opened[0].closed


def test_a_missing_cover_is_an_error_and_the_file_is_closed() -> None:
    files = OnePicture()
    with pytest.raises(NoCoverError):
        media_of(files).cover(TrackId("t1"))
    assert files.opened[0].closed


def folders_asked(path: bytes, target: Path | None = None) -> list[str]:
    """Return where a cover is looked for, for a track of the root /music whose tags have none."""
    files = OnePicture()
    store = MemoryStore()
    store.save_root(Root(RootName("music"), Path("/music")))
    store.save_track(make_track("t1", path=path, target=target))
    roots = RootMap(store, {})
    with pytest.raises(NoCoverError):
        Media(Library(store, roots), roots, files).cover(TrackId("t1"))
    return list(map(str, files.folders))


def test_a_cover_in_the_tags_counts_more_than_one_in_the_folder() -> None:
    files = OnePicture(Cover("image/png", b"inside"))
    files.beside[Path("/music/a")] = Cover("image/png", b"beside")
    assert media_of(files).cover(TrackId("t1")).data == b"inside"
    assert files.folders == []


def test_a_cover_in_the_folder_serves_where_there_is_none_inside() -> None:
    files = OnePicture()
    files.beside[Path("/music/a")] = Cover("image/png", b"beside")
    assert media_of(files).cover(TrackId("t1")).data == b"beside"
    assert media_of(files).cover(TrackId("part")).data == b"beside"
    assert files.opened[0].closed


@pytest.mark.parametrize(
    "disc",
    ["CD1", "cd 2", "Disc 1", "disk_03", "DISC1 - Live", "CD1 (bonus)", "LP2", "Side A", "Vinyl 1", "DVD 1"],
)
def test_one_disc_of_several_may_have_the_cover_of_its_album(disc: str) -> None:
    assert folders_asked(f"Album/{disc}/a.mp3".encode()) == [f"/music/Album/{disc}", "/music/Album"]


@pytest.mark.parametrize("folder", ["Discovery", "CD", "Sidewalk", "CDs", "Lp", "Discs 1", "1", "Cd Audio"])
def test_other_folders_have_only_a_cover_of_their_own(folder: str) -> None:
    assert folders_asked(f"Artist/{folder}/a.mp3".encode()) == [f"/music/Artist/{folder}"]


def test_nothing_above_the_root_is_looked_at() -> None:
    assert folders_asked(b"a.mp3") == ["/music"]
    assert folders_asked(b"CD1/a.mp3") == ["/music/CD1", "/music"]


@pytest.mark.parametrize(
    ("path", "target", "asked"),
    [
        # a link to a file, which lies elsewhere
        (b"Album/a.mp3", "/store/objects/1234", ["/music/Album"]),
        (b"Album/CD1/a.mp3", "/store/a.mp3", ["/music/Album/CD1", "/music/Album"]),
        # a link to a folder of discs, of albums; to a disc
        (b"more/Album/CD1/a.mp3", "/disk/Album/CD1/a.mp3", ["/disk/Album/CD1", "/disk/Album"]),
        (b"Album/CD1/a.mp3", "/disk/CD1/a.mp3", ["/disk/CD1"]),
    ],
)
def test_what_is_linked_has_its_cover_where_it_lies_in_the_library(
    path: bytes, target: str, asked: list[str]
) -> None:
    assert folders_asked(path, Path(target)) == asked
