"""Conversion of tracks, problems and roots to rows of SQLite, and back."""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from soundalike.domain.files import (
    FileProblem,
    FileStamp,
    Location,
    ProblemReason,
    Root,
    TrackFile,
)
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import SortField, Track, TrackEntry
from soundalike.domain.types import (
    AlbumId,
    ArtistId,
    AudioHash,
    DurationMs,
    GenreId,
    RelativePath,
    RootName,
    TrackId,
)
from soundalike.store.errors import damage_reporter
from soundalike.store.keys import sort_keys
from soundalike.store.parts import part_from_text, part_to_text
from soundalike.wire.tags import tags_from_text, tags_text

Text = str | bytes
"""Text as a parameter: bytes where lone surrogates make it invalid UTF-8, so that it equals no other text."""

_FILE_COLUMNS = ("root", "path", "target", "size_bytes", "mtime_ns", "tags_stamp", "audio_hash", "media_type")

PROBLEM_COLUMNS = "root, path, part, reason, heard_ms, detail, is_used, size_bytes, mtime_ns, read_by"


reports_damage = damage_reporter(
    "the store's file is damaged",
    "put a backup in its place, or move it away and run 'soundalike extract' again",
)


def to_text(text: str) -> Text:
    """Return text in a form that SQLite stores, whatever it contains."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
    return text


def from_text(stored: Text) -> str:
    """Undo `to_text`."""
    return stored if isinstance(stored, str) else stored.decode(errors="surrogatepass")


class _TrackRow(NamedTuple):
    """`TRACK_COLUMNS`, in order."""

    id: Text
    root: Text | None
    path: bytes | None
    part: str
    target: bytes | None
    size_bytes: int | None
    mtime_ns: str | None
    tags_stamp: str | None
    audio_hash: Text | None
    media_type: Text | None
    title: Text
    tags: str
    imported: str | None
    tags_version: int
    duration_ms: int
    added_ms: int
    vanished_ms: int | None
    artist_ids: str
    album_id: str | None
    album_artist_id: str | None
    genre_ids: str
    is_compilation: int
    recording: str | None
    is_preferred: int
    preferred_for: str


TRACK_COLUMNS = ", ".join(_TrackRow._fields)
ENTRY_COLUMNS = _TrackRow._fields[-8:]


def root_to_row(root: Root) -> tuple[Text, bytes]:
    """Return name and location."""
    return to_text(root.name), os.fsencode(root.location)


@reports_damage
def root_from_row(columns: tuple[Text, bytes]) -> Root:
    """Read name and location."""
    name, location = columns
    return Root(RootName(from_text(name)), Path(os.fsdecode(location)))


def location_to_row(location: Location) -> tuple[Text, bytes]:
    """Return root and path."""
    return to_text(location.root), location.path


def track_to_row(track: Track) -> Mapping[str, Any]:
    """Return every column of a track but its number and its change."""
    tags = tags_text(track.tags)
    imported = None if track.imported is None else tags
    if track.imported is not None and track.imported is not track.tags:
        imported = tags_text(track.imported)
    return _TrackRow(
        id=to_text(track.id),
        **_file_to_columns(track.file),
        title=to_text(track.title),
        tags=tags,
        imported=imported,
        tags_version=track.tags_version,
        duration_ms=track.duration_ms,
        added_ms=to_ms(track.added_at),
        vanished_ms=None if track.vanished_at is None else to_ms(track.vanished_at),
        **entry_to_columns(track.entry),
    )._asdict() | {"has_file": track.has_audio, **keys_to_columns(track)}


def keys_to_columns(track: Track) -> dict[str, Any]:
    """Return the columns by which tracks are sorted, but the time at which they were added."""
    keys = sort_keys(track)
    return {
        "title_key": keys[SortField.TITLE],
        "artist_key": keys[SortField.ARTIST],
        "album_key": keys[SortField.ALBUM],
        "year": keys[SortField.YEAR],
    }


def _file_to_columns(file: TrackFile | None) -> dict[str, Any]:
    if file is None:
        return {**dict.fromkeys(_FILE_COLUMNS), "part": ""}
    return {
        "root": to_text(file.location.root),
        "path": file.location.path,
        "part": part_to_text(file.part),
        "target": None if file.target is None else os.fsencode(file.target),
        "size_bytes": file.stamp.size_bytes,
        "mtime_ns": str(file.stamp.mtime_ns),
        "tags_stamp": file.tags_stamp,
        "audio_hash": to_text(file.audio_hash),
        "media_type": to_text(file.media_type),
    }


def entry_to_columns(entry: TrackEntry) -> dict[str, Any]:
    """Return the columns of a track's entry."""
    return {
        "artist_ids": " ".join(entry.artist_ids),
        "album_id": entry.album_id,
        "album_artist_id": entry.album_artist_id,
        "genre_ids": " ".join(entry.genre_ids),
        "is_compilation": entry.is_compilation,
        "recording": entry.recording,
        "is_preferred": entry.is_preferred,
        "preferred_for": " ".join(entry.preferred_for),
    }


