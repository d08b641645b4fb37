"""The description of the API as a check: of every answer that a test gets."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from soundalike.web.api.description import describe
from soundalike.web.errors.responses import status_and_code
from soundalike.web.routes.route import Who
from soundalike.web.routes.table import API_ROUTES, PAGE_ROUTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_JSON = "application/json"
_NAME = "urn:description"
# What an address or a method that does not exist can be answered.
_PAGE_REFUSALS = {400, 403, 413, 500, 503}
"""What any page can be answered: a foreign host, a forged form, a store that is away ..."""
_REFUSALS = {400, 401, 403, 404, 405, 413, 503}


def check_answer(method: str, path: str, status: int, content_type: str | None, body: bytes) -> None:
    """Fail if the description of the API, or the table of the pages' routes, has no such answer.

    Members that the description does not have fail too: `soundalike.wire.schemas` has to name them.
    """
    if path not in {"/api", "/healthz", "/metrics"} and not path.startswith("/api/"):
        _check_page(method, path, status, content_type or "")
        return
    called = f"{method} {path} answered {status}"
    template = _find(path)
    operation = _PATHS[template].get({"HEAD": "get"}.get(method, method.lower())) if template else None
    media_type = (content_type or "").partition(";")[0]
    if operation is None:
        is_options = method == "OPTIONS" and template is not None and status == 200
        assert is_options or status in _REFUSALS, called
        schema = {"$ref": f"{_NAME}#/components/schemas/Error"}
    else:
        responses = operation["responses"]
        assert str(status) in responses, f"{called}, which the table of routes does not have"
        content = responses[str(status)].get("content", {})
        kinds = [kind.partition("*")[0] for kind in content]
        assert any(map(media_type.startswith, kinds)) or not (content or body), f"{called} as {media_type!r}"
        schema = content.get(_JSON, {}).get("schema", {})
    if media_type == _JSON and method != "HEAD":
        problems = [f"{one.json_path}: {one.message[:300]}" for one in _errors(json.dumps(schema), body)]
        assert not problems, (
            f"{called}, which wire/schemas.py or the table of routes does not allow: {problems}"
        )


def _check_page(method: str, path: str, status: int, content_type: str) -> None:
    """Fail if the table has this route, and not this answer."""
    method = "GET" if method == "HEAD" else method
    fitting = [one for pattern, one in _PAGES if one.method == method and pattern.fullmatch(path)]
    route = min(fitting, key=lambda one: one.path.count("<"), default=None)
    if route is None:
        return
    called = f"{route.call} answered {status}"
    if status in route.answers:
        kind = route.answers[status]
        is_fitting = not isinstance(kind, str) or content_type.startswith(kind.partition("*")[0])
    else:
        errors = {status_and_code(error)[0] for error in route.errors}
        login = set() if route.who is Who.ANYONE else {303, 401}
        assert status in errors | login | _PAGE_REFUSALS, f"{called}, which the table of routes does not have"
        is_fitting = content_type.startswith("text/")
    assert is_fitting, f"{called} as {content_type!r}"


class DescribedClient(FlaskClient):
    """A client that checks what it gets."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        if "buffered" not in kwargs:
            body = answer.get_data() if answer.mimetype == _JSON else b""
            for one in (*answer.history, answer):
                request = one.request
                check_answer(request.method, request.path, one.status_code, one.content_type, body)
        return answer


class DescribedApp:
    """An application that checks its answers, for clients that are no part of the test; see `problems`."""

    def __init__(self, inside: "WSGIApplication") -> None:
        self._inside = inside
        self.problems: list[str] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            started.append((status, headers))
            return start_response(status, headers, *exc_info)

        answer = self._inside(environ, start)
        status, headers = started[-1]
        kind = dict(headers).get("Content-Type")
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        called = environ["REQUEST_METHOD"], path, int(status[:3]), kind
        return self._checked(called, answer) if kind == _JSON else self._passed(called, answer)

    def _passed(self, called: tuple[str, str, int, str | None], answer: Iterable[bytes]) -> Iterable[bytes]:
        self._check(called, b"")
        return answer

    def _checked(self, called: tuple[str, str, int, str | None], answer: Iterable[bytes]) -> Iterator[bytes]:
        body = b""
        try:
            for piece in answer:
                body += piece
                yield piece
        finally:
            getattr(answer, "close", lambda: None)()
        self._check(called, body)

    def _check(self, called: tuple[str, str, int, str | None], body: bytes) -> None:
        try:
            check_answer(*called, body)
        except AssertionError as error:
            self.problems.append(str(error))


def _closed(value: Any) -> Any:
    """Return the description with every object closed, so that no member is left out of it."""
    if isinstance(value, list):
        return [_closed(one) for one in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(one) for key, one in value.items()}
    return {"additionalProperties": False, **closed} if value.get("type") == "object" else closed


_DESCRIPTION = _closed(describe(API_ROUTES))
_PATHS: dict[str, Any] = _DESCRIPTION["paths"]
_PATTERNS = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path), re.DOTALL) for path in _PATHS}
_PAGES = [
    (
        re.compile(
            re.sub(r"<(path:)?\w+>", lambda one: "[^/].*" if one[1] else "[^/]+", route.path), re.DOTALL
        ),
        route,
    )
    for route in PAGE_ROUTES
]
_REGISTRY: Registry[Any] = Registry().with_resource(_NAME, DRAFT202012.create_resource(_DESCRIPTION))


def _find(path: str) -> str | None:
    """Return the template of a path; one without variables comes first."""
    fitting = [template for template, pattern in _PATTERNS.items() if pattern.fullmatch(path)]
    return min(fitting, key=lambda template: template.count("{"), default=None)


def _errors(schema: str, body: bytes) -> Iterator[Any]:
    return _validator(schema).iter_errors(json.loads(body))


@cache
def _validator(schema: str) -> Draft202012Validator:
    absolute = schema.replace('"#/', f'"{_NAME}#/')
    return Draft202012Validator(json.loads(absolute), registry=_REGISTRY, format_checker=FormatChecker())
