"""Cursors: where a page of tracks ended, as an opaque word that fits its query and order alone."""

import base64
import binascii
import hashlib
import json

from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Position, Sort
from soundalike.domain.types import TrackId
from soundalike.domain.words import words

_LARGEST_KEY = 2**63


def encode_cursor(position: Position, *, sort: Sort, query: str) -> str:
    """Write a position as an opaque URL-safe word."""
    seal = _seal(position, sort, query)
    text = json.dumps([position.key, position.track_id, seal], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode(errors="replace")).decode().rstrip("=")


def decode_cursor(cursor: str, *, sort: Sort, query: str) -> Position:
    """Read what `encode_cursor` wrote for the same order and query.

    Raises
    ------
    QueryError
        If it is damaged, made up, or belongs to another order or query.
    """
    position = _read(cursor)
    # Whatever is not letter for letter what would be written is damaged.
    if position is None or encode_cursor(position, sort=sort, query=query) != cursor:
        msg = "the cursor is damaged, or belongs to another query or sort; ask for the first page again"
        raise QueryError(msg)
    return position


def _read(cursor: str) -> Position | None:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key, track_id, _ = json.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    is_number = isinstance(key, int) and abs(key) < _LARGEST_KEY
    if not isinstance(track_id, str) or not (key is None or is_number or isinstance(key, str)):
        return None
    return Position(key, TrackId(track_id))


def _seal(position: Position, sort: Sort, query: str) -> str:
    parts = json.dumps([str(sort), words(query), position.key, position.track_id])
    return hashlib.blake2b(parts.encode(), digest_size=6).hexdigest()
