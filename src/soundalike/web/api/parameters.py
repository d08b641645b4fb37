"""Query parameters, read strictly: a malformed one is refused, an unknown one is ignored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Request

from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Position, Sort
from soundalike.domain.types import TrackId
from soundalike.services.library.browse import DEFAULT_LIMIT, MAX_LIMIT
from soundalike.web.cursors import decode_cursor

_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_SHOWN_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksQuery:
    """The parameters of a page of tracks."""

    query: str
    sort: Sort
    limit: int
    after: Position | None


def parse_tracks_query(request: Request) -> TracksQuery:
    """Read ``query``, ``sort``, ``limit`` and ``cursor``.

    Raises
    ------
    QueryError
        If one of them is malformed or given twice.
    """
    given = single_values(request, "query", "sort", "limit", "cursor")
    query = given.get("query", "")
    sort = Sort.parse(given["sort"][:_SHOWN_LENGTH]) if "sort" in given else Sort()
    cursor = given.get("cursor")
    after = None if cursor is None else decode_cursor(cursor, sort=sort, query=query)
    return TracksQuery(query=query, sort=sort, limit=_limit(given), after=after)


def parse_limit(request: Request) -> int:
    """Read ``limit``.

    Raises
    ------
    QueryError
        If it is not a whole number of 1 to 100, or is given twice.
    """
    return _limit(single_values(request, "limit"))


def parse_recent(request: Request) -> tuple[TrackId, ...]:
    """Read ``recent``: track ids separated by commas, the latest last.

    Raises
    ------
    QueryError
        If it is given twice.
    """
    text = single_values(request, "recent").get("recent", "")
    return tuple(TrackId(track_id) for track_id in text.split(",") if track_id)


def parse_playable(request: Request) -> bool:
    """Read ``playable``: whether only tracks that can be played are wanted, as they are unless it is ``any``.

    Raises
    ------
    QueryError
        If it is anything else, or is given twice.
    """
    text = single_values(request, "playable").get("playable")
    if text not in {None, "any"}:
        msg = f"playable must be 'any' or left out, not {(text or '')[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)
    return text is None


def single_values(request: Request, *names: str) -> dict[str, str]:
    """Return the query parameters of these names, where they are given.

    Parameters
    ----------
    request : Request
        The request.
    *names : str
        Names of parameters.

    Raises
    ------
    QueryError
        If one is given twice.
    """
    for name in names:
        if len(request.args.getlist(name)) > 1:
            msg = f"query parameter {name!r} is given twice"
            raise QueryError(msg)
    return {name: request.args[name] for name in names if name in request.args}


def _limit(given: Mapping[str, str]) -> int:
    text = given.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not _WHOLE_NUMBER.fullmatch(text):
        msg = f"limit must be a whole number from 1 to {MAX_LIMIT}, not {text[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)
    return int(text)
