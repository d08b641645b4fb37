"""The user of the request that is being answered."""

from flask import g

from soundalike.domain.types import UserId
from soundalike.web.routes.protocol import Listener


def current_user_id() -> UserId:
    """Return the id of the request's user.

    Raises
    ------
    LookupError
        As `current_listener`.
    """
    return current_listener().user_id


def current_listener() -> Listener:
    """Return the request's user.

    Raises
    ------
    LookupError
        If it has none, which cannot happen in a route that needs a login.
    """
    listener = current_listener_or_none()
    if listener is None:
        msg = "the request has no user, so this route must be closed"
        raise LookupError(msg)
    return listener


def current_listener_or_none() -> Listener | None:
    """Return the request's user, or None where nobody has to log in."""
    listener: Listener | None = g.get("listener")
    return listener


def set_current_listener(listener: Listener | None) -> None:
    """Set the user of the request that is being answered."""
    g.listener = listener
