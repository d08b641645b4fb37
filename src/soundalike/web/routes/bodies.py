"""Bodies of requests, read strictly."""

import json

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from soundalike.domain.errors import ListenError

MAX_EVENTS = 500
MAX_LISTENS_BYTES = 256 * 1024


def read_events(request: Request) -> object:
    """Return the JSON body of a request that brings events, which are still to be parsed.

    Raises
    ------
    ListenError
        If it is not JSON.
    RequestEntityTooLarge
        If it is too long, or has too many events.
    """
    # One byte more than allowed shows that a body of unknown length is too long.
    data = request.stream.read(MAX_LISTENS_BYTES + 1)
    if len(data) > MAX_LISTENS_BYTES:
        msg = f"the body is longer than {MAX_LISTENS_BYTES:,} bytes; send fewer events at a time"
        raise RequestEntityTooLarge(msg)
    try:
        body: object = json.loads(data)
    except (ValueError, RecursionError):
        msg = "the body is not valid JSON"
        raise ListenError(msg) from None
    events = body.get("events") if isinstance(body, dict) else None
    if isinstance(events, list) and len(events) > MAX_EVENTS:
        msg = f"{len(events):,} events are too many for one request; send at most {MAX_EVENTS}"
        raise RequestEntityTooLarge(msg)
    return body


def read_label(request: Request) -> str:
    """Return the label in the JSON body of a request, empty where it has none.

    Raises
    ------
    BadRequest
        If the body is anything else.
    """
    try:
        body = request.get_json()
    except RecursionError:
        message = "the JSON in the body is nested too deeply"
        raise BadRequest(message) from None
    label = body.get("label", "") if isinstance(body, dict) else None
    if not isinstance(label, str):
        message = 'the body must be {"label": "what the token is for"}'
        raise BadRequest(message)
    return label
