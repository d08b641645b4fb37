"""Records of a shared log, as keys and values in bytes: listens, and erasures of users.

The key is the user, so that a log which keeps the records of a key in order keeps those of a user. A value is
JSON with its version and type. Only `record_value` writes it, from domain values, so that nothing that a
client sends can become an erasure.
"""

import json
from dataclasses import replace
from typing import Any

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import ErasureRecord, Listen, LogEntry, LogRecord
from soundalike.domain.types import TrackId, UserId
from soundalike.wire.listens import MAX_ID_LENGTH, entry_body, entry_from

RECORD_VERSION = 1

MAX_RECORD_BYTES = 16 * 1024
"""Our own records are much shorter, since ids and names have bounds."""

MAX_AHEAD_MS = 24 * 3600 * 1000
"""How much later than its sending a record may be dated.

The server that accepted it allowed minutes, by its own clock. A day allows for clocks that differ, and is
less than what would settle a profile for good.
"""

_LISTEN, _ERASURE = "listen", "erasure"
_ERASURE_MARK = b'"erasure"'


def user_of(record: LogRecord) -> UserId:
    """Return the user of a record."""
    return record.user_id if isinstance(record, Listen) else record.erasure.user_id


def record_key(record: LogRecord) -> bytes:
    """Return the key of a record in the log."""
    return user_of(record).encode()


def record_value(record: LogRecord) -> bytes:
    """Return the value of a record in the log."""
    body: dict[str, Any] = {"version": RECORD_VERSION}
    if isinstance(record, Listen):
        body |= {"type": _LISTEN, **entry_body(record)}
    else:
        body |= {"type": _ERASURE, **entry_body(record.erasure), "is_total": record.is_total}
        # To programs that do not know the member it is an erasure that is known already.
        body |= {"is_lowering": True} if record.is_lowering else {}
    return json.dumps(body, separators=(",", ":")).encode()


def may_be_erasure(value: bytes | None) -> bool:
    """Whether a value may be an erasure; parsing it says for certain."""
    return value is not None and _ERASURE_MARK in value


def record_from(key: bytes | None, value: bytes | None) -> LogRecord:
    """Parse what `record_key` and `record_value` returned.

    Raises
    ------
    ListenError
        If it is anything else.
    """
    body = _body(value)
    version, kind = body.get("version"), body.get("type")
    if version != RECORD_VERSION or isinstance(version, bool):
        msg = f"its version is not {RECORD_VERSION}, the only supported version"
        raise ListenError(msg)
    is_erasure = kind == _ERASURE
    if not (is_erasure or kind == _LISTEN) or is_erasure != ("erased_until" in body):
        msg = "its type is neither listen nor erasure, or its members do not fit its type"
        raise ListenError(msg)
    entry = _entry(body)
    if entry.user_id.encode() != key:
        msg = "its key is not its user"
        raise ListenError(msg)
    if isinstance(entry, Listen):
        return entry
    return ErasureRecord(
        entry, _flag(body, "is_total"), is_lowering=_flag(body, "is_lowering", default=False)
    )


def check_date(record: LogRecord, *, sent_ms: int) -> None:
    """Check that a record is not dated more than a day after it was sent (ms since 1970, UTC).

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
        msg = "it is not an object"
        raise ListenError(msg)
    return body


def _entry(body: dict[str, Any]) -> LogEntry:
    track_id = body.get("track_id")
    if not isinstance(track_id, str) or track_id.isprintable() or not _is_text(track_id):
        return entry_from(body)
    # Clients may not send such an id, but a track may have one, and so may a record of it.
    entry = entry_from({**body, "track_id": track_id.encode("unicode_escape").decode()[:MAX_ID_LENGTH]})
    return replace(entry, track_id=TrackId(track_id)) if isinstance(entry, Listen) else entry


def _is_text(value: str) -> bool:
    """Whether a text may be a track's id: not too long, and without lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return len(value) <= MAX_ID_LENGTH


def _flag(body: dict[str, Any], name: str, *, default: bool | None = None) -> bool:
    flag = body.get(name, default)
    if not isinstance(flag, bool):
        msg = f"{name} must be true or false"
        raise ListenError(msg)
    return flag
