"""CUE sheets in the folders that a scan walks: whose tracks they are, and what is wrong with them."""

import errno
import os
from pathlib import Path

import pytest

from audio.sounds import cut, music, write
from audio.test_scan import make, paths, scan
from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.files import Analysis, FileProblem, FoundFile, Part, ProblemReason

FIRST, SECOND = Part(0, 300, 75), Part(300, None, 75)


def sheet(*files: str, tracks: int = 2) -> bytes:
    """Return a sheet of files with some tracks each, four seconds long."""
    lines, number = ['TITLE "Album"', 'PERFORMER "Band"'], 0
    for file in files:
        lines.append(f'FILE "{file}" WAVE')
        for track in range(tracks):
            number += 1
            lines += [f"TRACK {number:02} AUDIO", f'TITLE "Title {number}"', f"INDEX 01 00:{4 * track:02}:00"]
    return "\n".join(lines).encode()


def found(directory: Path) -> list[tuple[bytes, Part | None, str | None]]:
    return [
        (bytes(item.location.path), item.part, item.sheet.title if item.sheet else None)
        for item in scan(directory)
        if isinstance(item, FoundFile)
    ]


def split(name: str) -> list[tuple[bytes, Part | None, str | None]]:
    return [(name.encode(), FIRST, "Title 1"), (name.encode(), SECOND, "Title 2")]


def problems(directory: Path) -> list[FileProblem]:
    return [item for item in scan(directory) if isinstance(item, FileProblem)]


@pytest.mark.parametrize(
    ("written", "there", "called"),
    [
        ("Album.wav", "Album.wav", "x.cue"),
        ("Album.wav", "Album.flac", "x.cue"),
        ("ALBUM.WAV", "album.Flac", "x.CUE"),
        ("C:\\rips\\Album.wav", "Album.ape", "x.cue"),
        ("rips/Gr\u00f6\u00dfe.wav", "Gro\u0308\u00dfe.flac", "x.cue"),
        ("Gr\u00f6\u00dfe.wav", "Gr\udcf6\udcdfe.wav", "x.cue"),
        ("CDImage.wav", "Album.flac", "Album.cue"),
        ("CDImage.wav", "Album.flac", "Album.flac.cue"),
    ],
)
def test_an_image_is_found_whatever_its_sheet_calls_it(
    written: str, there: str, called: str, tmp_path: Path
) -> None:
    make(tmp_path / "a" / there)
    make(tmp_path / "a" / "other.mp3")
    make(tmp_path / "a" / called, sheet(written))
    named = os.fsdecode(b"a/" + os.fsencode(there))
    expected = [(os.fsencode(named), *rest) for _, *rest in split("x")]
    assert sorted(found(tmp_path), key=lambda one: one[0] == b"a/other.mp3")[:2] == expected
    assert (b"a/other.mp3", None, None) in found(tmp_path)
    assert problems(tmp_path) == []


def test_the_only_file_is_what_a_sheet_is_about(tmp_path: Path) -> None:
    make(tmp_path / "Some Rip.flac")
    make(tmp_path / "x.cue", sheet("CDImage.wav"))
    assert found(tmp_path) == split("Some Rip.flac")


def test_a_sheet_that_stayed_behind_says_nothing(tmp_path: Path) -> None:
    for name in ("01.mp3", "02.mp3"):
        make(tmp_path / name)
    make(tmp_path / "x.cue", sheet("CDImage.wav"))
    assert found(tmp_path) == [(b"01.mp3", None, None), (b"02.mp3", None, None)]
    assert problems(tmp_path) == []


@pytest.mark.parametrize("name", ["Best Song.mp3", "Best Song.flac", "Best Song.wav"])
def test_nor_does_one_whose_tracks_are_longer_than_the_only_file(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, music(4))
    make(tmp_path / "Old Image.cue", sheet("Old Image.wav", tracks=3))
    assert found(tmp_path) == [(name.encode(), None, None)]
    assert problems(tmp_path) == []


@pytest.mark.parametrize(("written", "called"), [("Album.wav", "x.cue"), ("CDImage.wav", "Album.cue")])
def test_a_sheet_with_a_track_behind_the_end_of_its_file_is_broken(
    written: str, called: str, tmp_path: Path
) -> None:
    write(tmp_path / "Album.flac", music(8))
    make(tmp_path / called, sheet(written, tracks=3))
    assert found(tmp_path) == [(b"Album.flac", None, None)]
    (problem,) = problems(tmp_path)
    assert (problem.location.path, problem.reason) == (called.encode(), ProblemReason.BROKEN_SHEET)
    assert problem.detail == "track 3 begins at 0:08, behind the end of 'Album.flac'"
    write(tmp_path / "Album.flac", music(8.5))
    assert (len(found(tmp_path)), problems(tmp_path)) == (3, [])


def test_another_sheet_counts_where_the_first_cannot_be_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "Album.flac", music(6))
    make(tmp_path / "Album.cue", sheet("Album.flac", tracks=3))
    make(tmp_path / "x.cue", sheet("Album.flac"))
    assert found(tmp_path) == split("Album.flac")
    assert [one.location.path for one in problems(tmp_path)] == [b"Album.cue"]


