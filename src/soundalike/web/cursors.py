"""Cursors: where a page of a list ended, as opaque text that is valid for that list alone."""

import hashlib
import json
from dataclasses import asdict
from functools import partial

from itsdangerous import Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.exc import BadData

from soundalike.domain.entries import EntryKind, EntryPosition, EntrySort
from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import EVERY_TRACK, Position, Sort, TrackFilter
from soundalike.domain.types import TrackId
from soundalike.domain.words import words

# The signature is a checksum: the key is public, so that all processes read each other's cursors.
_KEY = b"soundalike cursor"
_DIGEST = partial(hashlib.blake2b, digest_size=12)
_LARGEST_KEY = 2**63

_LastRow = tuple[str | int | None, str]
"""The key and the id of the last row."""


class TrackCursors:
    """Cursors of a list of tracks.

    Parameters
    ----------
    sort : Sort
        The order of the list.
    query : str
        Its search; the case and spacing of words does not matter.
    only : TrackFilter
        Which tracks it has.
    """

    def __init__(self, *, sort: Sort, query: str = "", only: TrackFilter = EVERY_TRACK) -> None:
        self._signer = _signer([str(sort), words(query), asdict(only)])

    def encode(self, position: Position | None) -> str | None:
        """Return where a page ended as opaque URL-safe text, None for the last page."""
        return None if position is None else _encode((position.key, position.track_id), self._signer)

    def decode(self, cursor: str | None) -> Position | None:
        """Read what `encode` returned for the same list; any client may have made it up.

        Raises
        ------
        QueryError
            If it is damaged, made up, or belongs to another list.
        """
        if cursor is None:
            return None
        key, track_id = _decode(cursor, self._signer)
        return Position(key, TrackId(track_id))


class EntryCursors:
    """Cursors of a list of artists, albums or genres.

    Parameters
    ----------
    kind : EntryKind
        What is listed.
    sort : EntrySort
        The order of the list.
    of : str or None
        The artist whose albums it has.
    """

    def __init__(self, kind: EntryKind, *, sort: EntrySort, of: str | None = None) -> None:
        self._signer = _signer([kind.value, str(sort), of])

    def encode(self, position: EntryPosition | None) -> str | None:
        """Return where a page ended; see `TrackCursors.encode`."""
        return None if position is None else _encode((position.key, position.id), self._signer)

    def decode(self, cursor: str | None) -> EntryPosition | None:
        """Read what `encode` returned; see `TrackCursors.decode`."""
        return None if cursor is None else EntryPosition(*_decode(cursor, self._signer))


def _signer(about: list[object]) -> Signer:
    return Signer(_KEY, json.dumps(about), digest_method=_DIGEST)


def _encode(row: _LastRow, signer: Signer) -> str:
    return signer.sign(base64_encode(json.dumps(row, separators=(",", ":")))).decode()


def _decode(cursor: str, signer: Signer) -> _LastRow:
    row = _read(cursor, signer)
    if row is None:
        msg = "the cursor is damaged, or belongs to another query or sort; ask for the first page again"
        raise QueryError(msg)
    return row


def _read(cursor: str, signer: Signer) -> _LastRow | None:
    payload = cursor.encode(errors="replace").rpartition(b".")[0]
    # Compared as text: unlike `unsign`, this refuses a signature with other letters that decodes alike.
    if signer.sign(payload).decode() != cursor:
        return None
    try:
        key, row_id = json.loads(base64_decode(payload))
    except (BadData, ValueError, TypeError, RecursionError):
        return None
    is_number = isinstance(key, int) and abs(key) < _LARGEST_KEY
    if not isinstance(row_id, str) or not (key is None or is_number or isinstance(key, str)):
        return None
    return key, row_id
