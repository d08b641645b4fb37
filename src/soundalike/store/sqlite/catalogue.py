"""Artists, albums and genres in SQLite."""
# ruff: noqa: S608 - only our own names are inserted into statements

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from soundalike.domain.batches import batched
from soundalike.domain.entries import (
    Album,
    Artist,
    EntryField,
    EntryKind,
    EntryPage,
    EntryPosition,
    EntrySort,
    Genre,
    GenreTags,
    Group,
    SettledGroup,
    Successor,
)
from soundalike.domain.tags import ExternalId
from soundalike.domain.tracks import Track
from soundalike.domain.types import AlbumId, ArtistId, GenreId
from soundalike.store.sqlite.catalogue_tables import (
    ALBUM_COLUMNS,
    ARTIST_COLUMNS,
    GENRE_COLUMNS,
    GroupMarks,
    album_from_row,
    artist_from_row,
    genre_from_row,
    genre_tags_from_row,
    group_columns,
    group_from_columns,
    kind_number,
    last_successor,
    successor_from_row,
    write_successors,
)
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.paging import Listing, page_rows
from soundalike.store.sqlite.rows import TRACK_COLUMNS, Text, from_text, to_text, track_from_row
from soundalike.store.sqlite.tables import next_version, placeholders, select_tracks, write_settled

# So many rows are read at a time, so that no transaction is open while the caller works.
_BATCH = 500

_COLUMNS = {
    EntryField.NAME: "name_key",
    EntryField.TRACKS: "track_count",
    EntryField.ARTIST: "artist_key",
    EntryField.YEAR: "year",
    EntryField.ADDED: "added_ms",
}

_Entry = TypeVar("_Entry", Artist, Album, Genre)


