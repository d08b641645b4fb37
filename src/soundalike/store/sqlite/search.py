"""Searching, filtering and paging tracks in SQLite."""
# ruff: noqa: S608 - only our own names are inserted into statements

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from soundalike.domain.entries import EntryKind
from soundalike.domain.tracks import Position, Sort, SortField, Track, TrackFilter, TrackPage
from soundalike.domain.types import TrackId
from soundalike.store.keys import narrowing_words
from soundalike.store.sqlite.catalogue_tables import kind_number
from soundalike.store.sqlite.paging import Listing, page_rows
from soundalike.store.sqlite.rows import TRACK_COLUMNS, from_text, reports_damage, to_text, track_from_row

# Above so many matches, testing the tracks in order until a page is full is faster than sorting all of them.
_MANY = 10_000
_MANY_LISTED = 2_000  # of one artist, album or genre, whose tracks are tested faster

_COLUMNS = {
    SortField.TITLE: "title_key",
    SortField.ARTIST: "artist_key",
    SortField.ALBUM: "album_key",
    SortField.YEAR: "year",
    SortField.ADDED: "added_ms",
}
_THERE = "FROM track INDEXED BY tracks_there WHERE vanished_ms IS NULL"
_NEVER_MISSING = {SortField.TITLE, SortField.ADDED}


def find_tracks(  # noqa: PLR0913 - the parts of a question, by name
    connection: sqlite3.Connection,
    words: Sequence[str],
    *,
    sort: Sort,
    limit: int,
    after: Position | None,
    offset: int,
    only: TrackFilter,
) -> TrackPage:
    """Return a page of the tracks that are there, match every word and meet a filter; see the port."""
    match = _Match.of(connection, narrowing_words(words), only)
    listing = Listing(
        table=f"track {f'INDEXED BY tracks_by_{sort.field}' if match.is_many else 'NOT INDEXED'}",
        column=_COLUMNS[sort.field],
        where="vanished_ms IS NULL" + match.sql,
        parameters=match.parameters,
        number="n",
        is_indexed=match.is_many,
        has_missing=sort.field not in _NEVER_MISSING,
    )
    rows = page_rows(
        connection,
        listing,
        is_descending=sort.is_descending,
        after=None if after is None else (after.key, after.track_id),
        offset=offset,
        count=limit + 1,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return TrackPage(
        tracks=_tracks(connection, [number for number, _, _ in rows[:limit]]),
        total=match.total,
        next=None if last is None else Position(last[1], TrackId(from_text(last[2]))),
    )


@dataclass(frozen=True, slots=True)
class _Flags:
    """Columns of a track that have to be 1, but for those that no track fails."""

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, connection: sqlite3.Connection, only: TrackFilter) -> "_Flags":
        asked = ["is_preferred"] * only.hides_duplicates + ["has_file"] * only.is_playable
        # The first column of the index is given either value, so that the second is found by it too.
        fails = f"SELECT EXISTS (SELECT 1 {_THERE} AND is_preferred IN (0, 1) AND {{}} = 0)"
        return cls(tuple(name for name in asked if _one(connection, fails.format(name))))

    def of_album(self, only: TrackFilter) -> "_Flags":
        """Return those of an album's list: beside an artist's or a genre's, they have the preferred."""
        is_left = only.artist is not None or only.genre is not None
        return _Flags(tuple(name for name in self.names if not is_left or name != "is_preferred"))

    @property
    def sql(self) -> str:
        """The condition; it begins with AND, or is empty."""
        return "".join(f" AND {name} = 1" for name in self.names)

    @property
    def failing(self) -> str:
        """The condition that a track fails."""
        return " OR ".join(f"{name} = 0" for name in self.names)


@dataclass(frozen=True, slots=True)
class _Source:
    """A table that has the numbers of tracks, and a condition on it."""

    table: str
    where: str
    parameters: tuple[Any, ...]

    def has(self, track: str) -> str:
        """Return the condition that it has a track."""
        return f" AND EXISTS (SELECT 1 FROM {self.table} w WHERE w.track = {track} AND {self.where})"