# Those that a listener played lately are read with each of their questions; a row says all of a track.
@lru_cache(maxsize=4_096)
@reports_damage
def track_from_row(columns: tuple[Any, ...]) -> Track:
    """Read `TRACK_COLUMNS`."""
    row = _TrackRow(*columns)
    return Track(
        id=TrackId(from_text(row.id)),
        file=_file_from_row(row),
        tags=tags_from_text(row.tags),
        imported=None if row.imported is None else tags_from_text(row.imported),
        tags_version=row.tags_version,
        entry=_entry_from_row(row),
        title=from_text(row.title),
        duration_ms=DurationMs(row.duration_ms),
        added_at=from_ms(row.added_ms),
        vanished_at=None if row.vanished_ms is None else from_ms(row.vanished_ms),
    )


def _file_from_row(row: _TrackRow) -> TrackFile | None:
    if row.root is None or row.path is None:
        return None
    return TrackFile(
        location=Location(RootName(from_text(row.root)), RelativePath(row.path)),
        target=None if row.target is None else Path(os.fsdecode(row.target)),
        stamp=FileStamp(int(row.size_bytes or 0), int(row.mtime_ns or 0)),
        tags_stamp=row.tags_stamp or "",
        audio_hash=AudioHash(from_text(row.audio_hash or "")),
        media_type=from_text(row.media_type or ""),
        part=part_from_text(row.part),
    )


def _entry_from_row(row: _TrackRow) -> TrackEntry:
    return entry_from_columns(row[-len(ENTRY_COLUMNS) :])


def entry_from_columns(columns: tuple[Any, ...]) -> TrackEntry:
    """Read `ENTRY_COLUMNS`."""
    artists, album, album_artist, genres, is_compilation, recording, is_preferred, preferred_for = columns
    return TrackEntry(
        artist_ids=tuple(map(ArtistId, artists.split())),
        album_id=None if album is None else AlbumId(album),
        album_artist_id=None if album_artist is None else ArtistId(album_artist),
        genre_ids=tuple(map(GenreId, genres.split())),
        is_compilation=bool(is_compilation),
        recording=recording,
        is_preferred=bool(is_preferred),
        preferred_for=tuple(map(ArtistId, preferred_for.split())),
    )


def problem_to_row(problem: FileProblem) -> tuple[Any, ...]:
    """Return `PROBLEM_COLUMNS`."""
    stamp = problem.stamp
    return (
        *location_to_row(problem.location),
        part_to_text(problem.part),
        str(problem.reason),
        problem.analysed_ms,
        to_text(problem.detail),
        problem.is_used,
        stamp and stamp.size_bytes,
        stamp and str(stamp.mtime_ns),
        to_text(problem.read_by),
    )


@reports_damage
def problem_from_row(columns: tuple[Any, ...]) -> FileProblem:
    """Read `PROBLEM_COLUMNS`."""
    root, path, part, reason, analysed_ms, detail, is_used, size_bytes, mtime_ns, read_by = columns
    return FileProblem(
        location=Location(RootName(from_text(root)), RelativePath(path)),
        reason=ProblemReason(reason),
        analysed_ms=DurationMs(analysed_ms),
        detail=from_text(detail),
        is_used=bool(is_used),
        stamp=None if mtime_ns is None else FileStamp(size_bytes, int(mtime_ns)),
        part=part_from_text(part),
        read_by=from_text(read_by),
    )
