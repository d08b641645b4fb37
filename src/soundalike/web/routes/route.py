"""One route: who may ask, what is validated, what is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flask import Request

from soundalike.domain.errors import QueryError
from soundalike.web.routes.parameters import Parameter
from soundalike.wire.schemas import Schema

Answer = Schema | str | None
"""A JSON body by its schema, another body by its media type, or no body."""


class Who(StrEnum):
    """Who may ask."""

    ANYONE = "anyone"
    USER = "user"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Body:
    """The JSON body of a request.

    Parameters
    ----------
    schema : dict
        What is accepted.
    read : callable or None
        Returns the validated value, which the handler gets as ``body``; None where the body is not read.
    """

    schema: Schema
    read: Callable[[Request], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route, as handlers, the login, tests and the description of the API read it.

    Parameters
    ----------
    name : str
        Its blueprint and its handler, such as ``"tracks.page"``.
    call : str
        Its method and its path in Flask's form, such as ``"GET /api/tracks/<track_id>"``.
    summary : str
        What it does.
    who : Who
        Who may ask.
    parameters : tuple of Parameter
        Those of the query; the handler gets each by its name.
    body : Body or None
        That of the request.
    answers : mapping of int to Answer
        What is answered where all is well, by status.
    errors : tuple of exception types
        What can go wrong here, besides what can go wrong everywhere.
    needs_store : bool
        Whether the store is asked.
    is_rate_limited : bool
        Whether a user may ask only so often.
    """

    name: str
    call: str
    summary: str = ""
    who: Who = Who.USER
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    answers: Mapping[int, Answer]
    errors: tuple[type[Exception], ...] = ()
    needs_store: bool = True
    is_rate_limited: bool = False

    @property
    def method(self) -> str:
        """Return the method."""
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        """Return the path, in Flask's form."""
        return self.call.partition(" ")[2]

    def read(self, request: Request) -> dict[str, object]:
        """Return the validated parameters and body of a request, by name.

        Raises
        ------
        SoundalikeError, HTTPException
            If one of them is malformed, or a parameter is given twice.
        """
        for parameter in self.parameters:
            if len(request.args.getlist(parameter.name)) > 1:
                msg = f"query parameter {parameter.name!r} is given twice"
                raise QueryError(msg)
        values = {
            one.name: one.read(request.args[one.name]) if one.name in request.args else one.default
            for one in self.parameters
        }
        if self.body and self.body.read:
            values["body"] = self.body.read(request)
        return values