@dataclass(frozen=True, slots=True)
class _Match:
    """The tracks that match a query, as a condition on the tracks' table.

    Parameters
    ----------
    sql : str
        Begins with AND; empty where everything matches.
    parameters : tuple
        Its parameters.
    total : int
        How many match.
    is_many : bool
        Whether to test the tracks in order rather than to sort those that match.
    """

    sql: str
    parameters: tuple[Any, ...]
    total: int
    is_many: bool

    @classmethod
    def of(cls, connection: sqlite3.Connection, words: Iterable[str], only: TrackFilter) -> "_Match":
        flags = _Flags.of(connection, only)
        lists = list(_listed(only, flags))
        sources = [_Source("word", "word >= ? AND word < ?", _range(word)) for word in words] + lists
        if not sources:
            return cls(flags.sql, (), _one(connection, f"SELECT count(*) {_THERE}{flags.sql}"), is_many=True)
        # Read the tracks of the rarest, and look the others up for each.
        counts = [
            _one(connection, f"SELECT count(*) FROM {one.table} WHERE {one.where}", one.parameters)
            for one in sources
        ]
        (total, first), *others = sorted(zip(counts, sources, strict=True), key=lambda pair: pair[0])
        if lists == sources == [first]:
            if total > _MANY_LISTED:
                return cls(first.has("track.n"), first.parameters, total, is_many=True)
            numbers = f"SELECT track FROM {first.table} WHERE {first.where}"
            return cls(f" AND n IN ({numbers})", first.parameters, total, is_many=False)
        # The flags of what is listed are tested with it.
        in_order = [first, *(source for _, source in others)]
        return cls._of_several(connection, in_order, _Flags() if lists else flags)

    @classmethod
    def _of_several(
        cls, connection: sqlite3.Connection, sources: Sequence[_Source], flags: "_Flags"
    ) -> "_Match":
        """Return the tracks that are in every source, of which the first has the fewest."""
        first, *others = sources
        parameters = tuple(value for source in sources for value in source.parameters)
        matching = f"FROM {first.table} WHERE {first.where}" + "".join(
            source.has(f"{first.table}.track") for source in others
        )
        found = connection.execute(
            f"SELECT DISTINCT track {matching} LIMIT {_MANY + 1}", parameters
        ).fetchall()
        if len(found) > _MANY:
            each = "".join(source.has("track.n") for source in sources)
            total = _one(connection, f"SELECT count(DISTINCT track) {matching}", parameters)
            if flags.sql:  # few tracks fail them
                total -= _one(connection, f"SELECT count(*) {_THERE} AND ({flags.failing}){each}", parameters)
            return cls(each + flags.sql, parameters, total, is_many=True)
        numbers = (json.dumps([number for (number,) in found]),)
        sql = f" AND n IN (SELECT value FROM json_each(?)){flags.sql}"
        total = len(found)
        if flags.sql:
            of_those = f"SELECT count(*) FROM track NOT INDEXED WHERE vanished_ms IS NULL{sql}"
            total = _one(connection, of_those, numbers)
        return cls(sql, numbers, total, is_many=False)


def _listed(only: TrackFilter, flags: _Flags) -> Iterator[_Source]:
    """Yield what is asked for of the lists of artists, albums and genres."""
    for kind, wanted in (
        (EntryKind.ALBUM, only.album),
        (EntryKind.ARTIST, only.artist),
        (EntryKind.GENRE, only.genre),
    ):
        if wanted is not None:
            tested = flags.of_album(only) if kind is EntryKind.ALBUM else flags
            where = f"kind = ? AND id = ?{tested.sql}"
            yield _Source("track_entry", where, (kind_number(kind), to_text(wanted)))


def _range(word: str) -> tuple[bytes, bytes]:
    start = word.encode(errors="surrogatepass")
    return start, start + b"\xff"


def _one(connection: sqlite3.Connection, sql: str, parameters: tuple[Any, ...] = ()) -> int:
    return int(connection.execute(sql, parameters).fetchone()[0])


@reports_damage
def _tracks(connection: sqlite3.Connection, numbers: Sequence[int]) -> tuple[Track, ...]:
    sql = f"SELECT n, {TRACK_COLUMNS} FROM track WHERE n IN ({','.join('?' * len(numbers))})"
    found = {row[0]: track_from_row(row[1:]) for row in connection.execute(sql, numbers)}
    return tuple(found[number] for number in numbers)