class SqliteCatalogue:
    """The `CatalogueStore` port, but for `find_tracks` and `track_at`, on one SQLite file."""

    _connections: Connections

    def unsettled(self, limit: int) -> dict[Group, int]:
        """Return some groups to be settled, artists first, then genres, then albums, each by key."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT kind, key, mark FROM name_group INDEXED BY groups_unsettled"
                " WHERE mark IS NOT NULL ORDER BY kind, key LIMIT ?",
                (limit,),
            ).fetchall()
        return {group_from_columns(kind, key): int(mark) for kind, key, mark in rows}

    def tracks_in(self, group: Group) -> Iterator[Track]:
        """Yield the tracks of a group, vanished ones too, in any order, in bounded memory."""
        last = 0
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT n, {TRACK_COLUMNS} FROM track_group CROSS JOIN track ON n = track_group.track"
                    " WHERE name_group = (SELECT n FROM name_group WHERE kind = ? AND key = ?)"
                    " AND track_group.track > ? ORDER BY track_group.track LIMIT ?",
                    (*group_columns(group), last, _BATCH),
                ).fetchall()
            yield from (track_from_row(row[1:]) for row in rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def genre_tags(self, group: Group) -> Iterator[GenreTags]:
        """Yield what the tags of a genre's tracks say of genres; those that say the same are counted."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT json_extract(tags, '$.genres') AS genres,"
                " json_extract(tags, '$.genre_parents') AS above, vanished_ms IS NULL AS is_there, count(*)"
                " FROM track_group CROSS JOIN track ON n = track_group.track"
                " WHERE name_group = (SELECT n FROM name_group WHERE kind = ? AND key = ?)"
                " GROUP BY genres, above, is_there",
                group_columns(group),
            ).fetchall()
        yield from map(genre_tags_from_row, rows)

    def save_settled(self, found: Sequence[SettledGroup]) -> None:
        """Store the entries of groups and those of their tracks, instead of what they had; see the port."""
        with self._connections.writing(is_bulk=True) as connection:
            marks = GroupMarks(connection, next_version(connection))
            for one in found:
                write_settled(connection, one, marks)

    def find_artists(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Artist]:
        """Return a page of the artists that have tracks."""
        listing = _listing("artist", sort)
        return self._page(listing, ARTIST_COLUMNS, artist_from_row, sort, limit, after, offset)

    def find_genres(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Genre]:
        """Return a page of the genres that have tracks."""
        listing = _listing("genre", sort)
        return self._page(listing, GENRE_COLUMNS, genre_from_row, sort, limit, after, offset)

    def find_albums(
        self,
        *,
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None = None,
        offset: int = 0,
        artist: ArtistId | None = None,
    ) -> EntryPage[Album]:
        """Return a page of the albums that have tracks, of one artist or of all."""
        listing = _listing("album", sort)
        if artist is not None:
            listing = Listing(
                table="album INDEXED BY albums_by_artist_id",
                column=listing.column,
                where=f"{listing.where} AND artist_id = ?",
                parameters=(to_text(artist),),
                is_indexed=False,
            )
        return self._page(listing, ALBUM_COLUMNS, album_from_row, sort, limit, after, offset)

    def _page(  # noqa: PLR0913, PLR0917 - the parts of a question
        self,
        listing: Listing,
        columns: str,
        from_row: Callable[[tuple[Any, ...]], _Entry],
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None,
        offset: int,
    ) -> EntryPage[_Entry]:
        name = listing.table.partition(" ")[0]
        with self._connections.reading() as connection:
            (total,) = connection.execute(
                f"SELECT count(*) FROM {listing.table} WHERE {listing.where}", listing.parameters
            ).fetchone()
            rows = page_rows(
                connection,
                listing,
                is_descending=sort.is_descending,
                after=None if after is None else (after.key, after.id),
                offset=offset,
                count=limit + 1,
            )
            entries = _entries(connection, name, columns, [one for one, _, _ in rows[:limit]])
        last = rows[limit - 1] if len(rows) > limit else None
        return EntryPage(
            entries=tuple(map(from_row, entries)),
            total=int(total),
            next=None if last is None else EntryPosition(last[1], from_text(last[2])),
        )

    def artist(self, artist_id: ArtistId) -> Artist | None:
        """Return an artist, or the one that its id has given way to, or None."""
        return self._entry(EntryKind.ARTIST, artist_id, ARTIST_COLUMNS, artist_from_row)

    def album(self, album_id: AlbumId) -> Album | None:
        """Return an album, or the one that its id has given way to, or None."""
        return self._entry(EntryKind.ALBUM, album_id, ALBUM_COLUMNS, album_from_row)

    def genre(self, genre_id: GenreId) -> Genre | None:
        """Return a genre, or the one that its id has given way to, or None."""
        return self._entry(EntryKind.GENRE, genre_id, GENRE_COLUMNS, genre_from_row)

    def _entry(
        self, kind: EntryKind, wanted: str, columns: str, from_row: Callable[[tuple[Any, ...]], _Entry]
    ) -> _Entry | None:
        with self._connections.reading() as connection:
            one = last_successor(connection, kind.value, kind, wanted)
            if one is None:
                return None
            (row,) = _entries(connection, kind.value, columns, [one])
        return from_row(row)

    def successors(self) -> Iterator[Successor]:
        """Yield every successor, artists' first, then genres', then albums', by id, in bounded memory."""
        beyond: tuple[int, Text] = (-1, "")
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(
                    "SELECT kind, id, next FROM successor"
                    " WHERE (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?",
                    (*beyond, _BATCH),
                ).fetchall()
            yield from map(successor_from_row, rows)
            if len(rows) < _BATCH:
                return
            beyond = rows[-1][:2]

    def save_successors(self, successors: Collection[Successor]) -> None:
        """Insert some, each new or in place of the one of its id."""
        with self._connections.writing() as connection:
            write_successors(connection, {(one.kind, one.id): one.next for one in successors})

    def remove_successor(self, successor: Successor) -> None:
        """Let an id lead nowhere."""
        with self._connections.writing() as connection:
            connection.execute(
                "DELETE FROM successor WHERE kind = ? AND id = ?",
                (kind_number(successor.kind), to_text(successor.id)),
            )

    def tracks_with_ids(self, ids: Collection[ExternalId]) -> tuple[Track, ...]:
        """Return the tracks that bear any of these ids, vanished ones too, by (added_at, id)."""
        numbers: set[int] = set()
        with self._connections.reading() as connection:
            for one in ids:
                rows = connection.execute(
                    "SELECT track FROM external_id WHERE kind = ? AND value = ?",
                    (one.kind.value, to_text(one.value)),
                )
                numbers.update(number for (number,) in rows)
            found = [
                row
                for batch in batched(numbers, _BATCH)
                for row in select_tracks(connection, f"n IN ({placeholders(batch)})", *batch)
            ]
        return tuple(sorted(map(track_from_row, found), key=lambda track: (track.added_at, track.id)))


def _listing(table: str, sort: EntrySort) -> Listing:
    return Listing(
        table=f"{table} INDEXED BY {table}s_by_{sort.field}",
        column=_COLUMNS[sort.field],
        where="track_count > 0",
    )


def _entries(
    connection: sqlite3.Connection, table: str, columns: str, ids: Collection[str | bytes]
) -> list[tuple[Any, ...]]:
    """Return the rows with these ids, in their order."""
    rows = connection.execute(f"SELECT {columns} FROM {table} WHERE id IN ({placeholders(ids)})", tuple(ids))
    found = {row[0]: row for row in rows}
    return [found[one] for one in ids]
