"""Conversion of tracks, problems and roots to documents of MongoDB, and back."""

import os
from pathlib import Path
from typing import Any

from soundalike.domain.catalogue import groups_of
from soundalike.domain.entries import EntryKind, Group
from soundalike.domain.files import (
    FileProblem,
    FileStamp,
    Location,
    Part,
    Place,
    ProblemReason,
    Root,
    TrackFile,
)
from soundalike.domain.tags import Tags
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import SortField, Track, TrackEntry
from soundalike.domain.types import AlbumId, ArtistId, AudioHash, DurationMs, GenreId, RootName, TrackId
from soundalike.store.errors import damage_reporter
from soundalike.store.keys import search_words, sort_keys
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.encoding import (
    from_optional,
    from_path,
    from_text,
    join_texts,
    location_key,
    to_integer,
    to_optional,
    to_path,
    to_text,
)
from soundalike.store.mongo.paging import SortKey
from soundalike.store.parts import part_from_text, part_to_text
from soundalike.wire.tags import tags_from_text, tags_text

PLACE_FIELDS = ("root", "path", "part")
ENTRY_FIELDS = (
    "artist_ids", "album_id", "album_artist_id", "genre_ids", "is_compilation", "recording", "is_preferred",
    "preferred_for",
)  # fmt: skip
_FILE_FIELDS = ("target", "size_bytes", "mtime_ns", "tags_stamp", "audio_hash", "media_type")
TRACK_FIELDS = (
    *PLACE_FIELDS, *_FILE_FIELDS, "title", "tags", "imported", "tags_version", "duration_ms", "added_ms",
    "vanished_ms", *ENTRY_FIELDS,
)  # fmt: skip
"""The fields of a track that are read, besides its ``_id``."""

KEYS = {
    SortField.TITLE: SortKey("title_key"),
    SortField.ARTIST: SortKey("artist_key", may_be_missing=True),
    SortField.ALBUM: SortKey("album_key", may_be_missing=True),
    SortField.YEAR: SortKey("year", may_be_missing=True, is_number=True),
    SortField.ADDED: SortKey("added_ms", is_number=True),
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
        "_id": place_key(problem.place),
        "root": to_text(problem.location.root),
        "path": to_path(problem.location.path),
        "part": stored_part(problem.part),
        "reason": str(problem.reason),
        "heard_ms": problem.analysed_ms,
        "detail": to_text(problem.detail),
        "is_used": problem.is_used,
        "size_bytes": stamp and stamp.size_bytes,
        "mtime_ns": stamp and str(stamp.mtime_ns),
        "read_by": to_text(problem.read_by),
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
        part=_part(document.get("part")),  # version 1 knew no parts
        read_by=from_text(document.get("read_by", "")),  # and kept no versions
    )


# Tracks


def track_to_document(track: Track) -> Document:
    """Return a document of ``track``; what is derived of it for look-ups and lists is in it too.

    ``mtime_ns`` is decimal text: it passes 2^63 in the year 2262, and files claim such dates.
    """
    words = [] if track.is_vanished else sorted(search_words(track))
    return {
        "_id": to_text(track.id),
        **_file_to_fields(track.file),
        "has_file": track.has_audio,
        "title": to_text(track.title),
        "tags": tags_text(track.tags),
        "imported": None if track.imported is None else tags_text(track.imported),
        "tags_version": track.tags_version,
        "duration_ms": track.duration_ms,
        "vanished_ms": None if track.vanished_at is None else to_ms(track.vanished_at),
        "is_there": not track.is_vanished,
        "words": [to_text(word) for word in words],
        "groups": sorted(map(group_key, groups_of(track.tags))),
        "external_ids": sorted(join_texts(one.kind, one.value) for one in track.tags.track_ids),
        # For programs of version 1, which read them through a view.
        "artist": to_optional(track.artist),
        "album": to_optional(track.album),
        "genre": to_optional(track.genre),
        "year": track.year,
        **entry_to_fields(track),
    }


def entry_to_fields(track: Track) -> Document:
    """Return a track's entry, and what follows from it."""
    entry = track.entry
    fields: Document = {
        "artist_ids": list(entry.artist_ids),
        "album_id": entry.album_id,
        "album_artist_id": entry.album_artist_id,
        "genre_ids": list(entry.genre_ids),
        "is_compilation": entry.is_compilation,
        "recording": entry.recording,
        "is_preferred": entry.is_preferred,
        "preferred_for": list(entry.preferred_for),
        "credited_ids": sorted(entry.credited_ids),
    }
    for field, key in sort_keys(track).items():
        fields |= KEYS[field].fields(key)
    return fields


