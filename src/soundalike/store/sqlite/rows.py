"""Conversion of tracks, vectors, problems and roots to rows of SQLite, and back."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from soundalike.domain.features import FeatureArray, FeatureSchema, FeatureVectors, whole_and_halves
from soundalike.domain.files import FileProblem, FileStamp, Location, ProblemReason, Root, TrackFile
from soundalike.domain.stored_tracks import StoredVectors
from soundalike.domain.tags import Tags
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import SortField, Track
from soundalike.domain.types import AudioHash, DurationMs, FloatArray, RelativePath, RootName, TrackId
from soundalike.store.errors import damage_reporter
from soundalike.store.keys import sort_keys

Text = str | bytes
"""Text as a parameter: bytes where lone surrogates make it invalid UTF-8, so that it equals no other text."""

_BLOB_FLOAT = np.dtype("<f4")
_PATCHES = whole_and_halves(0, 30_000)  # the tables have three vectors, and no place for more

TRACK_COLUMNS = (
    "id, root, path, target, size_bytes, mtime_ns, audio_hash, title, artist, album, genre, year,"
    " duration_ms, media_type, added_ms, vanished_ms"
)
PROBLEM_COLUMNS = "root, path, reason, heard_ms, detail, is_used, size_bytes, mtime_ns"
VECTOR_COLUMNS = "whole, first_half, second_half"
STORED_COLUMNS = f"name, version, fingerprint, {VECTOR_COLUMNS}"


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


def _to_optional(text: str | None) -> Text | None:
    return None if text is None else to_text(text)


def _from_optional(stored: Text | None) -> str | None:
    return None if stored is None else from_text(stored)


class _TrackRow(NamedTuple):
    """`TRACK_COLUMNS`, in order."""

    id: Text
    root: Text | None
    path: bytes | None
    target: bytes | None
    size_bytes: int | None
    mtime_ns: str | None
    audio_hash: Text | None
    title: Text
    artist: Text | None
    album: Text | None
    genre: Text | None
    year: int | None
    duration_ms: int
    media_type: Text | None
    added_ms: int
    vanished_ms: int | None


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
    """Return every column of a track but its number."""
    keys = sort_keys(track)
    return _TrackRow(
        id=to_text(track.id),
        **_file_to_columns(track.file),
        title=to_text(track.title),
        artist=_to_optional(track.artist),
        album=_to_optional(track.album),
        genre=_to_optional(track.genre),
        year=track.year,
        duration_ms=track.duration_ms,
        added_ms=to_ms(track.added_at),
        vanished_ms=None if track.vanished_at is None else to_ms(track.vanished_at),
    )._asdict() | {
        "title_key": keys[SortField.TITLE],
        "artist_key": keys[SortField.ARTIST],
        "album_key": keys[SortField.ALBUM],
    }


def _file_to_columns(file: TrackFile | None) -> dict[str, Any]:
    if file is None:
        return dict.fromkeys(("root", "path", "target", "size_bytes", "mtime_ns", "audio_hash", "media_type"))
    return {
        "root": to_text(file.location.root),
        "path": file.location.path,
        "target": None if file.target is None else os.fsencode(file.target),
        "size_bytes": file.stamp.size_bytes,
        "mtime_ns": str(file.stamp.mtime_ns),
        "audio_hash": to_text(file.audio_hash),
        "media_type": to_text(file.media_type),
    }


@reports_damage
def track_from_row(columns: tuple[Any, ...]) -> Track:
    """Read `TRACK_COLUMNS`."""
    row = _TrackRow(*columns)
    return Track(
        id=TrackId(from_text(row.id)),
        file=_file_from_row(row),
        tags=_tags_from_row(row),
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
        audio_hash=AudioHash(from_text(row.audio_hash or "")),
        media_type=from_text(row.media_type or ""),
    )


def _tags_from_row(row: _TrackRow) -> Tags:
    """Return the tags that a program of an earlier version read."""
    return Tags(
        title=from_text(row.title),
        artists=() if row.artist is None else (from_text(row.artist),),
        album=_from_optional(row.album),
        genres=() if row.genre is None else (from_text(row.genre),),
        year=row.year,
    )


def problem_to_row(problem: FileProblem) -> tuple[Any, ...]:
    """Return `PROBLEM_COLUMNS`."""
    stamp = problem.stamp
    return (
        *location_to_row(problem.location),
        str(problem.reason),
        problem.analysed_ms,
        to_text(problem.detail),
        problem.is_used,
        stamp and stamp.size_bytes,
        stamp and str(stamp.mtime_ns),
    )


@reports_damage
def problem_from_row(columns: tuple[Any, ...]) -> FileProblem:
    """Read `PROBLEM_COLUMNS`."""
    root, path, reason, analysed_ms, detail, is_used, size_bytes, mtime_ns = columns
    return FileProblem(
        location=Location(RootName(from_text(root)), RelativePath(path)),
        reason=ProblemReason(reason),
        analysed_ms=DurationMs(analysed_ms),
        detail=from_text(detail),
        is_used=bool(is_used),
        stamp=None if mtime_ns is None else FileStamp(size_bytes, int(mtime_ns)),
    )


def vectors_to_row(vectors: StoredVectors) -> tuple[bytes, bytes, bytes]:
    """Return `VECTOR_COLUMNS`."""
    whole, first_half, second_half = vectors.values
    return _to_blob(whole), _to_blob(first_half), _to_blob(second_half)


@reports_damage
def vectors_from_row(schema: FeatureSchema, columns: tuple[bytes, bytes, bytes]) -> FeatureVectors:
    """Read `VECTOR_COLUMNS`."""
    return FeatureVectors(schema, _PATCHES, np.stack([_from_blob(blob) for blob in columns]))


@reports_damage
def stored_vectors_from_row(columns: tuple[Any, ...]) -> StoredVectors:
    """Read `STORED_COLUMNS`."""
    name, version, fingerprint, *blobs = columns
    return StoredVectors(
        feature_set=from_text(name),
        version=int(version),
        fingerprint=from_text(fingerprint),
        patches=_PATCHES,
        values=np.stack([_from_blob(blob) for blob in blobs]),
    )


def _to_blob(vector: FeatureArray) -> bytes:
    return vector.astype(_BLOB_FLOAT).tobytes()


def _from_blob(blob: bytes) -> FloatArray:
    return np.frombuffer(blob, dtype=_BLOB_FLOAT).astype(np.float32, copy=False)
