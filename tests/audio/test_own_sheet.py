"""CUE sheets inside files, as a tag or as a block of FLAC."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutagen import flac

from audio.sounds import FILE_RATE, found, music, write
from audio.test_cue import IMAGE
from soundalike.audio.features.timbre import Timbre
from soundalike.audio.own_sheet import read_own_parts
from soundalike.audio.pool import ProcessAnalyser
from soundalike.domain.files import Analysis, OwnParts, Part
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return an album of a little music and much silence, as long as `IMAGE` says and some seconds more."""
    samples = np.zeros(430 * FILE_RATE, np.float32)
    samples[: 2 * FILE_RATE] = music(2)[:, 0]
    return write(tmp_path_factory.mktemp("album") / "image.flac", samples).read_bytes()


@pytest.fixture
def image(sound: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "image.flac"
    path.write_bytes(sound)
    return path


def parts_of(path: Path) -> list[tuple[Part, str | None]]:
    result = read_own_parts(found(path))
    return [(part, tags.title) for part, tags in result.parts] if isinstance(result, OwnParts) else []


def with_tag(path: Path, text: str) -> Path:
    file = flac.FLAC(path)
    file["CUESHEET"] = text
    file.save()
    return path


def with_block(path: Path, *starts: int) -> Path:
    """Add a block with tracks that begin two seconds into theirs, and a lead-out."""
    file = flac.FLAC(path)
    sheet = flac.CueSheet(None)
    for number, start in enumerate(starts, 1):
        track = flac.CueSheetTrack(number, start, isrc=b"GBAYE7300001" if number == 1 else b"")
        track.indexes = [flac.CueSheetTrackIndex(0, 0), flac.CueSheetTrackIndex(1, 2 * FILE_RATE)]
        sheet.tracks.append(track)
    sheet.tracks.append(flac.CueSheetTrack(170, 10 * FILE_RATE))
    file.metadata_blocks.append(sheet)
    file.cuesheet = sheet
    file.save()
    return path


def test_a_tag_makes_the_tracks(image: Path) -> None:
    assert parts_of(with_tag(image, IMAGE)) == [
        (Part(0, 13_687, 75), "\u00d6ne"),
        (Part(13_687, 31_574, 75), "Two Words"),
        (Part(31_574, None, 75), "Track 3"),
    ]


def test_a_block_makes_the_tracks_in_samples(image: Path) -> None:
    result = read_own_parts(found(with_block(image, 0, 4 * FILE_RATE)))
    assert result is not None
    isrc = ExternalId(ExternalIdKind.ISRC, "GBAYE7300001")
    first = Tags(title="Track 1", track_number=1, external_ids=(isrc,))
    assert result.parts == (
        (Part(2 * FILE_RATE, 6 * FILE_RATE, FILE_RATE), first),
        (Part(6 * FILE_RATE, None, FILE_RATE), Tags(title="Track 2", track_number=2)),
    )


@pytest.mark.parametrize("text", ["", "nonsense", IMAGE.partition("  TRACK 02")[0], "FILE a WAVE\n" * 3])
def test_what_makes_no_tracks_leaves_the_file_whole(text: str, image: Path) -> None:
    assert parts_of(with_tag(image, text)) == []


@pytest.mark.parametrize("starts", [(0,), (5, 3), (5, 5)])
def test_a_block_of_one_track_or_out_of_order_leaves_the_file_whole(
    starts: tuple[int, ...], image: Path
) -> None:
    assert parts_of(with_block(image, *starts)) == []


@pytest.mark.parametrize("where", ["tag", "block"])
def test_a_sheet_with_a_track_behind_the_end_leaves_the_file_whole(where: str, image: Path) -> None:
    if where == "tag":
        with_tag(image, IMAGE.replace("07:00:74", "07:20:00"))
    else:
        with_block(image, 0, 428 * FILE_RATE)  # and two seconds on is its INDEX 01
    assert parts_of(image) == []


def test_a_file_that_is_cut_in_its_block_is_whole(image: Path) -> None:
    whole = with_block(image, 0, 4 * FILE_RATE).read_bytes()
    lengths = set()
    for end in range(0, 900, 7):
        image.write_bytes(whole[:end])
        lengths.add(len(parts_of(image)))
    assert lengths == {0, 2}


def test_neither_a_part_nor_a_file_with_a_sheet_beside_it_is_looked_into(image: Path) -> None:
    file = found(with_tag(image, IMAGE))
    assert read_own_parts(replace(file, sheet=Tags())) is None
    assert read_own_parts(replace(file, part=Part(0, 1, 1))) is None
    assert read_own_parts(replace(file, real_path=image.with_name("gone.flac"))) is None


def test_a_worker_returns_the_parts_and_analyses_each(image: Path) -> None:
    file = found(with_tag(image, IMAGE.replace("03:02:37", "00:01:00").replace("07:00:74", "00:03:00")))
    analyser = ProcessAnalyser(1)
    ((_, result),) = analyser.analyse([file], sets=[Timbre().schema], known={})
    assert isinstance(result, OwnParts)
    parts = [replace(file, part=part, sheet=tags) for part, tags in result.parts[:1]]
    ((_, analysed),) = analyser.analyse(parts, sets=[Timbre().schema], known={})
    assert isinstance(analysed, Analysis)
    assert (analysed.tags.title, analysed.duration_ms) == ("\u00d6ne", 1_000)
