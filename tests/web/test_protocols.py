"""Each blueprint brings its authenticator and its form of error: JSON, pages, and a made one beside them."""

from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import pytest
from flask import Blueprint, Flask, Response, request
from werkzeug.test import TestResponse

from soundalike.domain.errors import LoginError, StoreUnavailableError
from soundalike.domain.types import TrackId
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import ErrorAnswer, Listener, RequestRefusedError, WebProtocol
from soundalike.web.routes.route import Route, Who
from soundalike.web.security.current_user import current_listener
from web.clients import LOCAL, PASSWORD
from web.stage import Stage

ANN = f"u=ann&p={PASSWORD}"
ROUTES = (
    Route(name="made.who", call="GET /made/who", answers={200: "text/xml"}),
    Route(name="made.restart", call="GET /made/restart", who=Who.ADMINISTRATOR, answers={200: "text/xml"}),
    Route(name="made.title", call="POST /made/title/<track_id>", answers={200: "text/xml"}),
)


def add_made_protocol(stage: Stage) -> Flask:
    """Add an API with passwords in query strings, and with errors that are XML of status 200."""

    def find_listener() -> Listener | None:
        if "u" not in request.args:
            return None
        try:
            user = stage.services.accounts.login(request.args["u"], request.args.get("p", ""))
        except LoginError as error:
            raise RequestRefusedError(ErrorAnswer(401, "wrong_login", str(error))) from None
        return Listener(user.id, user.name, is_admin=user.name == "ann")

    def ask_for_login() -> Response:
        raise RequestRefusedError(ErrorAnswer(401, "unauthorized", "give u and p"))

    def show_error(answer: ErrorAnswer) -> Response:
        text = f"<error code={quoteattr(answer.code)} message={quoteattr(answer.message)}/>"
        return Response(text, content_type="text/xml")

    protocol = WebProtocol(
        routes=ROUTES,
        addresses=("/made",),
        find_listener=find_listener,
        ask_for_login=ask_for_login,
        check_write=lambda: None,  # no browser adds a password to a query
        show_error=show_error,
    )
    made = RouteBlueprint("made", protocol)

    @made.handler
    def who() -> Response:
        return Response(f"<user name={quoteattr(current_listener().name or '')}/>", content_type="text/xml")

    @made.handler
    def restart() -> Response:
        return Response("<done/>", content_type="text/xml")

    @made.handler
    def title(track_id: str) -> Response:
        track = stage.services.library.track(TrackId(track_id))
        return Response(f"<track title={quoteattr(track.title)}/>", content_type="text/xml")

    app = stage.app()
    app.register_blueprint(made)
    return app


@pytest.fixture
def app(stage: Stage) -> Flask:
    stage.add("a", title="Tides")
    stage.add_user("ann")
    return add_made_protocol(stage)


def ask(
    app: Flask, path: str, *, method: str = "GET", host: str = "localhost", data: bytes = b""
) -> TestResponse:
    return app.test_client().open(path, method=method, headers={"Host": host}, data=data)


def error_code(answer: TestResponse) -> str:
    """Return the code of an error in the made form."""
    assert answer.status_code == 200
    assert answer.content_type == "text/xml"
    element = ET.fromstring(answer.text)  # noqa: S314 - our own answer
    assert element.tag == "error"
    return element.attrib["code"]


def test_its_authenticator_finds_the_user_in_the_query(app: Flask) -> None:
    assert ask(app, f"/made/who?{ANN}").text == '<user name="ann"/>'
    assert ask(app, f"/made/title/a?{ANN}", method="POST").text == '<track title="Tides"/>'


def test_neither_protocol_takes_what_proves_a_user_in_the_other(app: Flask, stage: Stage) -> None:
    assert ask(app, f"/api/me?{ANN}").status_code == 401
    assert error_code(app.test_client().get("/made/who", headers=stage.bearer("ann"))) == "unauthorized"
    assert error_code(stage.log_in("ann").get("/made/who", headers=LOCAL)) == "unauthorized"


@pytest.mark.parametrize(
    ("path", "method", "code"),
    [
        ("/made/who", "GET", "unauthorized"),
        ("/made/who?u=ann&p=wrong", "GET", "wrong_login"),
        ("/made/title/nothing?" + ANN, "POST", "unknown_track"),
        ("/made/nothing?" + ANN, "GET", "not_found"),
        ("/made?" + ANN, "GET", "not_found"),
        ("/made/nothing", "GET", "unauthorized"),
        ("/made/who?" + ANN, "DELETE", "method_not_allowed"),
    ],
)
def test_its_errors_have_its_form(app: Flask, path: str, method: str, code: str) -> None:
    assert error_code(ask(app, path, method=method)) == code


def test_what_only_administrators_may_do_is_refused_to_others(app: Flask, stage: Stage) -> None:
    stage.add_user("bob")
    assert ask(app, f"/made/restart?{ANN}").text == "<done/>"
    assert error_code(ask(app, f"/made/restart?u=bob&p={PASSWORD}")) == "not_admin"
    assert error_code(ask(app, "/made/restart")) == "unauthorized"


PATHS = {"made": f"/made/who?{ANN}", "json": "/healthz", "page": "/login"}
UNKNOWN = {"made": f"/made/nothing?{ANN}", "json": "/api/nothing", "page": "/nothing"}


def code_of(form: str, answer: TestResponse) -> str:
    if form == "made":
        return error_code(answer)
    if form == "json":
        assert answer.json is not None
        return str(answer.json["error"])
    assert answer.content_type == "text/html; charset=utf-8"
    return str(answer.status_code)


@pytest.mark.parametrize("path", [PATHS, UNKNOWN], ids=["known", "unknown"])
@pytest.mark.parametrize("form", PATHS)
def test_what_is_refused_before_its_route_is_asked_has_the_form_of_its_address(
    app: Flask, stage: Stage, monkeypatch: pytest.MonkeyPatch, form: str, path: dict[str, str]
) -> None:
    refused = ask(app, path[form], host="evil.example")
    if form == "page":  # its style sheets would be refused as well
        assert (refused.status_code, refused.content_type) == (400, "text/plain; charset=utf-8")
    else:
        assert code_of(form, refused) == "bad_host"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"

    def fail() -> bool:
        msg = "no answer"
        raise StoreUnavailableError(msg)

    monkeypatch.setattr(stage.store, "has_users", fail)
    monkeypatch.setattr(stage.store, "user_named", lambda _name: fail())
    assert ask(app, "/api/me").status_code == 503
    for _ in range(2):
        away = ask(app, path[form])
        assert code_of(form, away) in {"store_unavailable", "503"}
        assert away.headers["Retry-After"]


@pytest.mark.parametrize("form", PATHS)
def test_a_body_that_is_too_large_is_refused_in_the_form_of_its_address(
    app: Flask, stage: Stage, form: str
) -> None:
    path = {"made": f"/made/title/a?{ANN}", "json": "/api/tracks", "page": "/login"}[form]
    client = stage.log_in("ann")
    answer = client.post(path, headers=LOCAL, data=b"x" * 2_000_000)
    assert code_of(form, answer) in {"too_large", "413"}
    assert app is client.application


def test_a_blueprint_that_the_table_does_not_know_is_closed(stage: Stage) -> None:
    plain = Blueprint("plain", __name__)
    plain.add_url_rule("/plain", "plain", lambda: "open")
    stage.add_user("ann")
    app = stage.app()
    app.register_blueprint(plain)
    assert ask(app, "/plain").status_code == 303
    assert stage.log_in("ann").get("/plain", headers=LOCAL).text == "open"
