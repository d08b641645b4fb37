"""Documents of the MongoDB store's library to domain values, and back."""

import os
import zlib
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from soundalike.domain.errors import StoreError
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.files import FileProblem, FileStamp, Location, ProblemReason, Root
from soundalike.domain.stored_tracks import StoredTrack, StoredVectors
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import SortField, Track
from soundalike.domain.types import AudioHash, DurationMs, FloatArray, RootName, TrackId
from soundalike.store.keys import search_words, sort_keys
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.encoding import (
    from_optional,
    from_path,
    from_text,
    location_key,
    to_optional,
    to_path,
    to_text,
    to_whole,
    vectors_field,
)

_P = ParamSpec("_P")
_T = TypeVar("_T")

_BLOB_FLOAT = np.dtype("<f4")

TRACK_FIELDS = (
    "root", "path", "target", "size_bytes", "mtime_ns", "audio_hash", "title", "artist", "album", "genre",
    "year", "duration_ms", "media_type", "added_ms", "vanished_ms",
)  # fmt: skip
"""What is read of a track, its ``_id`` besides: neither words nor vectors."""

VECTOR_FIELDS = ("whole", "first_half", "second_half")

KEYS = {
    SortField.TITLE: "title_key",
    SortField.ARTIST: "artist_key",
    SortField.ALBUM: "album_key",
    SortField.YEAR: "year",
    SortField.ADDED: "added_ms",
}
"""The field by which tracks come in each order."""


