"""Conversion of tracks, problems and roots to documents of MongoDB, and back."""

import os
from pathlib import Path

from soundalike.domain.files import FileProblem, FileStamp, Location, ProblemReason, Root, TrackFile
from soundalike.domain.tags import Tags
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import SortField, Track
from soundalike.domain.types import AudioHash, DurationMs, RootName, TrackId
from soundalike.store.errors import damage_reporter
from soundalike.store.keys import search_words, sort_keys
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.encoding import (
    from_optional,
    from_path,
    from_text,
    location_key,
    to_integer,
    to_optional,
    to_path,
    to_text,
)

TRACK_FIELDS = (
    "root", "path", "target", "size_bytes", "mtime_ns", "audio_hash", "title", "artist", "album", "genre",
    "year", "duration_ms", "media_type", "added_ms", "vanished_ms",
)  # fmt: skip
"""The fields of a track that are read, besides its ``_id``: not the words."""

KEYS = {
    SortField.TITLE: "title_key",
    SortField.ARTIST: "artist_key",
    SortField.ALBUM: "album_key",
    SortField.YEAR: "year",
    SortField.ADDED: "added_ms",
}
"""The field by which tracks are sorted in each order."""


reports_damage = damage_reporter(
    "the store has a damaged document",
    "restore a backup, or choose another database in --store and run 'soundalike extract' again",
)


# Roots and problems


def root_to_document(root: Root) -> Document:
    """Return a document of ``root``."""
    return {"_id": to_text(root.name), "location": to_text(os.fspath(root.location))}


@reports_damage
def root_from_document(document: Document) -> Root:
    """Read a document of ``root``."""
    return Root(RootName(from_text(document["_id"])), Path(from_text(document["location"])))


def problem_to_document(problem: FileProblem) -> Document:
    """Return a document of ``problem``."""
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


@reports_damage
def problem_from_document(document: Document) -> FileProblem:
    """Read a document of ``problem``."""
    mtime_ns = document["mtime_ns"]
    return FileProblem(
        location=_location(document),
        reason=ProblemReason(document["reason"]),
        analysed_ms=DurationMs(to_integer(document["heard_ms"])),
        detail=from_text(document["detail"]),
        is_used=bool(document["is_used"]),
        stamp=None if mtime_ns is None else FileStamp(to_integer(document["size_bytes"]), int(mtime_ns)),
    )


# Tracks


def track_to_document(track: Track) -> Document:
    """Return a document of ``track``.

    ``mtime_ns`` is decimal text: it passes 2^63 in the year 2262, and files claim such dates.
    """
    keys = sort_keys(track)
    words = [] if track.is_vanished else sorted(search_words(track))
    return {
        "_id": to_text(track.id),
        **_file_to_fields(track.file),
        "title": to_text(track.title),
        "artist": to_optional(track.artist),
        "album": to_optional(track.album),
        "genre": to_optional(track.genre),
        "year": track.year,
        "duration_ms": track.duration_ms,
        "added_ms": to_ms(track.added_at),
        "vanished_ms": None if track.vanished_at is None else to_ms(track.vanished_at),
        "is_there": not track.is_vanished,
        "words": [to_text(word) for word in words],
    } | {
        KEYS[field]: to_optional(keys[field])  # type: ignore[arg-type] # names have texts for keys
        for field in (SortField.TITLE, SortField.ARTIST, SortField.ALBUM)
    }


def _file_to_fields(file: TrackFile | None) -> Document:
    if file is None:
        return dict.fromkeys(("root", "path", "target", "size_bytes", "mtime_ns", "audio_hash", "media_type"))
    return {
        "root": to_text(file.location.root),
        "path": to_path(file.location.path),
        "target": None if file.target is None else to_text(os.fspath(file.target)),
        "size_bytes": file.stamp.size_bytes,
        "mtime_ns": str(file.stamp.mtime_ns),
        "audio_hash": to_text(file.audio_hash),
        "media_type": to_text(file.media_type),
    }


@reports_damage
def track_from_document(document: Document) -> Track:
    """Read ``_id`` and `TRACK_FIELDS`."""
    vanished_ms = document["vanished_ms"]
    return Track(
        id=TrackId(from_text(document["_id"])),
        file=None if document["root"] is None else _file_from_document(document),
        tags=_tags_from_document(document),
        title=from_text(document["title"]),
        duration_ms=DurationMs(to_integer(document["duration_ms"])),
        added_at=from_ms(to_integer(document["added_ms"])),
        vanished_at=None if vanished_ms is None else from_ms(to_integer(vanished_ms)),
    )


def _file_from_document(document: Document) -> TrackFile:
    target = document["target"]
    return TrackFile(
        location=_location(document),
        target=None if target is None else Path(from_text(target)),
        stamp=FileStamp(to_integer(document["size_bytes"]), int(document["mtime_ns"])),
        audio_hash=AudioHash(from_text(document["audio_hash"])),
        media_type=from_text(document["media_type"]),
    )


def _tags_from_document(document: Document) -> Tags:
    """Return the tags that a program of an earlier version read."""
    artist, genre, year = document["artist"], document["genre"], document["year"]
    return Tags(
        title=from_text(document["title"]),
        artists=() if artist is None else (from_text(artist),),
        album=from_optional(document["album"]),
        genres=() if genre is None else (from_text(genre),),
        year=None if year is None else to_integer(year),
    )


@reports_damage
def location_of(document: Document) -> Location | None:
    """Read the location of a track's file, None if it has none."""
    return None if document["root"] is None else _location(document)


def _location(document: Document) -> Location:
    return Location(RootName(from_text(document["root"])), from_path(document["path"]))
