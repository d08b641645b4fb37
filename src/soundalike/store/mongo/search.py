"""Pages of the tracks that match words, from the MongoDB store's indexes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pymongo.database import Database

from soundalike.domain.tracks import Position, Sort, SortField, TrackPage
from soundalike.domain.types import TrackId
from soundalike.store.keys import LARGEST_INTEGER, clamped, narrowing_words
from soundalike.store.mongo.connection import Document, Documents, Order
from soundalike.store.mongo.documents import KEYS, TRACK_FIELDS, track_from_document
from soundalike.store.mongo.encoding import from_text, to_text
from soundalike.store.mongo.indexes import TRACK

Condition = Mapping[str, Any]

_NUMBERS = {SortField.YEAR, SortField.ADDED}
_NEVER_MISSING = {SortField.TITLE, SortField.ADDED}
_LAST_LETTER, _BEFORE_SURROGATES, _AFTER_SURROGATES = "\U0010ffff", "\ud7ff", "\ue000"


def find_tracks(
    database: Database[Document],
    words: Sequence[str],
    *,
    sort: Sort,
    limit: int,
    after: Position | None,
) -> TrackPage:
    """Return a page of the tracks that are there and match every word."""
    match = _match(words)
    rows = _rows(_KeyQuery(database[TRACK], match, KEYS[sort.field]), sort, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    page = rows[:limit]
    if after is None and last is None:
        total = len(page)
    else:
        # Tracks may be gone since the page was read, but the total is never less than the page.
        total = max(len(page), database[TRACK].count_documents(match))
    return TrackPage(
        tracks=tuple(map(track_from_document, page)),
        total=total,
        next=None if last is None else _position(last, KEYS[sort.field]),
    )


def _match(words: Sequence[str]) -> Condition:
    """Return the condition of tracks that are there and have, for every word, one that begins with it."""
    prefixes = [{"words": {"$elemMatch": prefix_range(to_text(word))}} for word in narrowing_words(words)]
    return {"is_there": True, "$and": prefixes} if prefixes else {"is_there": True}


def prefix_range(word: str) -> Condition:
    """Return the range of the texts that begin with a word."""
    end = _prefix_end(word)
    return {"$gte": word} if end is None else {"$gte": word, "$lt": end}


def _prefix_end(word: str) -> str | None:
    """Return the smallest text after all that begin with a word, None if there is none."""
    stem = word.rstrip(_LAST_LETTER)
    if not stem:
        return None
    last = stem[-1]
    return stem[:-1] + (_AFTER_SURROGATES if last == _BEFORE_SURROGATES else chr(ord(last) + 1))


@dataclass(frozen=True, slots=True)
class _KeyQuery:
    """Finds the tracks that match, sorted by one of their keys.

    Parameters
    ----------
    tracks : Documents
        Where they are.
    match : Condition
        The condition of each.
    key : str
        The field that they are sorted by.
    """

    tracks: Documents
    match: Condition
    key: str

    def find(self, condition: Condition, order: Order, count: int) -> list[Document]:
        """Return the first of those that also meet another condition."""
        if count <= 0:
            return []
        fields = sorted({*TRACK_FIELDS, self.key})
        # A batch of one more than needed, so that the cursor ends with it.
        found = self.tracks.find(
            {**self.match, **condition}, fields, sort=order, limit=count, batch_size=count + 1
        )
        return list(found)

    def ascending(self, condition: Condition, count: int) -> list[Document]:
        """Return the first by key, ties by id."""
        return self.find(condition, [(self.key, 1), ("_id", 1)], count)

    def by_id(self, condition: Condition, count: int) -> list[Document]:
        """Return the first by id of those that have the same key."""
        return self.find(condition, [("_id", 1)], count)

    def descending(self, condition: Condition, count: int) -> list[Document]:
        """Return the last by key, ties by id ascending.

        The index is read backwards, which reverses ties: each tie but the last is complete, and is
        reversed again; the last is read again by id, since it may be cut off.
        """
        found = self.find(condition, [(self.key, -1), ("_id", -1)], count)
        ties = [list(tie)[::-1] for _, tie in groupby(found, key=lambda row: row[self.key])]
        if not ties or len(found) < count:
            return [row for tie in ties for row in tie]
        last = ties.pop()
        whole = [row for tie in ties for row in tie]
        return whole + self.by_id({self.key: last[0][self.key]}, count - len(whole))


def _rows(query: _KeyQuery, sort: Sort, after: Position | None, count: int) -> list[Document]:
    """Return the next rows in order: those with a key, then those without; no row twice."""
    rows: dict[str, Document] = {}
    for condition, is_tied in _parts(query.key, sort, after):
        by_key = query.descending if sort.is_descending else query.ascending
        read = query.by_id if is_tied else by_key
        # A track that changes between two queries may be found by both.
        rows |= {row["_id"]: row for row in read(condition, count - len(rows)) if row["_id"] not in rows}
    return list(rows.values())


def _parts(key: str, sort: Sort, after: Position | None) -> Iterator[tuple[Condition, bool]]:
    """Yield the conditions of the rows after a position, and whether all rows of one are tied."""
    if after is None:
        yield {key: {"$gte": -LARGEST_INTEGER if sort.field in _NUMBERS else ""}}, False
    elif after.key is None:
        yield {key: None, "_id": {"$gt": to_text(after.track_id)}}, True
        return
    else:
        bound = _bound(after.key)
        yield {key: bound, "_id": {"$gt": to_text(after.track_id)}}, True
        yield {key: {"$lt" if sort.is_descending else "$gt": bound}}, False
    if sort.field not in _NEVER_MISSING:
        yield {key: None}, True


def _bound(key: str | int) -> str | int:
    """Return a key as a condition has it."""
    return to_text(key) if isinstance(key, str) else clamped(key)


def _position(row: Document, key: str) -> Position:
    value = row[key]
    return Position(from_text(value) if isinstance(value, str) else value, TrackId(from_text(row["_id"])))
