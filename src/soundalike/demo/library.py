"""Writing the demo library: each file completely or not at all; existing files are not changed."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.demo.catalogue import Album, DemoTrack, demo_tracks
from soundalike.demo.cover import draw_cover
from soundalike.demo.studio import Recording
from soundalike.demo.tags import Picture
from soundalike.domain.errors import DemoError
from soundalike.domain.ports.library import OnProgress

MARKER = ".soundalike-demo.json"
"""Marks a folder as a demo library, with its seed."""

TRACK_S = 30.0

_MAX_THREADS = 4  # making a track takes some 100 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLibrary:
    """A demo library on disk.

    Parameters
    ----------
    directory : Path
        Its folder.
    seed : int
        What it was made from.
    track_count, written_count : int
        Tracks in it, and how many of them this run wrote: 0 if all existed.
    album_count : int
        Albums in it.
    artists : tuple of str
        Names of its artists.
    size_bytes : int
        Size of its audio files.
    """

    directory: Path
    seed: int
    track_count: int
    written_count: int
    album_count: int
    artists: tuple[str, ...]
    size_bytes: int


def write_demo_library(directory: Path, *, seed: int = 1, progress: OnProgress | None = None) -> DemoLibrary:
    """Synthesise the demo library, or the tracks that an interrupted run did not write.

    Parameters
    ----------
    directory : Path
        New, empty, or a demo library from the same seed.
    seed : int
        0 or above; the same seed gives the same samples and tags.
    progress : callable, optional
        Called with (existing tracks, all tracks) from this thread.

    Raises
    ------
    DemoError
        If the folder has something else or cannot be written, or the seed is below 0.
    """
    return write_library(directory, demo_tracks(), seed=seed, track_s=TRACK_S, progress=progress)


def write_library(
    directory: Path,
    listed: Sequence[DemoTrack],
    *,
    seed: int,
    track_s: float,
    progress: OnProgress | None = None,
) -> DemoLibrary:
    """Do the same as `write_demo_library` for some tracks, of some length.

    Parameters
    ----------
    directory : Path
        New, empty, or a demo library from the same seed.
    listed : sequence of DemoTrack
        The tracks.
    seed : int
        0 or above.
    track_s : float
        Length of each track.
    progress : callable or None
        Called with (existing tracks, all tracks).

    Raises
    ------
    DemoError
        As `write_demo_library`.
    """
    if seed < 0:
        msg = f"the seed must be 0 or above, not {seed}"
        raise DemoError(msg)
    try:
        with _hold(directory):
            _claim(directory, seed)
            written = _write_missing(directory, listed, seed=seed, track_s=track_s, progress=progress)
            return DemoLibrary(
                directory=directory,
                seed=seed,
                track_count=len(listed),
                written_count=written,
                album_count=len({track.album for track in listed}),
                artists=tuple(dict.fromkeys(track.artist.name for track in listed)),
                size_bytes=sum(directory.joinpath(*track.path).stat().st_size for track in listed),
            )
    except (OSError, UnicodeError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        msg = (
            f"cannot write the demo library to {directory}: {cause}; "
            "choose a folder that you may write to, with 100 MB free, and run it again to continue"
        )
        raise DemoError(msg) from error


@contextlib.contextmanager
def _hold(directory: Path) -> Iterator[None]:
    """Make and lock the folder, so that a second run waits for the first and finds all done."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot lock
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _claim(directory: Path, seed: int) -> None:
    """Mark an empty folder as a demo library; raise if it has anything else."""
    marker = directory / MARKER
    try:
        found = json.loads(marker.read_bytes())
    except FileNotFoundError:
        if {path.name for path in directory.iterdir()} - {_temporary(marker).name}:
            msg = f"{directory} is neither empty nor a demo library; choose a new or empty folder"
            raise DemoError(msg) from None
        _put(marker, json.dumps({"seed": seed}).encode() + b"\n")
        return
    except ValueError:
        found = None
    if not isinstance(found, dict) or "seed" not in found:
        msg = f"{marker} is damaged; delete {directory} or choose another folder"
        raise DemoError(msg)
    if found["seed"] != seed:
        msg = f"{directory} has the demo library of seed {found['seed']}, not {seed}; choose another folder"
        raise DemoError(msg)


def _write_missing(
    directory: Path, listed: Sequence[DemoTrack], *, seed: int, track_s: float, progress: OnProgress | None
) -> int:
    """Write the missing tracks, several at a time, and count them."""
    catalogue = demo_tracks()
    seeds = dict(zip(catalogue, np.random.SeedSequence(seed).spawn(len(catalogue)), strict=True))
    missing = [track for track in listed if not directory.joinpath(*track.path).is_file()]
    there = len(listed) - len(missing)
    if progress is not None:
        progress(there, len(listed))
    # The encoders and NumPy's larger loops release the interpreter lock, so threads are enough.
    pool = ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1))
    try:
        albums = list(dict.fromkeys(track.album for track in missing))
        covers = dict(zip(albums, pool.map(lambda album: _draw_cover(album, seed), albums), strict=True))
        tasks = [
            pool.submit(_record, directory, Recording(track, seeds[track], covers[track.album], track_s))
            for track in missing
        ]
        for task in as_completed(tasks):
            task.result()
            there += 1
            if progress is not None:
                progress(there, len(listed))
    finally:
        pool.shutdown(cancel_futures=True)
    return len(missing)


def _draw_cover(album: Album, seed: int) -> Picture:
    """Draw a cover from the seed and the album's title, independent of all others."""
    return draw_cover(album.design, np.random.default_rng([seed, *album.title.encode()]))


def _record(directory: Path, recording: Recording) -> None:
    path = directory.joinpath(*recording.track.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _put(path, recording.render())


def _put(path: Path, content: bytes) -> None:
    """Write a file under a hidden name, which scans skip, and rename it."""
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
