"""The demo library on disk: the same from the same seed, and whole after any interruption."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tinytag import TinyTag

from soundalike.demo.catalogue import DemoTrack, demo_tracks
from soundalike.demo.library import MARKER, DemoLibrary, write_library
from soundalike.domain.errors import DemoError

SHORT_S = 1.0
FEW = demo_tracks()[2:42:5]  # every artist, every format


def write(directory: Path, listed: tuple[DemoTrack, ...] = FEW, *, seed: int = 1) -> DemoLibrary:
    return write_library(directory, listed, seed=seed, track_s=SHORT_S)


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def samples(file: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(soundfile.read(io.BytesIO(file), dtype="float32")[0])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoLibrary]:
    directory = tmp_path_factory.mktemp("demo") / "new" / "folder"
    return directory, write(directory, demo_tracks())


def test_the_library_has_forty_tracks_of_six_artists(whole: tuple[Path, DemoLibrary]) -> None:
    directory, library = whole
    assert (library.track_count, library.written_count, len(library.artists)) == (40, 40, 6)
    found = [path for path in directory.rglob("*.*") if path.is_file() and path.name != MARKER]
    assert len(found) == 40
    assert library.size_bytes == sum(path.stat().st_size for path in found)
    assert {path.suffix for path in found} == {".mp3", ".flac", ".ogg"}


def test_every_file_is_stereo_of_its_length_and_stays_within_full_scale(
    whole: tuple[Path, DemoLibrary],
) -> None:
    directory, _ = whole
    for track in demo_tracks():
        sound, rate_hz = soundfile.read(directory.joinpath(*track.path), dtype="float32")
        assert (rate_hz, sound.shape) == (44_100, (round(SHORT_S * 44_100), 2)), track.path
        assert np.isfinite(sound).all()
        assert 0.2 < np.abs(sound).max() <= 1.0, track.path


def test_every_file_says_what_the_catalogue_says(whole: tuple[Path, DemoLibrary]) -> None:
    directory, _ = whole
    for track in demo_tracks():
        path = directory.joinpath(*track.path)
        tags = TinyTag.get(path, image=True)
        assert (tags.title, tags.artist, tags.album) == (track.title, track.artist.name, track.album.title)
        assert (tags.genre, tags.year, tags.track) == (
            track.artist.genre,
            str(track.album.year),
            track.number,
        )
        cover = tags.images.front_cover
        assert cover is not None
        assert cover.data.startswith(b"\x89PNG")
        assert path.name.startswith(f"{track.number:02} ")


def test_the_same_seed_gives_the_same_files(tmp_path: Path, whole: tuple[Path, DemoLibrary]) -> None:
    write(tmp_path / "again", demo_tracks()[5:33:9])
    again, first = files(tmp_path / "again"), files(whole[0])
    tracks = ["/".join(track.path) for track in demo_tracks()[5:33:9]]
    assert [again[name] for name in tracks] == [first[name] for name in tracks]


def test_another_seed_gives_other_music_under_the_same_names(tmp_path: Path) -> None:
    write(tmp_path / "one", FEW[::2], seed=1)
    write(tmp_path / "two", FEW[::2], seed=2)
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one.keys() - {MARKER}:
        assert np.abs(samples(one[name]) - samples(two[name])).max() > 0.01


def test_a_finished_library_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write(tmp_path).written_count == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_what_is_missing_is_written_as_it_was(tmp_path: Path) -> None:
    write(tmp_path)
    before = files(tmp_path)
    for track in FEW[::3]:
        tmp_path.joinpath(*track.path).unlink()
    assert write(tmp_path).written_count == len(FEW[::3])
    assert files(tmp_path) == before


def test_progress_counts_from_what_is_there_to_all(tmp_path: Path) -> None:
    write(tmp_path, FEW)
    tmp_path.joinpath(*FEW[0].path).unlink()
    calls: list[tuple[int, int]] = []
    write_library(tmp_path, FEW, seed=1, track_s=SHORT_S, progress=lambda *call: calls.append(call))
    assert calls == [(len(FEW) - 1, len(FEW)), (len(FEW), len(FEW))]


def test_a_killed_run_is_completed_by_the_next(tmp_path: Path) -> None:
    library = tmp_path / "library"
    script = (
        "from pathlib import Path; from soundalike.demo.library import *;"
        "from soundalike.demo.catalogue import demo_tracks;"
        f"write_library(Path({str(library)!r}), demo_tracks()[2:42:5], seed=1, track_s={SHORT_S})"
    )
    running = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while len(list(library.glob("*/*/[0-9]*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    there = list(library.glob("*/*/[0-9]*"))
    assert there
    assert {samples(path.read_bytes()).shape for path in there} == {(round(SHORT_S * 44_100), 2)}
    assert write(library).written_count == len(FEW) - len(there)
    write(tmp_path / "undisturbed")
    assert files(library) == files(tmp_path / "undisturbed")


def test_a_run_killed_before_it_marked_its_folder_is_continued(tmp_path: Path) -> None:
    (tmp_path / f".{MARKER}.part").write_bytes(b"{")
    assert write(tmp_path, FEW[:1]).written_count == 1


def test_two_runs_at_once_share_the_work(tmp_path: Path) -> None:
    written: list[int] = []
    runs = [threading.Thread(target=lambda: written.append(write(tmp_path).written_count)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(written) == [0, len(FEW)]


def test_a_folder_with_other_things_is_rejected_and_not_changed(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"beach")
    with pytest.raises(DemoError, match="is neither empty nor a demo library; choose"):
        write(tmp_path)
    assert files(tmp_path) == {"holiday.jpg": b"beach"}


def test_a_library_of_another_seed_is_refused(tmp_path: Path) -> None:
    write(tmp_path, FEW[:1], seed=1)
    with pytest.raises(DemoError, match="of seed 1, not 2; choose another folder"):
        write(tmp_path, FEW[:1], seed=2)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_a_damaged_marker_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MARKER).write_bytes(content)
    with pytest.raises(DemoError, match="is damaged; delete"):
        write(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DemoError, match="cannot write the demo library to"):
            write(directory)


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="the seed must be 0 or above, not -1"):
        write(tmp_path, seed=-1)


@pytest.fixture
def nearly_full_disk() -> Iterator[None]:
    """No file may grow beyond 20,000 bytes, less than any track with its cover takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("nearly_full_disk")
def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="with 100 MB free, and run it again to continue"):
        write(tmp_path)
    assert files(tmp_path) == {MARKER: json.dumps({"seed": 1}).encode() + b"\n"}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that this user may not write to; root, who may, becomes nobody."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    yield folder
    os.seteuid(user)


def test_a_folder_that_may_not_be_written_to_is_an_error(locked: Path) -> None:
    with pytest.raises(DemoError, match="Permission denied"):
        write(locked)
