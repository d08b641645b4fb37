"""Statements for the tables of the catalogue in SQLite, each inside a transaction of its caller."""
# ruff: noqa: S608 - only our own names are inserted into statements

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from soundalike.domain.catalogue import groups_of
from soundalike.domain.entries import (
    Album,
    Artist,
    CatalogueEntry,
    EntryField,
    EntryKind,
    Genre,
    GenreTags,
    Group,
    Successor,
)
from soundalike.domain.successions import successions
from soundalike.domain.tags import ExternalId, Tags
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import Track, TrackEntry
from soundalike.domain.types import AlbumId, ArtistId, DurationMs, GenreId
from soundalike.store.keys import entry_key
from soundalike.store.sqlite.rows import (
    ENTRY_COLUMNS,
    Text,
    entry_from_columns,
    from_text,
    reports_damage,
    to_text,
)
from soundalike.wire.tags import tags_from_text

_KINDS = tuple(EntryKind)
_NUMBERS = {kind: number for number, kind in enumerate(EntryKind)}
ARTIST_COLUMNS = "id, key, name, track_count"
GENRE_COLUMNS = "id, key, name, parent_id, track_count"
ALBUM_COLUMNS = "id, key, title, artist_id, artist, is_compilation, year, track_count, duration_ms, added_ms"


def kind_number(kind: EntryKind) -> int:
    """Return a kind as it is stored: in the order in which groups are settled."""
    return _NUMBERS[kind]


# Tracks among groups, entries and external ids


@dataclass(frozen=True, slots=True)
class Placed:
    """What decides where a track stands in the catalogue."""

    tags: Tags
    entry: TrackEntry
    is_there: bool
    has_file: bool

    @classmethod
    def of(cls, track: Track) -> "Placed":
        """Return it of a track."""
        return cls(track.tags, track.entry, not track.is_vanished, track.has_audio)

    def listed(self) -> set[tuple[int, str, bool, bool]]:
        """Return kind and id of every list that it is on, whether it is preferred, whether it has a file."""
        if not self.is_there:
            return set()
        entry = self.entry
        ids: set[tuple[EntryKind, str | None]] = {
            (EntryKind.ALBUM, entry.album_id),
            (EntryKind.ARTIST, entry.album_artist_id),
            *((EntryKind.ARTIST, one) for one in entry.artist_ids),
            *((EntryKind.GENRE, one) for one in entry.genre_ids),
        }
        return {
            (kind_number(kind), one, entry.is_preferred or one in entry.preferred_for, self.has_file)
            for kind, one in ids
            if one is not None
        }


@reports_damage
def read_placed(connection: sqlite3.Connection, number: int) -> Placed:
    """Return where a stored track stands."""
    tags, vanished_ms, has_file, *entry = connection.execute(
        f"SELECT tags, vanished_ms, has_file, {', '.join(ENTRY_COLUMNS)} FROM track WHERE n = ?", (number,)
    ).fetchone()
    return Placed(tags_from_text(tags), entry_from_columns(tuple(entry)), vanished_ms is None, bool(has_file))


class GroupMarks:
    """Marks groups as unsettled in one transaction, each once.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    change : int
        The library's version with it; not used before.
    """

    def __init__(self, connection: sqlite3.Connection, change: int) -> None:
        self.change = change
        self._connection = connection
        self._numbers: dict[Group, int] = {}

    def number(self, group: Group) -> int:
        """Mark a group, and return its number."""
        if group not in self._numbers:
            row = self._connection.execute(
                "INSERT INTO name_group (kind, key, mark) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET mark = excluded.mark RETURNING n",
                (*group_columns(group), self.change),
            ).fetchone()
            self._numbers[group] = int(row[0])
        return self._numbers[group]


def write_place(
    connection: sqlite3.Connection,
    number: int,
    before: Placed | None,
    after: Placed | None,
    marks: GroupMarks,
) -> None:
    """Update groups, lists, external ids and successors for a track, and mark its groups as unsettled.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    number : int
        The track's.
    before : Placed or None
        Where it stood; None for a new track.
    after : Placed or None
        Where it stands; None for one that is removed.
    marks : GroupMarks
        Of the transaction.
    """
    old_groups, old_ids = _groups_and_ids(before)
    new_groups, new_ids = _groups_and_ids(after)
    numbers = {group: marks.number(group) for group in old_groups | new_groups}
    if before is not None:
        connection.executemany(
            "DELETE FROM track_group WHERE name_group = ? AND track = ?",
            [(numbers[group], number) for group in old_groups - new_groups],
        )
        connection.executemany(
            "DELETE FROM external_id WHERE kind = ? AND value = ? AND track = ?",
            [(one.kind.value, to_text(one.value), number) for one in old_ids - new_ids],
        )
    connection.executemany(
        "INSERT OR IGNORE INTO track_group (name_group, track) VALUES (?, ?)",
        [(numbers[group], number) for group in new_groups - old_groups],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO external_id (kind, value, track) VALUES (?, ?, ?)",
        [(one.kind.value, to_text(one.value), number) for one in new_ids - old_ids],
    )
    write_lists(connection, number, before, after)
    if before is not None and after is not None:
        changes = successions(before.tags, after.tags, was_compiled=before.entry.is_compilation)
        write_successors(connection, changes)


def _groups_and_ids(placed: Placed | None) -> tuple[frozenset[Group], frozenset[ExternalId]]:
    return (frozenset(), frozenset()) if placed is None else (groups_of(placed.tags), placed.tags.track_ids)


