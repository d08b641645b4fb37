"""The description of the API; that answers keep to it is checked with every answer that a test gets."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.exceptions import PreconditionFailed

from soundalike.domain.errors import StoreUnavailableError
from web.clients import LOCAL
from web.description import check_answer
from web.stage import Stage

ADDRESS = "/api/openapi.json"


def test_the_description_is_valid_and_has_every_route_of_the_api(stage: Stage) -> None:
    body = stage.client().get(ADDRESS, headers=LOCAL).json
    assert body is not None
    OpenAPIV31SpecValidator(body).validate()
    assert body["openapi"].startswith("3.1.")
    described = {(method.upper(), path) for path, item in body["paths"].items() for method in item}
    served = {
        (method, str(rule).replace("<", "{").replace(">", "}"))
        for rule in stage.app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if str(rule).startswith(("/api/", "/healthz", "/metrics"))
    }
    assert described == served


def test_it_says_what_is_validated_and_who_may_ask(stage: Stage) -> None:
    body = stage.client().get(ADDRESS, headers=LOCAL).json
    assert body is not None
    page = body["paths"]["/api/tracks"]["get"]
    limit = next(one for one in page["parameters"] if one["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert page["security"] == [{"token": []}, {"session": []}]
    assert body["paths"]["/healthz"]["get"]["security"] == []
    too_many = body["paths"]["/api/listens"]["post"]["responses"]["429"]
    assert "too_many_requests" in too_many["description"]


def test_it_is_kept_by_clients_until_it_changes(stage: Stage) -> None:
    first = stage.client().get(ADDRESS, headers=LOCAL)
    again = stage.client().get(ADDRESS, headers={**LOCAL, "If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


def test_nothing_but_an_error_is_sent_where_another_version_is_wanted(stage: Stage) -> None:
    client = stage.client()
    for address in (ADDRESS, "/static/x/js/main.js"):
        current = client.get(address, headers=LOCAL, buffered=True)
        other = client.get(address, headers={**LOCAL, "If-Match": '"other"'}, buffered=True)
        assert (other.status_code, len(other.data) < len(current.data)) == (412, True)
        same = client.get(address, headers={**LOCAL, "If-Match": current.headers["ETag"]}, buffered=True)
        assert (same.status_code, same.data) == (200, current.data)
    assert client.get(ADDRESS, headers={**LOCAL, "If-Match": '"x"'}).json == {
        "error": "precondition_failed",
        "message": PreconditionFailed.description,
    }


def test_every_route_has_the_answers_of_the_server_before_a_request_is_read(stage: Stage) -> None:
    body = stage.client().get(ADDRESS, headers=LOCAL).json
    assert body is not None
    by_server = [
        (408, "request_timeout"),
        (431, "header_too_large"),
        (501, "not_implemented"),
        (503, "server_busy"),
    ]
    for path in body["paths"].values():
        for operation in path.values():
            for status, code in by_server:
                assert code in operation["responses"][str(status)]["description"]


def test_it_is_served_while_the_store_is_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        msg = "no answer"
        raise StoreUnavailableError(msg)

    monkeypatch.setattr(stage.store, "has_users", fail)
    assert stage.client().get("/api/me", headers=LOCAL).status_code == 503
    assert stage.client().get(ADDRESS, headers=LOCAL).status_code == 200


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, "application/json", b'{"id": "you", "name": null, "secret": 1}'),
        (200, "application/json", b'{"id": "you"}'),
        (200, "application/json", b'{"id": 1, "name": null}'),
        (200, "text/html", b"you"),
        (418, "application/json", b'{"error": "teapot", "message": ""}'),
        (401, "application/json", b'{"error": "teapot", "message": ""}'),
    ],
)
def test_an_answer_that_is_not_described_fails_the_test_that_got_it(
    status: int, content_type: str, body: bytes
) -> None:
    with pytest.raises(AssertionError, match="GET /api/me answered"):
        check_answer("GET", "/api/me", status, content_type, body)


@pytest.mark.parametrize(
    ("call", "status", "content_type"),
    [
        ("GET /", 404, "text/html"),
        ("GET /", 200, "application/json"),
        ("POST /login", 200, "text/html"),
        ("GET /login", 401, "text/html"),
        ("GET /albums/x/cover", 200, "text/html"),
        ("POST /account/tokens", 429, "text/html"),
    ],
)
def test_so_does_the_answer_of_a_page_that_the_table_does_not_have(
    call: str, status: int, content_type: str
) -> None:
    method, path = call.split()
    with pytest.raises(AssertionError, match=f"answered {status}"):
        check_answer(method, path, status, content_type, b"")
