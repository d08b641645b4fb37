"""Protocols: how clients of one kind say who they are, and the form in which errors are told to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from flask import Response
from flask.typing import ResponseReturnValue

from soundalike.domain.types import UserId
from soundalike.web.routes.route import Route


@dataclass(frozen=True, slots=True)
class Listener:
    """The user of a request; `name` is None for "you", who needs no account on this machine."""

    user_id: UserId
    name: str | None = None
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The answer to a request that fails.

    Parameters
    ----------
    status : int
        The status of HTTP.
    code : str
        What programs go by.
    message : str
        What people read.
    details : mapping of str to object
        What else programs need to know, as members of JSON.
    """

    status: int
    code: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)


class RequestRefusedError(Exception):
    """The request is refused, with this answer.

    Parameters
    ----------
    answer : ErrorAnswer
        What the client gets.
    headers : mapping of str to str
        Additional headers.
    """

    def __init__(self, answer: ErrorAnswer, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(answer.message)
        self.answer = answer
        self.headers = headers


@dataclass(frozen=True, slots=True, kw_only=True)
class WebProtocol:
    """How one kind of client talks to the player; several blueprints may speak the same.

    Parameters
    ----------
    routes : tuple of Route
        What it answers.
    addresses : tuple of str
        What the paths of its addresses begin with. It matters for addresses that no route has, and where a
        request is refused before its route is known; the longest that fits counts.
    find_listener : callable
        Returns who the current request is from, None for nobody; raises `RequestRefusedError` for wrong
        credentials.
    ask_for_login : callable
        Answers a request that needs a user and has none.
    check_write : callable
        Raises where the current request, which changes something, may come from a page of another site.
    show_error : callable
        Returns the answer to a request that fails.
    """

    routes: tuple[Route, ...]
    addresses: tuple[str, ...]
    find_listener: Callable[[], Listener | None]
    ask_for_login: Callable[[], ResponseReturnValue]
    check_write: Callable[[], None]
    show_error: Callable[[ErrorAnswer], Response]

    def finding(self, find_listener: Callable[[], Listener | None]) -> "WebProtocol":
        """Return this protocol for routes whose users are found in another way."""
        return replace(self, find_listener=find_listener, addresses=())


def nobody() -> None:
    """Find no user, for routes that never have one."""
