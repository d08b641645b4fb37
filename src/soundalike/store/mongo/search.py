"""Pages of the tracks that match words, from the MongoDB store's indexes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pymongo.database import Database

from soundalike.domain.tracks import Position, Sort, SortField, TrackPage
from soundalike.domain.types import TrackId
from soundalike.store.keys import narrowing_words
from soundalike.store.mongo.connection import LARGEST_INTEGER, Document, Documents, Order
from soundalike.store.mongo.documents import KEYS, TRACK_FIELDS, track_from_document
from soundalike.store.mongo.encoding import from_text, to_text
from soundalike.store.mongo.indexes import TRACKS

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
    rows = _rows(_Question(database[TRACKS], match, KEYS[sort.field]), sort, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    page = rows[:limit]
    if after is None and last is None:
        total = len(page)
    else:
        # What is counted after the page was read may be less by now, but not less than the page.
        total = max(len(page), database[TRACKS].count_documents(match))
    return TrackPage(
        tracks=tuple(map(track_from_document, page)),
        total=total,
        next=None if last is None else _position(last, KEYS[sort.field]),
    )


def _match(words: Sequence[str]) -> Condition:
    """Return what tracks meet that are there and have, for every word, one that begins with it."""
    begun = [{"words": {"$elemMatch": beginning(to_text(word))}} for word in narrowing_words(words)]
    return {"is_there": True, "$and": begun} if begun else {"is_there": True}


def beginning(word: str) -> Condition:
    """Return the range of the texts that begin with a word."""
    beyond = _beyond(word)
    return {"$gte": word} if beyond is None else {"$gte": word, "$lt": beyond}


def _beyond(word: str) -> str | None:
    """Return the least text that comes after every one that begins with a word; None where there is none."""
    kept = word.rstrip(_LAST_LETTER)
    if not kept:
        return None
    last = kept[-1]
    return kept[:-1] + (_AFTER_SURROGATES if last == _BEFORE_SURROGATES else chr(ord(last) + 1))


@dataclass(frozen=True, slots=True)
class _Question:
    """Asks for the tracks that match, by one of their keys.

    Parameters
    ----------
    tracks : Documents
        Where they are.
    match : Condition
        What each meets.
    key : str
        The field that they are ordered by.
    """

    tracks: Documents
    match: Condition
    key: str

    def ask(self, condition: Condition, order: Order, count: int) -> list[Document]:
        """Return the first of those that meet one condition more."""
        if count <= 0:
            return []
        fields = sorted({*TRACK_FIELDS, self.key})
        # One more than needed to a batch, so that the cursor ends with the first.
        found = self.tracks.find(
            {**self.match, **condition}, fields, sort=order, limit=count, batch_size=count + 1
        )
        return list(found)

    def ascending(self, condition: Condition, count: int) -> list[Document]:
        """Return the first by key, ties by id."""
        return self.ask(condition, [(self.key, 1), ("_id", 1)], count)

    def by_id(self, condition: Condition, count: int) -> list[Document]:
        """Return the first by id of those whose key is one and the same."""
        return self.ask(condition, [("_id", 1)], count)

    def descending(self, condition: Condition, count: int) -> list[Document]:
        """Return the last by key, ties by id ascending all the same.

        The index is read backwards, which turns ties around: each tie but the last is whole, and is turned
        back; the last is asked for anew, since it may be cut.
        """
        found = self.ask(condition, [(self.key, -1), ("_id", -1)], count)
        ties = [list(tie)[::-1] for _, tie in groupby(found, key=lambda row: row[self.key])]
        if not ties or len(found) < count:
            return [row for tie in ties for row in tie]
        last = ties.pop()
        whole = [row for tie in ties for row in tie]
        return whole + self.by_id({self.key: last[0][self.key]}, count - len(whole))


def _rows(question: _Question, sort: Sort, after: Position | None, count: int) -> list[Document]:
    """Return the next rows in order: those with a key, then those without; none twice."""
    rows: dict[str, Document] = {}
    for condition, is_tied in _parts(question.key, sort, after):
        if is_tied:
            read = question.by_id
        else:
            read = question.descending if sort.is_descending else question.ascending
        # A track that is changed between two questions may answer both.
        rows |= {row["_id"]: row for row in read(condition, count - len(rows)) if row["_id"] not in rows}
    return list(rows.values())


def _parts(key: str, sort: Sort, after: Position | None) -> Iterator[tuple[Condition, bool]]:
    """Yield the conditions of what follows a position, and whether all that meet one are tied."""
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
    """Return a key that BSON takes; a position may have been made up."""
    if isinstance(key, str):
        return to_text(key)
    return max(-LARGEST_INTEGER, min(key, LARGEST_INTEGER))


def _position(row: Document, key: str) -> Position:
    value = row[key]
    return Position(from_text(value) if isinstance(value, str) else value, TrackId(from_text(row["_id"])))
