import pytest
from werkzeug.test import create_environ

from soundalike.web.security.host_check import host_name
from web.clients import LOCAL
from web.stage import Stage

FOREIGN = [
    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "127.0.0.2",
    "localhost@evil.example", "localhost:80@evil.example", "localhost:80:evil", "localhost:evil", "127.1",
    "localhost, evil.example", "localhost evil", "localhost/", "localhost?", "localhost#", "localhost\\",
    "localhost.", "local%68ost", "\uff4cocalhost", "[::]", "[::1", "::1", "[::ffff:127.0.0.1]", "2130706433",
    "0x7f.1", "0", "", " ", ":8080", "*",
]  # fmt: skip


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080"]
)
@pytest.mark.parametrize("path", ["/healthz", "/"])
def test_local_hosts_are_served_with_any_port(stage: Stage, host: str, path: str) -> None:
    assert stage.client().get(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/healthz", "/", "/api/tracks", "/api/nothing", "/api/tracks/a/audio"])
def test_other_hosts_are_refused(stage: Stage, host: str, path: str) -> None:
    stage.add("a")
    answer = stage.client().get(path, environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 400
    assert stage.files.opened == []
    if path.startswith("/api") or path == "/healthz":
        assert answer.json is not None
        assert answer.json["error"] == "bad_host"


def test_a_request_without_a_host_is_refused(stage: Stage) -> None:
    client = stage.client()
    environ = create_environ("/healthz")
    del environ["HTTP_HOST"]
    seen: list[str] = []
    app = client.application
    list(app.wsgi_app(environ, lambda status, *_: seen.append(status)))  # type: ignore[arg-type] # a start_response
    assert seen == ["400 BAD REQUEST"]


def test_a_host_that_the_settings_allow_is_served(stage: Stage) -> None:
    stage.allowed_hosts = frozenset({"Music.Local"})
    client = stage.client()
    assert client.get("/healthz", headers={"Host": "music.local:8080"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "other.local"}).status_code == 400


def test_the_host_in_an_absolute_target_is_checked_too(stage: Stage) -> None:
    client = stage.client()
    for target, status in (("http://evil.example/healthz", 400), ("http://localhost:80/healthz", 200)):
        answer = client.get("/healthz", headers=LOCAL, environ_overrides={"REQUEST_URI": target})
        assert answer.status_code == status
        assert ("'evil.example' is not served here" in answer.text) == (status == 400)


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("LocalHost:80", "localhost"),
        ("[::1]", "[::1]"),
        ("a:", "a"),
        ("a:1:2", None),
        ("a@b", None),
        ("", None),
    ],
)
def test_host_name_drops_the_port_and_refuses_tricks(authority: str, name: str | None) -> None:
    assert host_name(authority) == name


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/api/tracks", "/api/nothing", "/nothing", "/api/tracks/a/audio", "/api/tracks/a/cover",
     "/tracks/a", "/tracks/a/cover", "/static/x/nothing.css"],
)  # fmt: skip
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_response_has_the_safe_headers(stage: Stage, path: str, host: str, method: str) -> None:
    stage.add("a")
    with stage.client().open(path, method=method, headers={"Host": host}) as answer:
        headers = answer.headers
        assert method != "HEAD" or answer.data == b""
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
