"""The API of one's own data: who one is, all that is stored on one, and an end to it; tokens."""

from itertools import chain
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound

from soundalike.services import Services
from soundalike.services.listeners.accounts import NewToken
from soundalike.web.api.export import export_pieces, token_body
from soundalike.web.pages.login import keep_private
from soundalike.web.security.authentication import end_session
from soundalike.web.security.current_user import known_listener, listener_id

EXPORT_NAME = "soundalike-export.json"


def make_me(services: Services) -> Blueprint:
    """Return the routes on whoever asks; none of them can name anybody else."""
    me = Blueprint("me", __name__)

    @me.get("/api/me")
    def show() -> Response:
        listener = known_listener()
        return jsonify(id=listener.user_id, name=listener.name)

    @me.get("/api/me/export")
    def export() -> Response:
        pieces = export_pieces(services, listener_id())
        # What fails before the first piece is still answered as an error.
        answer = Response(chain([next(pieces)], pieces), content_type="application/json")
        answer.headers["Content-Disposition"] = f'attachment; filename="{EXPORT_NAME}"'
        return answer

    @me.delete("/api/me")
    def forget() -> tuple[str, int]:
        forget_listener(services)
        return "", 204

    @me.get("/api/tokens")
    def tokens() -> Response:
        return jsonify(tokens=[token_body(token) for token in services.accounts.tokens_of(listener_id())])

    @me.post("/api/tokens")
    def make_token() -> tuple[Response, int]:
        made = services.accounts.make_token(listener_id(), _label())
        return jsonify(_new_token_body(made)), 201

    @me.delete("/api/tokens/<token_id>")
    def revoke_token(token_id: str) -> tuple[str, int]:
        if not services.accounts.revoke_token(listener_id(), token_id):
            raise NotFound
        return "", 204

    me.after_request(keep_private)
    return me


def forget_listener(services: Services) -> None:
    """Delete all that is stored on whoever asks, and their account where they have one; log them out."""
    listener = known_listener()
    if listener.name is None:
        services.listens.erase(listener.user_id)
    else:
        services.accounts.remove(listener.user_id, erase=services.listens.erase)
    end_session()


def _new_token_body(made: NewToken) -> dict[str, Any]:
    return {**token_body(made.token), "token": made.secret}


def _label() -> str:
    try:
        body = request.get_json()
    except RecursionError:
        message = "the body is no JSON that anybody would send"
        raise BadRequest(message) from None
    label = body.get("label", "") if isinstance(body, dict) else None
    if not isinstance(label, str):
        message = 'a body is {"label": "what the token is for"}'
        raise BadRequest(message)
    return label
