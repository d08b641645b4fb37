"""Who asks."""

from dataclasses import dataclass

from flask import g

from soundalike.domain.types import UserId


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who asks; `name` is None for "you", who needs no account on their own machine."""

    user_id: UserId
    name: str | None = None


def listener_id() -> UserId:
    """Return the user of the request that is being answered.

    Raises
    ------
    LookupError
        If nobody is known, which no route hears of that needs somebody.
    """
    return known_listener().user_id


def known_listener() -> Listener:
    """Return who asks.

    Raises
    ------
    LookupError
        As `listener_id`.
    """
    listener = listener_or_none()
    if listener is None:
        msg = "nobody is known to ask, so this route has to be closed"
        raise LookupError(msg)
    return listener


def listener_or_none() -> Listener | None:
    """Return who asks, or None on what is open to everybody."""
    listener: Listener | None = g.get("listener")
    return listener


def know(listener: Listener | None) -> None:
    """Remember who asks while the request is answered."""
    g.listener = listener
