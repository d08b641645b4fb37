"""The API of a user's own data: identity, export, deletion and tokens."""

from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import NotFound

from soundalike.services import Services
from soundalike.services.listeners.accounts import NewToken
from soundalike.web.caching import no_store
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.web.security.authentication import delete_own_data
from soundalike.web.security.current_user import current_listener, current_user_id
from soundalike.web.temporary_files import TemporaryFiles, while_wanted
from soundalike.wire.accounts import token_body

EXPORT_NAME = "soundalike-export.json"


def me_blueprint(services: Services, api: WebProtocol, temporary: TemporaryFiles) -> RouteBlueprint:
    """Return the routes of a user's own data; none takes the id of another user.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    temporary : TemporaryFiles
        For exports.
    """
    me = RouteBlueprint("me", api)

    @me.handler
    def show() -> Response:
        listener = current_listener()
        return jsonify(
            id=listener.user_id,
            name=listener.name,
            is_admin=listener.is_admin,
            generation=services.personal_data.generation(listener.user_id),
        )

    @me.handler
    def export() -> Response:
        if request.method == "HEAD":  # its length is known once it is made, which is not worth it
            response = Response()
            response.automatically_set_content_length = False
        else:
            pieces = services.personal_data.export(current_user_id())
            response = temporary.response(while_wanted(pieces, request), request)
        response.content_type = "application/json"
        response.headers["Content-Disposition"] = f'attachment; filename="{EXPORT_NAME}"'
        return response

    @me.handler
    def delete() -> tuple[str, int]:
        delete_own_data(services)
        return "", 204

    @me.handler
    def tokens() -> Response:
        return jsonify(tokens=[token_body(token) for token in services.accounts.tokens_of(current_user_id())])

    @me.handler
    def make_token(body: str) -> tuple[Response, int]:
        made = services.accounts.make_token(current_user_id(), body)
        return jsonify(_new_token_body(made)), 201

    @me.handler
    def revoke_token(token_id: str) -> tuple[str, int]:
        if not services.accounts.revoke_token(current_user_id(), token_id):
            raise NotFound
        return "", 204

    me.after_request(no_store)
    return me


def _new_token_body(made: NewToken) -> dict[str, Any]:
    return {**token_body(made.token), "token": made.secret}
