"""Cursors: where a page of tracks ended, as opaque text that is valid for its query and order alone."""

import hashlib
import json
from functools import partial

from itsdangerous import Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.exc import BadData

from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Position, Sort
from soundalike.domain.types import TrackId
from soundalike.domain.words import words

# The signature is a checksum: the key is public, so that all processes read each other's cursors.
_KEY = b"soundalike cursor"
_DIGEST = partial(hashlib.blake2b, digest_size=12)
_LARGEST_KEY = 2**63


def encode_cursor(position: Position, *, sort: Sort, query: str) -> str:
    """Return a position as opaque URL-safe text.

    Parameters
    ----------
    position : Position
        The last row of a page.
    sort : Sort
        The order of the list.
    query : str
        Its search; the case and spacing of words does not matter.
    """
    text = json.dumps([position.key, position.track_id], separators=(",", ":"))
    return _signer(sort, query).sign(base64_encode(text)).decode()


def decode_cursor(cursor: str, *, sort: Sort, query: str) -> Position:
    """Read what `encode_cursor` returned for the same order and query.

    Parameters
    ----------
    cursor : str
        The text; any client may have made it up.
    sort, query
        As for `encode_cursor`.

    Raises
    ------
    QueryError
        If it is damaged, made up, or belongs to another order or query.
    """
    position = _read(cursor, _signer(sort, query))
    if position is None:
        msg = "the cursor is damaged, or belongs to another query or sort; ask for the first page again"
        raise QueryError(msg)
    return position


def _signer(sort: Sort, query: str) -> Signer:
    salt = json.dumps([str(sort), words(query)])
    return Signer(_KEY, salt, digest_method=_DIGEST)


def _read(cursor: str, signer: Signer) -> Position | None:
    payload = cursor.encode(errors="replace").rpartition(b".")[0]
    # Compared as text: unlike `unsign`, this refuses a signature with other letters that decodes alike.
    if signer.sign(payload).decode() != cursor:
        return None
    try:
        key, track_id = json.loads(base64_decode(payload))
    except (BadData, ValueError, TypeError, RecursionError):
        return None
    is_number = isinstance(key, int) and abs(key) < _LARGEST_KEY
    if not isinstance(track_id, str) or not (key is None or is_number or isinstance(key, str)):
        return None
    return Position(key, TrackId(track_id))
