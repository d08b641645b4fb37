"""What a listener does, and what they are told to play next."""

import json
import math
import re
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from soundalike.domain.errors import ListenError, QueryError
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.services.recommendation.recommender import DEFAULT_ADVENTURE
from soundalike.web.api.parameters import limit_of, single
from soundalike.web.security.current_user import listener_id
from soundalike.wire import judgements_body, recommendations_body
from soundalike.wire.listens import listens_from

MAX_EVENTS = 500
MAX_LISTENS_BYTES = 256 * 1024
MAX_EXCLUDED = 1_000
_FRACTION = re.compile(r"[0-9]{0,3}(\.[0-9]{0,20})?(e-[0-9]{1,2})?", re.ASCII)
_SHOWN_LENGTH = 40


def make_personal(services: Services) -> Blueprint:
    """Return the routes that learn from a listener and recommend to them."""
    personal = Blueprint("personal", __name__)

    @personal.post("/api/listens")
    def listens() -> tuple[Response, int]:
        taken = listens_from(_body(request), listener_id())
        receipt = services.listens.take(taken)
        later = {} if receipt.is_folded else {"folded": False}
        return jsonify(accepted=receipt.accepted, duplicates=receipt.duplicates, **later), 202

    @personal.get("/api/profile")
    def profile() -> Response:
        # Asked often by who waits for it to change: one that did not is not read again.
        known = services.profiles.of(listener_id())
        return jsonify(profile_version=known.version, listens=known.taste.count)

    @personal.get("/api/judgements")
    def judgements() -> Response:
        return jsonify(judgements_body(services.profiles.of(listener_id())))

    @personal.get("/api/recommendations")
    def recommendations() -> Response:
        given = single(request, "seed", "exclude", "adventure")
        found = services.recommender.recommend(
            listener_id(),
            limit=limit_of(request),
            seed=TrackId(given["seed"]) if given.get("seed") else None,
            exclude=_excluded(given.get("exclude", "")),
            adventure=_adventure(given.get("adventure")),
        )
        return jsonify(recommendations_body(found))

    @personal.after_request
    def keep_private(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return personal


def _body(request: Request) -> Any:  # noqa: ANN401 - JSON holds anything
    # One byte more than allowed tells of a body that came in chunks without its length.
    data = request.stream.read(MAX_LISTENS_BYTES + 1)
    if len(data) > MAX_LISTENS_BYTES:
        msg = f"a body has at most {MAX_LISTENS_BYTES:,} bytes; send fewer events at a time"
        raise RequestEntityTooLarge(msg)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        msg = "the body is not JSON"
        raise ListenError(msg) from None
    events = body.get("events") if isinstance(body, dict) else None
    if isinstance(events, list) and len(events) > MAX_EVENTS:
        msg = f"{len(events):,} events at once are too many; send at most {MAX_EVENTS}"
        raise RequestEntityTooLarge(msg)
    return body


def _excluded(text: str) -> frozenset[TrackId]:
    ids = frozenset(TrackId(track_id) for track_id in text.split(",") if track_id)
    if len(ids) > MAX_EXCLUDED:
        msg = f"exclude names {len(ids):,} tracks; at most {MAX_EXCLUDED:,} are left out at once"
        raise QueryError(msg)
    return ids


def _adventure(text: str | None) -> float:
    if text is None:
        return DEFAULT_ADVENTURE
    try:
        value = float(text) if _FRACTION.fullmatch(text) else math.nan
    except ValueError:  # no digit at all
        value = math.nan
    if not 0 <= value <= 1:
        msg = f"adventure is a number of 0 to 1, not {text[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)
    return value
