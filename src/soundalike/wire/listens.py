"""Listens as JSON: parsed strictly from clients, written to logs, exports and files."""

import re
from dataclasses import replace
from datetime import datetime
from reprlib import Repr
from typing import Any

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Erasure, Listen, ListenKind, LogEntry
from soundalike.domain.times import from_ms, rfc3339, to_ms
from soundalike.domain.types import EventId, LibraryId, TrackId, UserId

MAX_ID_LENGTH = 128
MAX_POSITION_MS = 2**53 - 1
MAX_GENERATION = 2**53 - 1  # what JavaScript holds exactly
UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ULID = "[0-7][0-9a-hjkmnp-tv-zA-HJKMNP-TV-Z]{25}"
RFC_3339 = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
    r"(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_USER = re.compile(r"[A-Za-z0-9._~@-]{1,64}", re.ASCII)
# Of the years 1 to 9999, which are those of `datetime`.
_MIN_AT_MS, _MAX_AT_MS = -62_135_596_800_000, 253_402_300_799_999
_SECONDS, _LEAP_SECOND = slice(17, 19), "60"
_SHOWN = 60
_KINDS = {kind.value: kind for kind in ListenKind}


def listens_from(body: object, user_id: UserId) -> tuple[Listen, ...]:
    """Parse ``{"events": [...]}`` from a client.

    Parameters
    ----------
    body : object
        JSON values.
    user_id : UserId
        The user who listened.

    Raises
    ------
    ListenError
        If it is anything else; with the index of a malformed event.
    """
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list):
        msg = 'the body must be {"events": [...]}'
        raise ListenError(msg)
    listens = []
    for index, event in enumerate(events):
        try:
            listens.append(listen_from(event, user_id))
        except ListenError as error:
            raise ListenError(str(error), index) from None
    return tuple(listens)


def listen_from(body: object, user_id: UserId) -> Listen:
    """Parse one event; unknown members are ignored.

    Raises
    ------
    ListenError
        If a member is missing or malformed.
    """
    if not isinstance(body, dict):
        msg = "an event must be an object with id, track_id, kind, position_ms and at"
        raise ListenError(msg)
    return Listen(
        id=_event_id(body.get("id")),
        user_id=user_id,
        track_id=_track_id(body.get("track_id")),
        kind=_kind(body.get("kind")),
        position_ms=_position(body.get("position_ms")),
        at_ms=_time("at", body.get("at")),
        generation=_generation(body.get("generation"), least=0),
    )


def listen_body(listen: Listen) -> dict[str, Any]:
    """Return a listen in the form that clients send; without its generation, which is of this user alone."""
    return {
        "id": listen.id,
        "track_id": listen.track_id,
        "kind": listen.kind.value,
        "position_ms": listen.position_ms,
        "at": rfc3339(from_ms(listen.at_ms)),
    }


def entry_body(entry: LogEntry) -> dict[str, Any]:
    """Return an entry of the log with its user."""
    generation = {} if entry.generation is None else {"generation": entry.generation}
    if isinstance(entry, Erasure):
        return {"user": entry.user_id, "erased_until": rfc3339(from_ms(entry.at_ms)), **generation}
    return {"user": entry.user_id, **listen_body(entry), **generation}


def entry_from(body: object) -> LogEntry:
    """Parse what `entry_body` returned.

    Raises
    ------
    ListenError
        If it is anything else.
    """
    if not isinstance(body, dict):
        msg = f"an entry must be an object with user and a listen or erased_until, not {_shown(body)}"
        raise ListenError(msg)
    user = body.get("user")
    if not isinstance(user, str) or not _USER.fullmatch(user):
        msg = f"user must be 1 to 64 letters, digits and . _ ~ @ -, not {_shown(user)}"
        raise ListenError(msg)
    if "erased_until" in body:
        at_ms = _time("erased_until", body["erased_until"])
        return Erasure(UserId(user), at_ms, _generation(body.get("generation"), least=1))
    return listen_from(body, UserId(user))


def exported_body(entry: LogEntry, library_id: LibraryId) -> dict[str, Any]:
    """Return an entry of the log in the form that ``events export`` writes.

    Parameters
    ----------
    entry : Listen or Erasure
        The entry.
    library_id : LibraryId
        Of the library that counts the generations of its users.
    """
    return entry_body(entry) | ({} if entry.generation is None else {"library": library_id})


def imported_from(body: object, library_id: LibraryId) -> LogEntry:
    """Parse what `exported_body` returned; dates decide about what another library wrote, or none.

    Parameters
    ----------
    body : object
        JSON values.
    library_id : LibraryId
        Of the library that takes it: only its own numbers of generations say what came before an erasure.

    Raises
    ------
    ListenError
        If it is anything else.
    """
    entry = entry_from(body)
    is_ours = isinstance(body, dict) and body.get("library") == library_id
    return entry if is_ours else replace(entry, generation=None)


def _event_id(value: object) -> EventId:
    if isinstance(value, str):
        if re.fullmatch(UUID, value):
            return EventId(value.lower())
        if re.fullmatch(ULID, value):
            return EventId(value.upper())
    msg = f"id must be a UUID or a ULID, not {_shown(value)}"
    raise ListenError(msg)


def _track_id(value: object) -> TrackId:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_LENGTH or not value.isprintable():
        msg = f"track_id must be the id of a track, not {_shown(value)}"
        raise ListenError(msg)
    return TrackId(value)


def _kind(value: object) -> ListenKind:
    if isinstance(value, str) and value in _KINDS:
        return _KINDS[value]
    msg = f"kind must be one of {', '.join(ListenKind)}, not {_shown(value)}"
    raise ListenError(msg)


def _position(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_POSITION_MS:
        return value
    msg = f"position_ms must be a whole number of milliseconds from 0, or null, not {_shown(value)}"
    raise ListenError(msg)


def _generation(value: object, *, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_GENERATION:
        return value
    msg = f"generation must be a whole number from {least}, or null, not {_shown(value)}"
    raise ListenError(msg)


def _time(name: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(RFC_3339, value):
        at_ms = _leap_second(value) if value[_SECONDS] == _LEAP_SECOND else _ms(value)
        if at_ms is not None and _MIN_AT_MS <= at_ms <= _MAX_AT_MS:
            return at_ms
    example = "2026-01-31T12:00:00.000Z"
    msg = f"{name} must be a time by RFC 3339, from year 1 on, such as {example}, not {_shown(value)}"
    raise ListenError(msg)


def _ms(text: str) -> int | None:
    try:
        return to_ms(datetime.fromisoformat(text.upper()))
    except ValueError:  # 31 February, or the year 0
        return None


def _leap_second(text: str) -> int | None:
    """Read a leap second, which clocks of computers do not have, as the second after it.

    It is the last of a month in UTC (RFC 3339, appendix D; ITU-R TF.460).
    """
    before_ms = _ms(f"{text[: _SECONDS.start]}59{text[_SECONDS.stop :]}")
    if before_ms is None or not _MIN_AT_MS <= before_ms <= _MAX_AT_MS - 1_000:
        return None
    after = from_ms(before_ms + 1_000)
    return before_ms + 1_000 if (after.day, after.hour, after.minute, after.second) == (1, 0, 0, 0) else None


def _shown(value: object) -> str:
    text = _brief.repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_brief = Repr()
_brief.maxlevel, _brief.maxstring, _brief.maxother = 2, _SHOWN, _SHOWN
