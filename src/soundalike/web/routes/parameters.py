"""Query parameters, read strictly: a malformed one is refused, an unknown one is ignored."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from soundalike.domain.errors import QueryError
from soundalike.domain.types import TrackId
from soundalike.wire.schemas import Schema

_DIGITS = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_FRACTION = re.compile(r"[0-9]{0,3}(\.[0-9]{0,20})?(e-[0-9]{1,2})?", re.ASCII)
_SHOWN_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter.

    Parameters
    ----------
    name : str
        Its name.
    description : str
        What it is for.
    schema : dict
        JSON Schema of its values.
    read : callable
        Returns the value of its text; raises `QueryError`.
    default : object
        The value where it is not given.
    """

    name: str
    description: str
    schema: Schema
    read: Callable[[str], object]
    default: object = None


def text(name: str, description: str, *, default: str | None = None) -> Parameter:
    """Return a parameter that takes any text."""
    return Parameter(name=name, description=description, schema={"type": "string"}, read=str, default=default)


def an_id(name: str, description: str) -> Parameter:
    """Return a parameter that takes the id of something; an empty one is as none."""
    return Parameter(
        name=name, description=description, schema={"type": "string"}, read=lambda given: given or None
    )


def whole_number(name: str, description: str, *, least: int, most: int, default: int) -> Parameter:
    """Return a parameter that takes a whole number between two bounds, both included."""

    def read(given: str) -> int:
        if _DIGITS.fullmatch(given) and least <= int(given) <= most:
            return int(given)
        msg = f"{name} must be a whole number from {least} to {most}, not {given[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)

    schema: Schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name=name, description=description, schema=schema, read=read, default=default)


def fraction(name: str, description: str, *, default: float) -> Parameter:
    """Return a parameter that takes a number from 0 to 1."""

    def read(given: str) -> float:
        try:
            value = float(given) if _FRACTION.fullmatch(given) else math.nan
        except ValueError:  # no digit at all
            value = math.nan
        if 0 <= value <= 1:
            return value
        msg = f"{name} must be a number from 0 to 1, not {given[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)

    schema: Schema = {"type": "number", "minimum": 0, "maximum": 1, "default": default}
    return Parameter(name=name, description=description, schema=schema, read=read, default=default)


def one_of(
    name: str,
    description: str,
    *,
    values: Sequence[str],
    read: Callable[[str], object] | None = None,
    default: object = None,
) -> Parameter:
    """Return a parameter that takes one of a few values; `read` makes something of it, and refuses others."""

    def check(given: str) -> str:
        if given in values:
            return given
        known = " or ".join(map(repr, values))
        msg = f"{name} must be {known} or left out, not {given[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)

    schema: Schema = {"type": "string", "enum": list(values)}
    if default is not None:
        schema["default"] = str(default)
    return Parameter(
        name=name,
        description=description,
        schema=schema,
        read=(lambda given: read(given[:_SHOWN_LENGTH])) if read else check,
        default=default,
    )


def track_ids(name: str, description: str, *, most: int | None = None) -> Parameter:
    """Return a parameter that takes ids of tracks, separated by commas; the order is kept."""

    def read(given: str) -> tuple[TrackId, ...]:
        ids = tuple(TrackId(track_id) for track_id in given.split(",") if track_id)
        if most is not None and len(set(ids)) > most:
            msg = f"{name} names {len(set(ids)):,} tracks; it takes at most {most:,}"
            raise QueryError(msg)
        return ids

    return Parameter(name=name, description=description, schema={"type": "string"}, read=read, default=())
