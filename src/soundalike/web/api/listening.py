"""The listening API: events from players, and what to play next."""

import json
import math
import re
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from soundalike.domain.errors import ListenError, QueryError
from soundalike.domain.recommendation.question import DEFAULT_ADVENTURE, Question
from soundalike.domain.recommendation.rules import MEMORY
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.api.parameters import parse_limit, parse_playable, parse_recent, single_values
from soundalike.web.caching import no_store
from soundalike.web.security.current_user import current_user_id
from soundalike.wire import judgements_body
from soundalike.wire.listens import listens_from
from soundalike.wire.recommendations import radio_body, recommendations_body

MAX_EVENTS = 500
MAX_LISTENS_BYTES = 256 * 1024
MAX_EXCLUDED = 1_000
_FRACTION = re.compile(r"[0-9]{0,3}(\.[0-9]{0,20})?(e-[0-9]{1,2})?", re.ASCII)
_SHOWN_LENGTH = 40


def listening_blueprint(services: Services) -> Blueprint:
    """Return the routes that learn from a user and recommend to them."""
    listening = Blueprint("listening", __name__)

    @listening.post("/api/listens")
    def listens() -> tuple[Response, int]:
        receipt = services.listens.ingest(listens_from(_json_body(request), current_user_id()))
        folded = {} if receipt.is_folded else {"folded": False}
        return jsonify(accepted=receipt.accepted, duplicates=receipt.duplicates, **folded), 202

    @listening.get("/api/profile")
    def profile() -> Response:
        # Clients poll it until it changes, so an unchanged profile is not read again.
        profile = services.profiles.of(current_user_id())
        return jsonify(profile_version=profile.version, listens=profile.taste.count)

    @listening.get("/api/judgements")
    def judgements() -> Response:
        return jsonify(judgements_body(services.profiles.of(current_user_id())))

    @listening.get("/api/recommendations")
    def recommendations() -> Response:
        given = single_values(request, "seed", "exclude", "adventure")
        question = Question(
            limit=parse_limit(request),
            seed=TrackId(given["seed"]) if given.get("seed") else None,
            exclude=_parse_excluded(given.get("exclude", "")),
            adventure=_parse_adventure(given.get("adventure")),
            is_playable_only=parse_playable(request),
        )
        found = services.recommender.recommend(current_user_id(), question)
        return jsonify(recommendations_body(found))

    @listening.get("/api/tracks/<track_id>/radio")
    def radio(track_id: str) -> Response:
        given = single_values(request, "adventure")
        seed = TrackId(track_id)
        question = Question(
            limit=parse_limit(request),
            seed=seed,
            recent=parse_recent(request)[-MEMORY:] or (seed,),
            adventure=_parse_adventure(given.get("adventure")),
            is_playable_only=parse_playable(request),
        )
        found = services.recommender.recommend(current_user_id(), question)
        return jsonify(radio_body(seed, found))

    @listening.after_request
    def no_store_unless_said(response: Response) -> Response:
        return response if "Cache-Control" in response.headers else no_store(response)

    return listening


def _json_body(request: Request) -> Any:  # noqa: ANN401 - JSON holds anything
    # One byte more than allowed shows that a body of unknown length is too long.
    data = request.stream.read(MAX_LISTENS_BYTES + 1)
    if len(data) > MAX_LISTENS_BYTES:
        msg = f"the body is longer than {MAX_LISTENS_BYTES:,} bytes; send fewer events at a time"
        raise RequestEntityTooLarge(msg)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        msg = "the body is not valid JSON"
        raise ListenError(msg) from None
    events = body.get("events") if isinstance(body, dict) else None
    if isinstance(events, list) and len(events) > MAX_EVENTS:
        msg = f"{len(events):,} events are too many for one request; send at most {MAX_EVENTS}"
        raise RequestEntityTooLarge(msg)
    return body


def _parse_excluded(text: str) -> frozenset[TrackId]:
    ids = frozenset(TrackId(track_id) for track_id in text.split(",") if track_id)
    if len(ids) > MAX_EXCLUDED:
        msg = f"exclude names {len(ids):,} tracks; it takes at most {MAX_EXCLUDED:,}"
        raise QueryError(msg)
    return ids


def _parse_adventure(text: str | None) -> float:
    if text is None:
        return DEFAULT_ADVENTURE
    try:
        value = float(text) if _FRACTION.fullmatch(text) else math.nan
    except ValueError:  # no digit at all
        value = math.nan
    if not 0 <= value <= 1:
        msg = f"adventure must be a number from 0 to 1, not {text[:_SHOWN_LENGTH]!r}"
        raise QueryError(msg)
    return value
