"""Where files are, and parts of them."""

import pytest

from soundalike.domain.files import Location, Part
from soundalike.domain.types import RelativePath, RootName


@pytest.mark.parametrize(
    ("part", "start_ms", "end_ms"),
    [
        (Part(0, 44_100, 44_100), 0, 1000),
        (Part(75, None, 75), 1000, None),
        (Part(44_145, 88_199, 44_100), 1001, 1999),
    ],
)
def test_bounds_in_ms_are_rounded_down(part: Part, start_ms: int, end_ms: int | None) -> None:
    assert (part.start_ms, part.end_ms) == (start_ms, end_ms)


@pytest.mark.parametrize("bounds", [(-1, 5, 75), (5, 5, 75), (5, 4, 75), (0, 5, 0)])
def test_an_empty_part_is_none(bounds: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a part"):
        Part(*bounds)


@pytest.mark.parametrize(
    ("folder", "disc"),
    [
        *(("CD1", 1), ("cd 2", 2), ("Disc 10", 10), ("disk_03", 3), ("DISC1 - Live", 1), ("CD2 (bonus)", 2)),
        *(("LP2", 2), ("Side A", 1), ("Side b", 2), ("Vinyl 1", 1), ("CD1\udcff", 1)),
        *(
            ("Discovery", None),
            ("CD", None),
            ("Sidewalk", None),
            ("Disc 1979", None),
            ("LP - 2010 - Songs", None),
        ),
        *(("Discs 1", None), ("1", None), ("Cd Audio", None), ("Side by Side", None)),
    ],
)
def test_a_folder_of_one_disc_is_known_by_its_name(folder: str, disc: int | None) -> None:
    box = b"Artist/Box"
    path = box + b"/" + folder.encode(errors="surrogateescape")
    song = Location(RootName("music"), RelativePath(path + b"/CD9.mp3"))
    assert song.disc_number == disc
    assert song.folder.path == path
    assert song.album_folder.path == (path if disc is None else box)


def test_a_root_may_be_the_folder_of_an_album() -> None:
    for path, disc in ((b"CD2/a.mp3", 2), (b"a.mp3", None), (b"CD2.mp3", None)):
        song = Location(RootName("music"), RelativePath(path))
        assert (song.disc_number, song.album_folder.path) == (disc, b"")