def _file_to_fields(file: TrackFile | None) -> Document:
    if file is None:
        return dict.fromkeys((*PLACE_FIELDS, *_FILE_FIELDS))
    return {
        "root": to_text(file.location.root),
        "path": to_path(file.location.path),
        "part": stored_part(file.part),
        "target": None if file.target is None else to_text(os.fspath(file.target)),
        "size_bytes": file.stamp.size_bytes,
        "mtime_ns": str(file.stamp.mtime_ns),
        "tags_stamp": file.tags_stamp,
        "audio_hash": to_text(file.audio_hash),
        "media_type": to_text(file.media_type),
    }


@reports_damage
def track_from_document(document: Document) -> Track:
    """Read ``_id`` and `TRACK_FIELDS`."""
    vanished_ms, imported = document["vanished_ms"], document["imported"]
    return Track(
        id=TrackId(from_text(document["_id"])),
        file=None if document["root"] is None else _file_from_document(document),
        tags=tags_from_text(document["tags"]),
        imported=None if imported is None else tags_from_text(imported),
        tags_version=to_integer(document["tags_version"]),
        entry=_entry(document),
        title=from_text(document["title"]),
        duration_ms=DurationMs(to_integer(document["duration_ms"])),
        added_at=from_ms(to_integer(document["added_ms"])),
        vanished_at=None if vanished_ms is None else from_ms(to_integer(vanished_ms)),
    )


@reports_damage
def entry_from_document(document: Document) -> TrackEntry:
    """Read `ENTRY_FIELDS`."""
    return _entry(document)


@reports_damage
def tags_and_compilation(document: Document) -> tuple[Tags, bool]:
    """Read a track's tags, and whether its album is a compilation."""
    return tags_from_text(document["tags"]), bool(document["is_compilation"])


def _entry(document: Document) -> TrackEntry:
    album, album_artist = from_optional(document["album_id"]), from_optional(document["album_artist_id"])
    return TrackEntry(
        artist_ids=tuple(ArtistId(from_text(one)) for one in document["artist_ids"]),
        album_id=None if album is None else AlbumId(album),
        album_artist_id=None if album_artist is None else ArtistId(album_artist),
        genre_ids=tuple(GenreId(from_text(one)) for one in document["genre_ids"]),
        is_compilation=bool(document["is_compilation"]),
        recording=from_optional(document["recording"]),
        is_preferred=bool(document["is_preferred"]),
        preferred_for=tuple(ArtistId(from_text(one)) for one in document["preferred_for"]),
    )


def _file_from_document(document: Document) -> TrackFile:
    target = document["target"]
    return TrackFile(
        location=_location(document),
        target=None if target is None else Path(from_text(target)),
        stamp=FileStamp(to_integer(document["size_bytes"]), int(document["mtime_ns"])),
        tags_stamp=from_text(document.get("tags_stamp") or ""),  # not there in what migrations read
        audio_hash=AudioHash(from_text(document["audio_hash"])),
        media_type=from_text(document["media_type"]),
        part=_part(document["part"]),
    )


def stored_part(part: Part | None) -> str | None:
    """Return a part as it is stored; None for the whole file."""
    return part_to_text(part) or None


def _part(stored: Any) -> Part | None:  # noqa: ANN401 - a damaged document may have anything
    return None if stored is None else part_from_text(from_text(stored))


def place_key(place: Place) -> str:
    """Return the ``_id`` of ``location`` for a file or a part of one."""
    part = stored_part(place.part)
    if part is None:
        return location_key(place.location)
    return join_texts(place.location.root, to_path(place.location.path), part)


@reports_damage
def place_of(document: Document) -> Place | None:
    """Read `PLACE_FIELDS`; None if the track has no file."""
    if document["root"] is None:
        return None
    return Place(_location(document), _part(document["part"]))


def _location(document: Document) -> Location:
    return Location(RootName(from_text(document["root"])), from_path(document["path"]))


# Groups

_KINDS = tuple(EntryKind)


def group_key(group: Group) -> str:
    """Return the ``_id`` of a group: kind, then key, in the order in which groups are settled."""
    return f"{_KINDS.index(group.kind)}{to_text(group.key)}"


@reports_damage
def group_from_key(key: str) -> Group:
    """Undo `group_key`."""
    return Group(_KINDS[int(key[0])], from_text(key[1:]))
