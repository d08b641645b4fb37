"""A folder with FMA's files of metadata, some of which may be missing."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

from soundalike.domain.errors import FmaError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.fma import SUBSETS, BadRow, FmaTrack, Trouble
from soundalike.domain.tags import Tags
from soundalike.domain.types import DurationMs
from soundalike.fma.features import Batch, find_feature_set, read_features
from soundalike.fma.genres import NO_GENRES, Genres
from soundalike.fma.known_bad import KNOWN_BAD_CLIPS
from soundalike.fma.rows import Row, read_headers, read_rows
from soundalike.fma.tracks import (
    MOST_ARTISTS,
    RAW_TRACKS,
    SMALL_INDEX,
    TRACKS,
    Cells,
    Layout,
    number_of,
    read_track,
)

METADATA = "fma_metadata"
"""The folder in ``fma_metadata.zip``."""

FILES = {
    "tracks.csv": (),
    "raw_tracks.csv": ("raw_tracks_excerpt.csv",),
    "fma_small_index.csv": (),
    "genres.csv": (),
    "features.csv": ("features_excerpt.csv",),
}
"""The files that are read, and what an excerpt of one is called."""

_FMAS_OWN = ("tracks.csv", "raw_tracks.csv", "genres.csv", "features.csv")
_LAYOUTS = {"tracks.csv": TRACKS, "raw_tracks.csv": RAW_TRACKS, "fma_small_index.csv": SMALL_INDEX}


class FmaFolder:
    """The `FmaMetadata` port on files.

    Parameters
    ----------
    directory : Path
        That of the files, or one with ``fma_metadata`` in it, beside folders of audio.

    Raises
    ------
    FmaError
        If none of them is there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._paths: dict[str, Path] = {}
        for name, others in FILES.items():
            places = [
                folder / each for each in (name, *others) for folder in (directory, directory / METADATA)
            ]
            found = next((place for place in places if place.is_file()), None)
            if found is not None:
                self._paths[name] = found
        if not self._paths:
            msg = (
                f"{str(directory)!r} has none of FMA's files ({', '.join(_FMAS_OWN)}); give the folder that "
                "'soundalike fma download metadata' made, or one with these files"
            )
            raise FmaError(msg)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that are there."""
        return tuple(path.name for path in self._paths.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of those of FMA's files that are not."""
        return tuple(name for name in _FMAS_OWN if name not in self._paths)

    @property
    def audio_folders(self) -> tuple[Path, ...]:
        """The folders of audio beside the metadata, such as ``fma_small``."""
        above = self.directory.parent if self.directory.name == METADATA else self.directory
        folders = (above / f"fma_{subset}" for subset in SUBSETS)
        return tuple(folder for folder in folders if folder.is_dir())

    def missing_audio(self, subsets: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
        """Return which tracks each folder of audio lacks, by FMA's id: a larger one has the smaller subsets.

        Parameters
        ----------
        subsets : mapping of str to sequence of int
            The tracks in each subset.
        """
        found: dict[str, list[int]] = {}
        for folder in self.audio_folders:
            last = SUBSETS.index(folder.name.removeprefix("fma_"))
            wanted = [number for subset in SUBSETS[: last + 1] for number in subsets.get(subset, ())]
            lacking = [one for one in wanted if not (folder / f"{one:06}"[:3] / f"{one:06}.mp3").exists()]
            if lacking:
                found[folder.name] = sorted(lacking)
        return found

    def tracks(self) -> Iterator[FmaTrack | BadRow]:
        """Yield every track once, and all that is wrong with the rows; see the port."""
        there = [name for name in _LAYOUTS if name in self._paths]
        if not there:
            return
        main, *others = there
        # What other files say of the same tracks completes it. Where there is tracks.csv, which FMA made of
        # raw_tracks.csv, no other tracks are taken.
        also: defaultdict[int, list[FmaTrack]] = defaultdict(list)
        for name in others:
            is_raw = (main, name) == ("tracks.csv", "raw_tracks.csv")
            for found in self._disc_numbers() if is_raw else self._tracks_of(name):
                if isinstance(found, BadRow):
                    yield found
                else:
                    also[found.number].append(found)
        for found in self._tracks_of(main):
            yield from [found] if isinstance(found, BadRow) else _named(found, also.pop(found.number, []))
        if main != "tracks.csv":
            for first, *more in also.values():
                yield from _named(first, more)

    def feature_set(self) -> FeatureSchema | None:
        """Return which of `FMA_SETS` there is; see the port."""
        path = self._paths.get("features.csv")
        return None if path is None else find_feature_set(path)

    def features(self, schema: FeatureSchema) -> Iterator[Batch | BadRow]:
        """Yield FMA's ids of some tracks with their features; see the port."""
        return read_features(self._paths["features.csv"], schema)

    @cached_property
    def _genres(self) -> Genres:
        path = self._paths.get("genres.csv")
        return NO_GENRES if path is None else Genres.read(path)

    def _tracks_of(self, name: str) -> Iterator[FmaTrack | BadRow]:
        """Yield the tracks of one file, each once."""
        path, layout = self._paths[name], _LAYOUTS[name]
        compilations = self._compilations(path, layout)
        for found in _read_numbered(path, layout):
            if isinstance(found, BadRow):
                yield found
                continue
            line, number, cells = found
            track, troubles = read_track(
                cells, layout, number, genres=self._genres, compilations=compilations.__contains__
            )
            for each in sorted(troubles):
                yield BadRow(path.name, line, each, number)
            yield track

    def _disc_numbers(self) -> Iterator[FmaTrack | BadRow]:
        """Yield the only thing that ``raw_tracks.csv`` says and ``tracks.csv`` does not."""
        path = self._paths["raw_tracks.csv"]
        for found in _read_numbered(path, RAW_TRACKS):
            if isinstance(found, BadRow):
                yield found
            else:
                _, number, cells = found
                yield FmaTrack(number, _of_disc(number_of(cells, RAW_TRACKS.disc_number)), DurationMs(0))

    def _compilations(self, path: Path, layout: Layout) -> frozenset[int]:
        """Return the albums of at least `MOST_ARTISTS` artists, by number."""
        if layout.album_number is None or layout.artist_number is None:
            return frozenset()
        artists: defaultdict[int, set[int]] = defaultdict(set)
        numbers = frozenset((layout.album_number, layout.artist_number))
        for _, cells, _ in _read_cells(path, layout, numbers):
            album, artist = number_of(cells, layout.album_number), number_of(cells, layout.artist_number)
            if album is not None and artist is not None and len(artists[album]) < MOST_ARTISTS:
                artists[album].add(artist)
        return frozenset(album for album, found in artists.items() if len(found) >= MOST_ARTISTS)


def _named(track: FmaTrack, others: list[FmaTrack]) -> Iterator[FmaTrack | BadRow]:
    """Yield a track as all files say, and whether its clip is bad."""
    if track.number in KNOWN_BAD_CLIPS:
        yield BadRow("", 0, Trouble.BAD_CLIP, track.number)
    yield _completed(track, others)


@lru_cache(maxsize=1_000)
def _of_disc(number: int | None) -> Tags:
    return Tags(disc_number=number)


def _completed(track: FmaTrack, others: list[FmaTrack]) -> FmaTrack:
    for other in others:
        tags = track.tags.over(other.tags)
        if other.tags.dataset:
            tags = replace(tags, dataset={**other.tags.dataset, **(track.tags.dataset or {})})
        track = FmaTrack(track.number, tags, track.duration_ms or other.duration_ms)
    return track


def _read_numbered(path: Path, layout: Layout) -> Iterator[tuple[int, int, Cells] | BadRow]:
    """Yield line, FMA's id and columns of the first row of each track, and all that is wrong with rows."""
    seen: set[int] = set()
    for line, cells, found in _read_cells(path, layout, layout.used):
        number, trouble = number_of(cells, layout.number), found
        if number is None:
            trouble = trouble if trouble and not trouble.is_taken else Trouble.NO_ID
        elif number in seen:
            trouble = Trouble.TWICE
        if trouble is not None:
            yield BadRow(path.name, line, trouble, number)
        if number is not None and (trouble is None or trouble.is_taken):
            seen.add(number)
            yield line, number, cells


def _read_cells(
    path: Path, layout: Layout, wanted: Collection[str]
) -> Iterator[tuple[int, Cells, Trouble | None]]:
    """Yield each row's last line, what it has in some columns, and what is wrong with it as a whole."""
    columns = _columns(path, layout)
    places = [(place, column) for place, column in enumerate(columns) if column in wanted]
    for row in read_rows(path):
        if row.cells is not None and row.line <= _MOST_HEADERS and _is_header(row, layout):
            continue
        if row.cells is None or len(row.cells) != len(columns):
            yield row.line, {}, Trouble.TOO_LONG if row.cells is None else Trouble.OTHER_COLUMNS
        else:
            cells = {column: row.cells[place] for place, column in places if row.cells[place]}
            yield row.line, cells, None if row.is_utf8 else Trouble.NOT_UTF8


_MOST_HEADERS = 3


def _is_header(row: Row, layout: Layout) -> bool:
    first = (row.cells or [""])[0]
    return first in {"", layout.number} or (row.line == 1 and layout.number in (row.cells or []))


def _columns(path: Path, layout: Layout) -> list[str]:
    """Return the names of the columns, with their groups where there are two rows of headers.

    Raises
    ------
    FmaError
        If it has not those of FMA's file.
    """
    first, *others = read_headers(path) or [[]]
    columns = first
    if layout is TRACKS and others:
        columns = [".".join(filter(None, each)) for each in zip(first, others[0], strict=False)]
        columns[:1] = [layout.number]
    missing = [each for each in layout.needed if each not in columns]
    if missing:
        named = ", ".join(missing)
        msg = f"{str(path)!r} is not FMA's file of this name: it lacks {named}; is it complete?"
        raise FmaError(msg)
    return columns
