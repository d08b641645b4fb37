"""Pages of documents in an order, each by one read of an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import IndexModel

from soundalike.store.mongo.connection import Document, Documents
from soundalike.store.mongo.encoding import from_text, to_text

Condition = Mapping[str, Any]

ALL_THERE: Condition = {"is_there": True}

_MOST_SKIPPED = 2**31 - 1
_DOWN, _UP = -1, 1
_FIRST, _LAST = "0", "1"  # begin texts where some are missing
_BEYOND = 2**53  # no number that is sorted by is so large


@dataclass(frozen=True, slots=True)
class SortKey:
    """What documents are sorted by: missing values last in both directions, ties by ascending id.

    Parameters
    ----------
    field : str
        Its name. MongoDB sorts missing values first, so what may be missing is stored for each direction
        with a value that is last there.
    may_be_missing : bool
        Whether it may be.
    is_number : bool
        Whether it is a number, or else text.
    """

    field: str
    may_be_missing: bool = False
    is_number: bool = False

    def name(self, *, is_descending: bool) -> str:
        """Return the field for a direction."""
        if not self.may_be_missing:
            return self.field
        return f"{self.field}_{'down' if is_descending else 'up'}"

    def order(self, *, is_descending: bool) -> list[tuple[str, int]]:
        """Return fields and directions."""
        return [(self.name(is_descending=is_descending), _DOWN if is_descending else _UP), ("_id", _UP)]

    def fields(self, value: str | int | None) -> Document:
        """Return what is stored of a value."""
        return {
            self.name(is_descending=down): self._stored(value, is_descending=down) for down in (False, True)
        }

    def _stored(self, value: str | int | None, *, is_descending: bool) -> str | int:
        """Return what is stored for a direction; of the wrong type, as in a forged cursor, as missing."""
        if self.is_number:
            last = (-_BEYOND if is_descending else _BEYOND) if self.may_be_missing else 0
            return max(-_BEYOND, min(value, _BEYOND)) if isinstance(value, int) else last
        if not self.may_be_missing:
            return to_text(value) if isinstance(value, str) else ""
        begin, last_text = (_LAST, _FIRST) if is_descending else (_FIRST, _LAST)
        return f"{begin}{to_text(value)}" if isinstance(value, str) else last_text

    def value(self, document: Document, *, is_descending: bool) -> str | int | None:
        """Read it from a document."""
        stored = document[self.name(is_descending=is_descending)]
        if not self.may_be_missing:
            return int(stored) if self.is_number else from_text(stored)
        if stored == self._stored(None, is_descending=is_descending):
            return None
        return int(stored) if self.is_number else from_text(stored)[1:]

    def indexes(self) -> list[IndexModel]:
        """Return an index for each direction of the documents that are there."""
        return [
            IndexModel(
                [("is_there", _UP), *self.order(is_descending=down)], name=self.index_name(is_descending=down)
            )
            for down in (False, True)
        ]

    def index_name(self, *, is_descending: bool) -> str:
        """Return the name of the index for a direction."""
        return f"by_{self.field}{'_down' if is_descending else ''}"

    def after(self, key: str | int | None, last_id: str, *, is_descending: bool) -> Condition:
        """Return the condition of the documents after one: a range of the index, but for ties."""
        name, bound = self.name(is_descending=is_descending), self._stored(key, is_descending=is_descending)
        beyond = "$lt" if is_descending else "$gt"
        return {
            name: {f"{beyond}e": bound},
            "$or": [{name: {beyond: bound}}, {"_id": {"$gt": to_text(last_id)}}],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which part of an order is asked for.

    Parameters
    ----------
    is_descending : bool
        Whether the greatest key is first.
    after : tuple of key and id, or None
        The document after which to begin.
    offset : int
        How many to leave out.
    limit : int
        How many to return at most.
    """

    is_descending: bool
    after: tuple[str | int | None, str] | None
    offset: int
    limit: int


def read_page(
    documents: Documents, match: Condition, key: SortKey, wanted: Slice, fields: Sequence[str] | None = None
) -> tuple[list[Document], int, Document | None]:
    """Return a page, how many documents match, and the last one if there are more.

    Parameters
    ----------
    documents : Documents
        The collection.
    match : Condition
        Of each document.
    key : SortKey
        What they are sorted by.
    wanted : Slice
        Which part.
    fields : sequence of str or None
        What is read; None for all.
    """
    condition = match
    if wanted.after is not None:
        condition = {**match, **key.after(*wanted.after, is_descending=wanted.is_descending)}
    count = wanted.limit + 1
    found = list(
        documents.find(
            condition,
            None if fields is None else sorted({*fields, key.name(is_descending=wanted.is_descending)}),
            sort=key.order(is_descending=wanted.is_descending),
            skip=min(wanted.offset, _MOST_SKIPPED),
            limit=count,
            # A server must not choose another index, and sort everything that is there.
            hint=key.index_name(is_descending=wanted.is_descending) if match == ALL_THERE else None,
            batch_size=count + 1,  # one more than there are, so that the cursor ends with it
        )
    )
    page, more = found[: wanted.limit], found[wanted.limit :]
    if wanted.after is None and not wanted.offset and not more:
        return page, len(page), None
    # Documents may be gone since the page was read, but the total is never less than the page.
    return page, max(len(page), documents.count_documents(match)), page[-1] if more and page else None