def write_lists(
    connection: sqlite3.Connection, number: int, before: Placed | None, after: Placed | None
) -> None:
    """Update the lists that a track is on."""
    old = set() if before is None else before.listed()
    new = set() if after is None else after.listed()
    if old:
        connection.executemany(
            "DELETE FROM track_entry WHERE kind = ? AND id = ? AND track = ?",
            [(kind, to_text(one), number) for kind, one, *_ in old - new],
        )
    connection.executemany(
        "INSERT OR REPLACE INTO track_entry (kind, id, track, is_preferred, has_file) VALUES (?, ?, ?, ?, ?)",
        [(kind, to_text(one), number, *flags) for kind, one, *flags in new - old],
    )


def write_successors(connection: sqlite3.Connection, found: Mapping[tuple[EntryKind, str], str]) -> None:
    """Store which ids have given way to which."""
    connection.executemany(
        "INSERT OR REPLACE INTO successor (kind, id, next) VALUES (?, ?, ?)",
        [(kind_number(kind), to_text(one), to_text(other)) for (kind, one), other in found.items()],
    )


def forget_place(connection: sqlite3.Connection, number: int) -> None:
    """Remove a track whose row is damaged from groups, lists and external ids, wherever it stands."""
    for table in ("track_group", "track_entry", "external_id"):
        connection.execute(f"DELETE FROM {table} WHERE track = ?", (number,))


# Groups


def group_columns(group: Group) -> tuple[int, bytes]:
    """Return kind and key; keys are bytes, which sort as Python sorts text."""
    return kind_number(group.kind), group.key.encode(errors="surrogatepass")


def group_from_columns(kind: int, key: bytes) -> Group:
    """Undo `group_columns`."""
    return Group(_KINDS[kind], key.decode(errors="surrogatepass"))


# Entries


def write_entries(
    connection: sqlite3.Connection, kind: EntryKind, of_group: int, entries: Iterable[CatalogueEntry]
) -> None:
    """Replace the entries of a group."""
    connection.execute(f"DELETE FROM {kind.value} WHERE name_group = ?", (of_group,))
    for entry in entries:
        row = {"name_group": of_group, **_entry_to_columns(entry)}
        connection.execute(
            f"INSERT OR REPLACE INTO {_table(entry)} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )


def _table(entry: CatalogueEntry) -> str:
    return {Artist: "artist", Genre: "genre", Album: "album"}[type(entry)]


def _entry_to_columns(entry: CatalogueEntry) -> Mapping[str, Any]:
    columns: dict[str, Any] = {
        "id": to_text(entry.id),
        "key": to_text(entry.key),
        "track_count": entry.track_count,
        "name_key": entry_key(entry, EntryField.NAME),
    }
    if isinstance(entry, Album):
        return columns | {
            "title": to_text(entry.title),
            "artist_id": entry.artist_id,
            "artist": None if entry.artist is None else to_text(entry.artist),
            "is_compilation": entry.is_compilation,
            "year": entry.year,
            "duration_ms": entry.duration_ms,
            "added_ms": to_ms(entry.added_at),
            "artist_key": entry_key(entry, EntryField.ARTIST),
        }
    parent = {"parent_id": entry.parent_id} if isinstance(entry, Genre) else {}
    return columns | parent | {"name": to_text(entry.name)}


@reports_damage
def artist_from_row(columns: tuple[Any, ...]) -> Artist:
    """Read `ARTIST_COLUMNS`."""
    one, key, name, track_count = columns
    return Artist(
        id=ArtistId(from_text(one)), key=from_text(key), name=from_text(name), track_count=int(track_count)
    )


@reports_damage
def genre_from_row(columns: tuple[Any, ...]) -> Genre:
    """Read `GENRE_COLUMNS`."""
    one, key, name, parent, track_count = columns
    return Genre(
        id=GenreId(from_text(one)),
        key=from_text(key),
        name=from_text(name),
        parent_id=None if parent is None else GenreId(from_text(parent)),
        track_count=int(track_count),
    )


@reports_damage
def genre_tags_from_row(columns: tuple[Any, ...]) -> GenreTags:
    """Read genres and their parents, both JSON, whether the tracks are there, and how many there are."""
    genres, parents, is_there, count = columns
    return GenreTags(
        names=tuple(json.loads(genres or "[]")),
        parents=json.loads(parents or "{}"),
        is_there=bool(is_there),
        count=int(count),
    )


@reports_damage
def album_from_row(columns: tuple[Any, ...]) -> Album:
    """Read `ALBUM_COLUMNS`."""
    one, key, title, artist_id, artist, is_compilation, year, track_count, duration_ms, added_ms = columns
    return Album(
        id=AlbumId(from_text(one)),
        key=from_text(key),
        title=from_text(title),
        artist_id=None if artist_id is None else ArtistId(from_text(artist_id)),
        artist=None if artist is None else from_text(artist),
        is_compilation=bool(is_compilation),
        year=year,
        track_count=int(track_count),
        duration_ms=DurationMs(int(duration_ms)),
        added_at=from_ms(added_ms),
    )


@reports_damage
def successor_from_row(columns: tuple[Any, ...]) -> Successor:
    """Read kind, id and next."""
    kind, one, other = columns
    return Successor(_KINDS[kind], from_text(one), from_text(other))


def last_successor(connection: sqlite3.Connection, table: str, kind: EntryKind, wanted: str) -> Text | None:
    """Return an id if its table has it, or the nearest of its successors that is there, or None."""
    one, seen = to_text(wanted), set[Text]()
    while one not in seen:
        if connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (one,)).fetchone():
            return one
        seen.add(one)
        row = connection.execute(
            "SELECT next FROM successor WHERE kind = ? AND id = ?", (kind_number(kind), one)
        ).fetchone()
        if row is None:
            return None
        (one,) = row
    return None
