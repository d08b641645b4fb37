"""Records of a shared log: what was listened to and who is to be forgotten, as bytes under a key.

The key is the user, so that whoever keeps one key's records in order keeps a user's. A value is JSON that
names its version and type; only `record_value` writes it, from domain values, so nothing that a client
sends can come to be an erasure.
"""

import json
from dataclasses import replace
from typing import Any

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogEntry, LogRecord
from soundalike.domain.types import TrackId, UserId
from soundalike.wire.listens import MAX_ID_LENGTH, entry_body, entry_from

RECORD_VERSION = 1

MAX_RECORD_BYTES = 16 * 1024
"""Ours are much shorter: ids and names have bounds."""

MAX_AHEAD_MS = 24 * 3600 * 1000
"""How far a record may be dated after it was sent.

The server that took it allowed minutes, by its own clock; a day leaves room for clocks that differ, and is
short of what would settle a profile for good.
"""

_LISTEN, _ERASURE = "listen", "erasure"
_ERASURE_MARK = b'"erasure"'


def user_of(record: LogRecord) -> UserId:
    """Return whose record it is."""
    return record.user_id if isinstance(record, Listen) else record.erasure.user_id


def record_key(record: LogRecord) -> bytes:
    """Return the key under which a record stands in the log."""
    return user_of(record).encode()


def record_value(record: LogRecord) -> bytes:
    """Return a record as it stands in the log."""
    body: dict[str, Any] = {"version": RECORD_VERSION}
    if isinstance(record, Listen):
        body |= {"type": _LISTEN, **entry_body(record)}
    else:
        body |= {"type": _ERASURE, **entry_body(record.erasure), "is_total": record.is_total}
    return json.dumps(body, separators=(",", ":")).encode()


def may_be_erasure(value: bytes | None) -> bool:
    """Whether a value is worth reading by whoever looks for erasures alone."""
    return value is not None and _ERASURE_MARK in value


def record_from(key: bytes | None, value: bytes | None) -> LogRecord:
    """Read what `record_key` and `record_value` wrote.

    Raises
    ------
    ListenError
        If it is anything else.
    """
    body = _body(value)
    version, kind = body.get("version"), body.get("type")
    if version != RECORD_VERSION or isinstance(version, bool):
        msg = f"its version is not {RECORD_VERSION}, the only one that is known here"
        raise ListenError(msg)
    is_erasure = kind == _ERASURE
    if not (is_erasure or kind == _LISTEN) or is_erasure != ("erased_until" in body):
        msg = "its type is neither listen nor erasure, or it is not what its type says"
        raise ListenError(msg)
    entry = _entry(body)
    if entry.user_id.encode() != key:
        msg = "its key is not its user"
        raise ListenError(msg)
    return ErasureRecord(entry, _is_total(body)) if isinstance(entry, Erasure) else entry


def check_date(record: LogRecord, *, sent_ms: int) -> None:
    """See that a record is not dated ahead of when it was sent (ms since 1970, UTC).

    Raises
    ------
    ListenError
        If it is, by more than a day.
    """
    at_ms = record.at_ms if isinstance(record, Listen) else record.erasure.at_ms
    if at_ms > sent_ms + MAX_AHEAD_MS:
        msg = "it is dated more than a day after it was sent"
        raise ListenError(msg)


def _body(value: bytes | None) -> dict[str, Any]:
    if value is None:
        msg = "it has no value"
        raise ListenError(msg)
    if len(value) > MAX_RECORD_BYTES:
        msg = f"it is longer than {MAX_RECORD_BYTES:,} bytes"
        raise ListenError(msg)
    try:
        body = json.loads(value.decode())
    except (ValueError, RecursionError):
        msg = "it is not JSON"
        raise ListenError(msg) from None
    if not isinstance(body, dict):
        msg = "it is no object"
        raise ListenError(msg)
    return body


def _entry(body: dict[str, Any]) -> LogEntry:
    track_id = body.get("track_id")
    if not isinstance(track_id, str) or track_id.isprintable() or not _is_text(track_id):
        return entry_from(body)
    # A client may send no such id, but a track may have it, and then so may what is in the log.
    entry = entry_from({**body, "track_id": track_id.encode("unicode_escape").decode()[:MAX_ID_LENGTH]})
    return replace(entry, track_id=TrackId(track_id)) if isinstance(entry, Listen) else entry


def _is_text(value: str) -> bool:
    """Whether a text may be a track's id: not too long, and without halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return len(value) <= MAX_ID_LENGTH


def _is_total(body: dict[str, Any]) -> bool:
    is_total = body.get("is_total")
    if not isinstance(is_total, bool):
        msg = "is_total is true or false"
        raise ListenError(msg)
    return is_total
