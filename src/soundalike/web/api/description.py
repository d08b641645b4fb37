"""The description of the API in OpenAPI 3.1, made from the table of routes."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from soundalike import __version__
from soundalike.domain.errors import QueryError, StoreBusyError, StoreUnavailableError
from soundalike.web.caching import refuse_other_versions, revalidate
from soundalike.web.errors.responses import status_and_code
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol, nobody
from soundalike.web.routes.route import Answer, Body, Route, Who
from soundalike.wire.schemas import COUNT, TEXT, TIME, Schema, list_of, record

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
_ERROR = record(
    "Error",
    error=TEXT,
    message=TEXT,
    index=COUNT,
    indexes=list_of(COUNT),
    server_time=TIME,
    generation=COUNT,
    optional=("index", "indexes", "server_time", "generation"),
)
_LOGIN: Schema = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of an account. While there are no accounts, nobody on this machine needs one.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "soundalike"},
}
# Answered by the server before a request is read whole.
_BY_SERVER = {408: "request_timeout", 431: "header_too_large", 501: "not_implemented", 503: "server_busy"}
_ANY_TIME = (RequestEntityTooLarge, StoreBusyError, StoreUnavailableError, Exception)


def description_blueprint(api: WebProtocol) -> RouteBlueprint:
    """Return the route of the description, which is made once."""
    description = RouteBlueprint("description", api.finding(nobody))
    text = json.dumps(describe(api.routes)).encode()
    etag = hashlib.blake2b(text, digest_size=12).hexdigest()

    @description.handler
    def openapi() -> Response:
        response = Response(text, content_type="application/json")
        response.set_etag(etag)
        response.make_conditional(request)
        return refuse_other_versions(response)

    description.after_request(revalidate)
    return description


def describe(routes: Iterable[Route]) -> Schema:
    """Return the description of some routes."""
    paths: dict[str, Schema] = {}
    components: dict[str, Schema] = {}
    for route in routes:
        path = paths.setdefault(_VARIABLE.sub(r"{\1}", route.path), {})
        path[route.method.lower()] = _name_schemas(_operation(route), components)
    return {
        "openapi": "3.1.1",
        "info": {"title": "soundalike", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _LOGIN},
    }


def _operation(route: Route) -> Schema:
    variables = [_parameter("path", name, "", TEXT) for name in _VARIABLE.findall(route.path)]
    query = [_parameter("query", one.name, one.description, one.schema) for one in route.parameters]
    answers = {status: _answer(answer) for status, answer in route.answers.items()}
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": variables + query,
        **({"requestBody": _request_body(route.body)} if route.body else {}),
        "responses": {str(status): one for status, one in sorted({**_errors(route), **answers}.items())},
        "security": [] if route.who is Who.ANYONE else [{name: []} for name in _LOGIN],
    }


def _parameter(place: str, name: str, description: str, schema: Schema) -> Schema:
    more = {"required": True} if place == "path" else {"description": description}
    return {"name": name, "in": place, "schema": schema, **more}


def _request_body(body: Body) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": body.schema}}}


def _answer(answer: Answer) -> Schema:
    if answer is None:
        return {"description": "Done, or nothing new."}
    media_type, schema = ("application/json", answer) if isinstance(answer, dict) else (answer, {})
    return {"description": "What was asked for.", "content": {media_type: {"schema": schema}}}


def _errors(route: Route) -> dict[int, Schema]:
    """Return the answers of a route that are errors: its own, and what can go wrong at any."""
    codes: dict[int, set[str]] = {400: {"bad_host"}, 403: {"no_accounts"}}
    if route.who is not Who.ANYONE:
        codes[401] = {"unauthorized", "wrong_token", "other_user"}
    if route.who is Who.ADMINISTRATOR:
        codes[403].add("not_admin")
    if route.body is not None:
        codes[403].add("foreign_origin")
    if route.is_rate_limited:
        codes[429] = {"too_many_requests"}
    kinds = [*route.errors, *_ANY_TIME]
    kinds += [QueryError] if route.parameters else []
    kinds += [UnsupportedMediaType] if route.body is not None else []
    for status, code in [*map(status_and_code, kinds), *_BY_SERVER.items()]:
        codes.setdefault(status, set()).add(code)
    return {status: _error(sorted(of_status)) for status, of_status in codes.items()}


def _error(codes: list[str]) -> Schema:
    schema = {"allOf": [_ERROR, {"properties": {"error": {"enum": codes}}}]}
    return {"description": ", ".join(codes), "content": {"application/json": {"schema": schema}}}


def _name_schemas(value: Any, components: dict[str, Schema]) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return JSON in which every schema that has a title is replaced by a reference to `components`."""
    if isinstance(value, list):
        return [_name_schemas(one, components) for one in value]
    if not isinstance(value, Mapping):
        return value
    named = {key: _name_schemas(one, components) for key, one in value.items()}
    if "type" not in value or not isinstance(title := value.get("title"), str):
        return named
    components[title] = {key: one for key, one in named.items() if key != "title"}
    return {"$ref": f"#/components/schemas/{title}"}
