"""The tracks of version 2 in the table of version 3; their tags are to be read again from the files."""
# ruff: noqa: S608 - only our own names are inserted into statements

import os
import sqlite3
from collections.abc import Mapping
from operator import index
from pathlib import Path
from typing import Any

from soundalike.domain.catalogue import own_entry
from soundalike.domain.files import FileStamp, Location, TrackFile
from soundalike.domain.times import from_ms
from soundalike.domain.tracks import Track
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, RootName, TrackId
from soundalike.store.sqlite.rows import from_text, reports_damage, track_to_row
from soundalike.store.tracks_of_before import Fields, read_or_mend, tags_of_before

_OLD = (
    "id", "root", "path", "target", "size_bytes", "mtime_ns", "audio_hash", "title", "artist", "album",
    "genre", "year", "duration_ms", "media_type", "added_ms", "vanished_ms",
)  # fmt: skip


def fill_tracks(connection: sqlite3.Connection) -> None:
    """Insert the tracks of version 2, each with the entry that its own tags give."""
    before, connection.text_factory = connection.text_factory, _text_or_bytes
    rows = connection.execute(f"SELECT n, {', '.join(_OLD)} FROM tracks ORDER BY n")
    for number, *columns in rows:
        row = {"n": number, "change": 1, **_row(dict(zip(_OLD, columns, strict=True)))}
        connection.execute(
            f"INSERT INTO track ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
    connection.text_factory = before


def _text_or_bytes(stored: bytes) -> str | bytes:
    """Return text; that which is damaged as it is, since sqlite3 would stop at it."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _row(old: Fields) -> Mapping[str, Any]:
    return track_to_row(read_or_mend(old, _track, name=str(old["id"])))


@reports_damage
def _track(old: Fields) -> Track:
    tags = tags_of_before(old, from_text)
    vanished_ms = old["vanished_ms"]
    return Track(
        id=TrackId(from_text(old["id"])),
        file=None if old["root"] is None else _file(old),
        tags=tags,
        tags_version=0,
        entry=own_entry(tags),
        title=from_text(old["title"]),
        duration_ms=DurationMs(index(old["duration_ms"])),
        added_at=from_ms(index(old["added_ms"])),
        vanished_at=None if vanished_ms is None else from_ms(index(vanished_ms)),
    )


def _file(old: Fields) -> TrackFile:
    target = old["target"]
    return TrackFile(
        location=Location(RootName(from_text(old["root"])), RelativePath(bytes(memoryview(old["path"])))),
        target=None if target is None else Path(os.fsdecode(target)),
        stamp=FileStamp(index(old["size_bytes"]), int(old["mtime_ns"])),
        audio_hash=AudioHash(from_text(old["audio_hash"])),
        media_type=from_text(old["media_type"]),
    )
