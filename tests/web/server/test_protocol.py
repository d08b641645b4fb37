"""HTTP as bytes on a socket: malformed requests, and headers that the player must see as they were sent."""

import pytest

from web.server.connections import running, send_raw
from web.stage import Stage


def test_many_requests_share_one_connection(stage: Stage) -> None:
    stage.add("a", data=b"0123456789")
    connection = b"GET /api/tracks/a/audio HTTP/1.1\r\nHost: localhost\r\nRange: bytes=2-4\r\n%s\r\n"
    with running(stage) as server:
        answer = send_raw(server, connection % b"" * 3 + connection % b"Connection: close\r\n")
    assert answer.count(b"HTTP/1.1 206") == 4
    assert answer.count(b"\r\n\r\n234") == 4


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET http://evil.example/healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET http://[::1/healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"POST /api/tracks HTTP/1.0\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /api HTTP/1.0\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"GET /?query=".ljust(262_144 - 13, b"a") + b" HTTP/1.0\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 200),
    ],
)  # fmt: skip
def test_answers_to_malformed_requests_are_json_with_the_safe_headers(
    stage: Stage, request_: bytes, status: int
) -> None:
    with running(stage) as server:
        head, _, body = send_raw(server, request_).partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode()
    assert b"application/json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Server:" not in head
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert body.startswith(b'{"')


def test_a_malformed_request_ends_its_connection_and_head_has_no_body(stage: Stage) -> None:
    bad = b"%s /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"
    with running(stage) as server:
        assert send_raw(server, bad % b"GET").endswith(b"}")
        assert send_raw(server, bad % b"HEAD").endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "header",
    [b"Forwarded: for=192.0.2.1", b"X-Forwarded-For: 192.0.2.1", b"x-forwarded-proto: https",
     b"X-Forwarded-Host: localhost", b"X-Forwarded-By: x", b"X-Forwarded-Port: 1", b"X-Forwarded-Server: x"],
)  # fmt: skip
def test_proxy_headers_reach_the_player(stage: Stage, header: bytes) -> None:
    with running(stage) as server:
        for path in (b"/", b"/healthz", b"/static/x/logo.svg"):
            answer = send_raw(server, b"GET %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n\r\n" % (path, header))
            assert answer.startswith(b"HTTP/1.0 403 ")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Authorization: Bearer TOKEN", 200),
        (b"Authorization: Bearer TOKEN\r\nAuthorization: Bearer TOKEN", 401),
        (b"Authorization: Bearer TOKEN\r\nAuthorization: Bearer x", 401),
        (b"Authorization: Bearer x\r\nAuthorization: Bearer TOKEN", 401),
        (b"Authorization: Basic eDp4", 401),
        (b"Authorization:", 401),
        (b"authorization: bearer TOKEN", 200),
        (b"Authorization_: Bearer TOKEN", 401),
        (b"Cookie: soundalike=x", 401),
    ],
)
def test_a_token_is_accepted_once_over_the_wire(stage: Stage, headers: bytes, status: int) -> None:
    stage.add_user("ann")
    headers = headers.replace(b"TOKEN", stage.token_of("ann").encode())
    with running(stage) as server:
        answer = send_raw(server, b"GET /api/me HTTP/1.0\r\nHost: localhost\r\n%s\r\n\r\n" % headers)
    assert answer.split()[1] == str(status).encode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"", 202),
        (b"Origin: http://localhost\r\n", 202),
        (b"Origin: http://localhost\r\nOrigin: http://localhost\r\n", 403),
        (b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n", 403),
        (b"Origin: null\r\n", 403),
        (b"Origin:\r\n", 403),
        (b"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n", 403),
        (b"Content-Type: text/plain\r\n", 415),
    ],
)
def test_an_origin_is_accepted_once_over_the_wire(stage: Stage, headers: bytes, status: int) -> None:
    start = b"POST /api/listens HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with running(stage) as server:
        answer = send_raw(server, start + headers + b'Content-Length: 13\r\n\r\n{"events":[]}')
    assert answer.split()[1] == str(status).encode()


@pytest.mark.parametrize(
    "target",
    [b"/api/../login", b"/login/../api/me",
     b"//api/me", b"/static/../api/me", b"/static/x/..%2f..%2fapi%2fme",
     b"/api%2fme", b"http://localhost/api/me", b"/./api/me", b"/%2e/api/me", b"/api/me;x", b"/api\\me", b"*"],
)  # fmt: skip
def test_no_spelling_of_a_target_bypasses_the_login(stage: Stage, target: bytes) -> None:
    stage.add_user("ann")
    with running(stage) as server:
        answer = send_raw(server, b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" % target)
    assert answer.split()[1] in {b"303", b"400", b"401", b"404"}
    assert b'"ann"' not in answer