def test_of_a_file_that_was_cut_the_tracks_that_are_left_are_found(tmp_path: Path) -> None:
    cut(write(tmp_path / "Album.wav", music(9)), 0.6)
    make(tmp_path / "Album.cue", sheet("Album.wav", tracks=3))
    assert len(found(tmp_path)) == 3


def test_a_sheet_of_a_file_for_each_track_only_says_what_they_are_called(tmp_path: Path) -> None:
    for name in ("01.flac", "02.flac"):
        make(tmp_path / name)
    make(tmp_path / "x.cue", sheet("01.wav", "02.wav", "03.wav", tracks=1))
    assert found(tmp_path) == [(b"01.flac", None, "Title 1"), (b"02.flac", None, "Title 2")]


def test_two_sides_are_split_each_by_itself(tmp_path: Path) -> None:
    for name in ("A.flac", "B.flac"):
        make(tmp_path / name)
    make(tmp_path / "x.cue", sheet("A.flac", "B.flac"))
    assert [(name, title) for name, _, title in found(tmp_path)] == [
        (b"A.flac", "Title 1"),
        (b"A.flac", "Title 2"),
        (b"B.flac", "Title 3"),
        (b"B.flac", "Title 4"),
    ]


def test_of_two_sheets_that_which_is_called_like_the_file_counts(tmp_path: Path) -> None:
    make(tmp_path / "Album.flac")
    make(tmp_path / "Album (old).cue", sheet("Album.flac", tracks=3))
    make(tmp_path / "Album.cue", sheet("Album.flac"))
    assert found(tmp_path) == split("Album.flac")


def test_an_ignored_sheet_splits_nothing(tmp_path: Path) -> None:
    make(tmp_path / "Album.flac")
    make(tmp_path / "Album.cue", sheet("Album.flac"))
    make(tmp_path / ".soundalikeignore", b"*.cue")
    assert found(tmp_path) == [(b"Album.flac", None, None)]


def test_tags_are_read_again_once_the_sheet_changes(tmp_path: Path) -> None:
    make(tmp_path / "Album.flac")
    stamps = set()
    for text in (sheet("Album.flac"), sheet("Album.flac").replace(b"Band", b"Bond")):
        make(tmp_path / "x.cue", text)
        stamps |= {item.tags_stamp for item in scan(tmp_path) if isinstance(item, FoundFile)}
    (tmp_path / "x.cue").unlink()
    stamps |= {item.tags_stamp for item in scan(tmp_path) if isinstance(item, FoundFile)}
    assert len(stamps) == 3


@pytest.mark.parametrize("kind", ["nonsense", "fifo", "link"])
def test_a_broken_sheet_is_named_and_the_file_is_whole(kind: str, tmp_path: Path) -> None:
    make(tmp_path / "Album.flac")
    broken = tmp_path / "Album.cue"
    if kind == "nonsense":
        make(broken, b"FILE Album.flac WAVE")
    elif kind == "fifo":
        os.mkfifo(broken)
    else:
        broken.symlink_to("nowhere")
    assert found(tmp_path) == [(b"Album.flac", None, None)]
    (problem,) = problems(tmp_path)
    assert (problem.location.path, problem.reason) == (b"Album.cue", ProblemReason.BROKEN_SHEET)
    assert problem.is_used
    assert problem.detail


def test_a_folder_may_be_called_like_a_sheet(tmp_path: Path) -> None:
    make(tmp_path / "x.cue" / "a.mp3")
    (tmp_path / "y.cue").symlink_to("x.cue")
    assert paths(tmp_path) == [b"x.cue/a.mp3", b"y.cue/a.mp3"]
    assert problems(tmp_path) == []


def test_a_folder_whose_sheet_the_disk_does_not_give_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "a" / "Album.flac")
    make(tmp_path / "b.mp3")
    make(tmp_path / "a" / "Album.cue", sheet("Album.flac"))

    def fail(_path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("soundalike.audio.sheets.open_regular", fail)
    assert found(tmp_path) == [(b"b.mp3", None, None)]
    assert [(one.location.path, one.reason) for one in problems(tmp_path)] == [
        (b"a", ProblemReason.UNREADABLE)
    ]


def test_each_part_is_analysed_as_the_sheet_says(tmp_path: Path) -> None:
    write(tmp_path / "Album.flac", music(9))
    make(tmp_path / "Album.cue", sheet("Album.wav"))
    results = [analyse_file(item, (Timbre(),), {}) for item in scan(tmp_path) if isinstance(item, FoundFile)]
    lengths = {}
    for result in results:
        assert isinstance(result, Analysis)
        assert (result.tags.album, result.tags.artists) == ("Album", ("Band",))
        lengths[result.tags.title, result.tags.track_number] = result.duration_ms
    assert lengths == {("Title 1", 1): 4_000, ("Title 2", 2): 5_000}
