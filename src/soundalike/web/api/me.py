"""The API of a user's own data: identity, export, deletion and tokens."""

from itertools import chain
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound

from soundalike.services import Services
from soundalike.services.listeners.accounts import NewToken
from soundalike.web.caching import no_store
from soundalike.web.security.authentication import delete_own_data
from soundalike.web.security.current_user import current_listener, current_user_id
from soundalike.wire.accounts import token_body

EXPORT_NAME = "soundalike-export.json"


def me_blueprint(services: Services) -> Blueprint:
    """Return the routes of a user's own data; none takes the id of another user."""
    me = Blueprint("me", __name__)

    @me.get("/api/me")
    def show() -> Response:
        listener = current_listener()
        return jsonify(id=listener.user_id, name=listener.name)

    @me.get("/api/me/export")
    def export() -> Response:
        chunks = services.personal_data.export(current_user_id())
        # What fails before the first chunk is still answered as an error.
        response = Response(chain([next(chunks)], chunks), content_type="application/json")
        response.headers["Content-Disposition"] = f'attachment; filename="{EXPORT_NAME}"'
        return response

    @me.delete("/api/me")
    def delete() -> tuple[str, int]:
        delete_own_data(services)
        return "", 204

    @me.get("/api/tokens")
    def tokens() -> Response:
        return jsonify(tokens=[token_body(token) for token in services.accounts.tokens_of(current_user_id())])

    @me.post("/api/tokens")
    def make_token() -> tuple[Response, int]:
        made = services.accounts.make_token(current_user_id(), _parse_label())
        return jsonify(_new_token_body(made)), 201

    @me.delete("/api/tokens/<token_id>")
    def revoke_token(token_id: str) -> tuple[str, int]:
        if not services.accounts.revoke_token(current_user_id(), token_id):
            raise NotFound
        return "", 204

    me.after_request(no_store)
    return me


def _new_token_body(made: NewToken) -> dict[str, Any]:
    return {**token_body(made.token), "token": made.secret}


def _parse_label() -> str:
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
