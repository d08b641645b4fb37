import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from soundalike.domain.errors import ServeError
from soundalike.web.server import waitress_channel as protocol
from soundalike.web.server.serve import HttpServer, check_address, is_exposed, serve
from web.stage import Stage

BIG_BYTES = 100 * 1024 * 1024
LISTENERS = 20
AUDIO = b"GET /api/tracks/big/audio HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
PART = AUDIO % b"Range: bytes=0-\r\n"
WHOLE = AUDIO % b""


@contextmanager
def running(stage: Stage, **more: Any) -> Iterator[HttpServer]:
    server = HttpServer(stage.app(), threads=4, **more)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert all(file.closed for file in stage.files.opened)


@pytest.fixture
def big(stage: Stage) -> Stage:
    stage.add("big", size_bytes=BIG_BYTES)
    return stage


def ask(server: HttpServer, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("localhost", server.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def talk(server: HttpServer, request: bytes) -> bytes:
    """Send bytes as they are and read until the server has closed the connection."""
    with socket.create_connection(("localhost", server.port), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def start_listening(server: HttpServer, request: bytes) -> socket.socket:
    """Ask for audio, read a little of it, and read no more."""
    connection = socket.create_connection(("localhost", server.port), timeout=5)
    connection.sendall(request)
    assert connection.recv(1000).startswith(b"HTTP/1.1 20")
    return connection


def open_files(stage: Stage) -> int:
    return sum(not file.closed for file in stage.files.opened)


def wait_until_closed(stage: Stage) -> None:
    for _ in range(100):
        if not open_files(stage):
            return
        time.sleep(0.05)
    pytest.fail(f"{open_files(stage)} files are still open")


@pytest.mark.parametrize(
    "request_", [PART, WHOLE, PART * 10, WHOLE * 3], ids=["part", "whole", "parts", "wholes"]
)
def test_stopped_listeners_hold_no_worker(big: Stage, request_: bytes) -> None:
    with running(big) as server, ExitStack() as stopped:
        for _ in range(LISTENERS):
            stopped.enter_context(start_listening(server, request_))
        time.sleep(0.3)
        taken_s = []
        for _ in range(5):
            started = time.perf_counter()
            assert ask(server, "/healthz")[0] == 200
            taken_s.append(time.perf_counter() - started)
        # The best of five: held workers never answer, a busy machine is late now and then.
        assert min(taken_s) < 0.1


def test_asking_for_the_head_of_audio_leaves_no_file_open(big: Stage) -> None:
    request = AUDIO.replace(b"GET", b"HEAD") % b"Connection: close\r\n"
    with running(big) as server:
        assert talk(server, request).endswith(b"\r\n\r\n")
        assert len(big.files.opened) == 1
        assert open_files(big) == 0


def test_a_stopped_listener_can_go_on_to_the_end(big: Stage) -> None:
    with running(big) as server, start_listening(server, WHOLE) as listener:
        time.sleep(0.2)
        received = 1000
        while received < BIG_BYTES:
            block = listener.recv(1 << 20)
            assert block
            received += len(block)
        wait_until_closed(big)


def test_files_are_closed_when_listeners_go(big: Stage) -> None:
    with running(big) as server:
        listeners = [start_listening(server, request) for request in (PART, WHOLE, PART * 3)]
        assert open_files(big) >= 3
        for listener in listeners:
            listener.close()
        wait_until_closed(big)
        assert ask(server, "/healthz")[0] == 200


def test_a_listener_who_has_stalled_for_long_is_let_go(big: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    maintain = protocol.PlayerServer.maintenance
    ahead = [0]
    monkeypatch.setattr(
        protocol.PlayerServer, "maintenance", lambda server, now: maintain(server, now + ahead[0])
    )
    monkeypatch.setattr("waitress.adjustments.Adjustments.cleanup_interval", 0)
    with running(big) as server, start_listening(server, WHOLE):
        assert open_files(big) == 1
        ahead[0] = 10_000
        wait_until_closed(big)


def test_a_file_cut_short_while_it_is_played_ends_the_connection(big: Stage) -> None:
    with running(big) as server, start_listening(server, WHOLE) as listener:
        time.sleep(0.2)
        os.truncate(big.folder / "big.mp3", 1000)
        received = sum(len(block) for block in iter(lambda: listener.recv(1 << 20), b""))
        assert received < BIG_BYTES
        wait_until_closed(big)
        assert ask(server, "/healthz")[0] == 200


def test_many_requests_share_one_connection(stage: Stage) -> None:
    stage.add("a", data=b"0123456789")
    connection = b"GET /api/tracks/a/audio HTTP/1.1\r\nHost: localhost\r\nRange: bytes=2-4\r\n%s\r\n"
    with running(stage) as server:
        answer = talk(server, connection % b"" * 3 + connection % b"Connection: close\r\n")
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
def test_what_the_server_says_by_itself_is_json_and_safe_too(
    stage: Stage, request_: bytes, status: int
) -> None:
    with running(stage) as server:
        head, _, body = talk(server, request_).partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode()
    assert b"application/json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Server:" not in head
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert body.startswith(b'{"')


def test_a_bad_request_ends_its_connection_and_head_has_no_body(stage: Stage) -> None:
    bad = b"%s /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"
    with running(stage) as server:
        assert talk(server, bad % b"GET").endswith(b"}")
        assert talk(server, bad % b"HEAD").endswith(b"\r\n\r\n")


class Tireless:
    """A socket whose other end takes whatever comes."""

    def __init__(self) -> None:
        self.taken = 0

    def send(self, data: bytes) -> int:
        self.taken += len(data)
        return len(data)


def test_one_fast_download_leaves_the_others_their_turn() -> None:
    here, there = socket.socketpair()
    holder = SimpleNamespace(active_channels={})
    with here, there:
        channel = protocol.PlayerServer.channel_class(
            holder, here, "", Adjustments(outbuf_overflow=1 << 30), map={}
        )
        whole = 3 * protocol.TURN_BYTES + 1
        channel.outbufs[-1].append(bytes(whole))
        channel.total_outbufs_len = whole
        channel.socket = client = Tireless()
        taken = []
        for _ in range(4):
            channel.handle_write()
            taken.append(client.taken)
    assert taken == [protocol.TURN_BYTES * turns for turns in (1, 2, 3)] + [whole]


def test_a_taken_port_names_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as more:
        port = taken.getsockname()[1]
        if port == 65_535:
            pytest.skip("the very last port was given out")
        with suppress(OSError):
            more.enter_context(socket.create_server(("127.0.0.1", port + 1)))
        with pytest.raises(ServeError, match=rf"port {port} is taken; (\d+) is free") as caught:
            HttpServer(lambda _environ, _start: [], port=port)
        with pytest.raises(ServeError, match=rf"port {port} is taken"):
            check_address("localhost", port)
    named = int(str(caught.value).split("; ")[1].split()[0])
    assert named > port + 1


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", -1, "does not exist"),
        ("127.0.0.1", 65_536, "does not exist"),
        ("0.0.0.0", 0, "soundalike users add NAME"),  # noqa: S104 - that is refused
        ("::", 0, "soundalike users add NAME"),
        ("no-such-host.invalid", 0, "not known"),
        ("a" * 300, 0, "not known"),
        ("", 0, "accounts|not known"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(host: str, port: int, words: str) -> None:
    with pytest.raises(ServeError, match=words):
        HttpServer(lambda _environ, _start: [], host=host, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104 - with accounts it is served
def test_with_accounts_other_machines_are_served_too(stage: Stage, host: str) -> None:
    check_address(host, 0, has_users=True)
    stage.is_exposed = is_exposed(host)
    with running(stage, host=host, has_users=True) as server:
        assert ask(server, "/healthz")[0] == 200
        assert ask(server, "/api/me")[0] == (401 if host == "0.0.0.0" else 200)  # noqa: S104 - as above
        assert server.url.startswith(("http://localhost:", "http://127.0.0.1:"))


@pytest.mark.parametrize(
    ("host", "is_reachable"),
    [("127.0.0.1", False), ("localhost", False), ("127.0.0.2", False), ("0.0.0.0", True)],  # noqa: S104 - asked about, not bound
)
def test_it_is_known_which_addresses_other_machines_reach(host: str, *, is_reachable: bool) -> None:
    assert is_exposed(host) == is_reachable


@pytest.mark.parametrize(
    "header",
    [b"Forwarded: for=192.0.2.1", b"X-Forwarded-For: 192.0.2.1", b"x-forwarded-proto: https",
     b"X-Forwarded-Host: localhost", b"X-Forwarded-By: x", b"X-Forwarded-Port: 1", b"X-Forwarded-Server: x"],
)  # fmt: skip
def test_the_server_hides_no_proxy_from_the_player(stage: Stage, header: bytes) -> None:
    with running(stage) as server:
        for path in (b"/", b"/healthz", b"/static/x/logo.svg"):
            answer = talk(server, b"GET %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n\r\n" % (path, header))
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
def test_a_token_comes_once_over_the_wire(stage: Stage, headers: bytes, status: int) -> None:
    stage.add_user("ann")
    headers = headers.replace(b"TOKEN", stage.token_of("ann").encode())
    with running(stage) as server:
        answer = talk(server, b"GET /api/me HTTP/1.0\r\nHost: localhost\r\n%s\r\n\r\n" % headers)
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
def test_an_origin_comes_once_over_the_wire(stage: Stage, headers: bytes, status: int) -> None:
    start = b"POST /api/listens HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with running(stage) as server:
        answer = talk(server, start + headers + b'Content-Length: 13\r\n\r\n{"events":[]}')
    assert answer.split()[1] == str(status).encode()


@pytest.mark.parametrize(
    "target",
    [b"/api/../login", b"/login/../api/me",
     b"//api/me", b"/static/../api/me", b"/static/x/..%2f..%2fapi%2fme",
     b"/api%2fme", b"http://localhost/api/me", b"/./api/me", b"/%2e/api/me", b"/api/me;x", b"/api\\me", b"*"],
)  # fmt: skip
def test_no_spelling_of_a_target_leads_past_the_door(stage: Stage, target: bytes) -> None:
    stage.add_user("ann")
    with running(stage) as server:
        answer = talk(server, b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" % target)
    assert answer.split()[1] in {b"303", b"400", b"401", b"404"}
    assert b'"ann"' not in answer


SERVING = """
from pathlib import Path
import sys
from web.stage import Stage
from soundalike.web.server.serve import serve
app = Stage(Path(sys.argv[1])).app()
serve(app, host="127.0.0.1", port=0, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_serving_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    tests = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, str(tmp_path)], cwd=tests, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        with closing(HTTPConnection("127.0.0.1", port)) as idle:
            idle.request("GET", "/healthz")
            assert idle.getresponse().read()
            process.send_signal(number)
            assert idle.sock.recv(1) == b""
        assert process.stdout.read() == "ended\n"
        assert process.wait(10) == 0


def test_the_signal_handlers_are_as_before_once_it_has_ended(stage: Stage) -> None:
    before = signal.getsignal(signal.SIGTERM)
    serve(
        stage.app(),
        host="127.0.0.1",
        port=0,
        on_ready=lambda _url: signal.raise_signal(signal.SIGTERM),
    )
    assert signal.getsignal(signal.SIGTERM) == before