def telling_damage(read: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make a reader of documents tell of those that hold what was never written."""

    @wraps(read)
    def reader(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return read(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, zlib.error) as error:
            msg = (
                f"the store holds a damaged document ({error}); restore a backup, or name another database "
                "in --store and run 'soundalike extract' again"
            )
            raise StoreError(msg) from error

    return reader


# Roots and problems


def root_to_document(root: Root) -> Document:
    """Return a document of ``roots``."""
    return {"_id": to_text(root.name), "location": to_text(os.fspath(root.location))}


@telling_damage
def root_from_document(document: Document) -> Root:
    """Undo `root_to_document`."""
    return Root(RootName(from_text(document["_id"])), Path(from_text(document["location"])))


def problem_to_document(problem: FileProblem) -> Document:
    """Return a document of ``problems``."""
    stamp = problem.stamp
    return {
        "_id": location_key(problem.location),
        "root": to_text(problem.location.root),
        "path": to_path(problem.location.path),
        "reason": str(problem.reason),
        "heard_ms": problem.analysed_ms,
        "detail": to_text(problem.detail),
        "is_used": problem.is_used,
        "size_bytes": stamp and stamp.size_bytes,
        "mtime_ns": stamp and str(stamp.mtime_ns),
    }


@telling_damage
def problem_from_document(document: Document) -> FileProblem:
    """Undo `problem_to_document`."""
    mtime_ns = document["mtime_ns"]
    return FileProblem(
        location=_location(document),
        reason=ProblemReason(document["reason"]),
        analysed_ms=DurationMs(to_whole(document["heard_ms"])),
        detail=from_text(document["detail"]),
        is_used=bool(document["is_used"]),
        stamp=None if mtime_ns is None else FileStamp(to_whole(document["size_bytes"]), int(mtime_ns)),
    )


# Tracks


def track_to_document(track: Track) -> Document:
    """Return a document of ``tracks`` without its vectors.

    ``mtime_ns`` is decimal text: it passes 2^63 in the year 2262, and files claim such dates.
    """
    keys = sort_keys(track)
    words = [] if track.is_vanished else sorted(search_words(track))
    return {
        "_id": to_text(track.id),
        "root": to_text(track.location.root),
        "path": to_path(track.location.path),
        "target": None if track.target is None else to_text(os.fspath(track.target)),
        "size_bytes": track.stamp.size_bytes,
        "mtime_ns": str(track.stamp.mtime_ns),
        "audio_hash": to_text(track.audio_hash),
        "title": to_text(track.title),
        "artist": to_optional(track.artist),
        "album": to_optional(track.album),
        "genre": to_optional(track.genre),
        "year": track.year,
        "duration_ms": track.duration_ms,
        "media_type": to_text(track.media_type),
        "added_ms": to_ms(track.added_at),
        "vanished_ms": None if track.vanished_at is None else to_ms(track.vanished_at),
        "is_there": not track.is_vanished,
        "words": [to_text(word) for word in words],
    } | {
        KEYS[field]: to_optional(keys[field])  # type: ignore[arg-type] # names have texts for keys
        for field in (SortField.TITLE, SortField.ARTIST, SortField.ALBUM)
    }


@telling_damage
def track_from_document(document: Document) -> Track:
    """Read ``_id`` and `TRACK_FIELDS`."""
    target, year, vanished_ms = document["target"], document["year"], document["vanished_ms"]
    return Track(
        id=TrackId(from_text(document["_id"])),
        location=_location(document),
        target=None if target is None else Path(from_text(target)),
        stamp=FileStamp(to_whole(document["size_bytes"]), int(document["mtime_ns"])),
        audio_hash=AudioHash(from_text(document["audio_hash"])),
        title=from_text(document["title"]),
        artist=from_optional(document["artist"]),
        album=from_optional(document["album"]),
        genre=from_optional(document["genre"]),
        year=None if year is None else to_whole(year),
        duration_ms=DurationMs(to_whole(document["duration_ms"])),
        media_type=from_text(document["media_type"]),
        added_at=from_ms(to_whole(document["added_ms"])),
        vanished_at=None if vanished_ms is None else from_ms(to_whole(vanished_ms)),
    )


@telling_damage
def location_of(document: Document) -> Location:
    """Read where a track or a problem is."""
    return _location(document)


def _location(document: Document) -> Location:
    return Location(RootName(from_text(document["root"])), from_path(document["path"]))


# Vectors


def vectors_to_document(vectors: FeatureVectors) -> Document:
    """Return what stands below a track's ``vectors``."""
    schema = vectors.schema
    return _vectors(
        StoredVectors(
            feature_set=schema.name,
            version=schema.version,
            fingerprint=schema.fingerprint,
            whole=vectors.whole,
            first_half=vectors.first_half,
            second_half=vectors.second_half,
        )
    )


def _vectors(vectors: StoredVectors) -> Document:
    return {
        "feature_set": to_text(vectors.feature_set),
        "version": vectors.version,
        "fingerprint": to_text(vectors.fingerprint),
    } | {part: getattr(vectors, part).astype(_BLOB_FLOAT).tobytes() for part in VECTOR_FIELDS}


@telling_damage
def vectors_from_document(schema: FeatureSchema, document: Document) -> FeatureVectors:
    """Read the vectors of one feature set from below a track's ``vectors``."""
    if document["fingerprint"] != schema.fingerprint:
        msg = f"vectors of other features stand as {schema.key}"
        raise ValueError(msg)
    return FeatureVectors(schema, *(_floats(document[part]) for part in VECTOR_FIELDS))


def stored_to_document(stored: StoredTrack) -> Document:
    """Return a whole document of ``tracks``."""
    by_field = {vectors_field(one.feature_set, one.version): _vectors(one) for one in stored.vectors}
    return track_to_document(stored.track) | {"feature_sets": sorted(by_field), "vectors": by_field}


@telling_damage
def stored_from_document(document: Document) -> StoredTrack:
    """Undo `stored_to_document`."""
    vectors = (_stored_vectors(one) for one in document["vectors"].values())
    return StoredTrack(
        track=track_from_document(document),
        vectors=tuple(sorted(vectors, key=lambda one: (one.feature_set, one.version))),
    )


def _stored_vectors(document: Mapping[str, Any]) -> StoredVectors:
    return StoredVectors(
        feature_set=from_text(document["feature_set"]),
        version=to_whole(document["version"]),
        fingerprint=from_text(document["fingerprint"]),
        **{part: _floats(document[part]) for part in VECTOR_FIELDS},
    )


def _floats(blob: bytes) -> FloatArray:
    floats = np.frombuffer(blob, dtype=_BLOB_FLOAT).astype(np.float32, copy=False)
    floats.setflags(write=False)
    return floats
