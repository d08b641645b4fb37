"""Clients that take more than their share: of memory, files, connections and time."""

import errno
import ipaddress
import json
import os
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from clocks import Clock
from soundalike.domain.ports.audio import Cover
from soundalike.web.security.client_address import Proxies
from soundalike.web.server.limits import Limits
from soundalike.web.server.waitress_server import PlayerServer, open_files
from web.server.connections import (
    HEALTH,
    OTHER_ADDRESS,
    answer_of,
    connected,
    get,
    is_closed,
    rest_of,
    running,
    send_raw,
    status_of,
    wait_until,
    wake,
)
from web.stage import Stage

AUDIO = b"GET /api/tracks/big/audio HTTP/1.1\r\nHost: localhost\r\n\r\n"
COVER = b"GET /api/tracks/a/cover HTTP/1.1\r\nHost: localhost\r\n\r\n"
LISTENS = b"POST /api/listens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
PICTURE = Cover("image/png", b"\x89PNG\r\n\x1a\n" + bytes(7 << 20))


class TestBodies:
    def test_one_that_is_too_large_is_refused_before_any_of_it_is_sent(self, stage: Stage) -> None:
        with (
            running(stage) as server,
            connected(server, LISTENS + b"Content-Length: 67108863\r\n\r\n") as one,
        ):
            head, _, body = rest_of(one).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        assert json.loads(body) == {
            "error": "too_large",
            "message": "request entity too large: a body may have 1048576 bytes",
        }

    @pytest.mark.parametrize("length", [b"Content-Length: 8388608", b"Transfer-Encoding: chunked"])
    def test_a_client_that_sends_all_of_it_first_still_gets_the_answer(
        self, stage: Stage, length: bytes
    ) -> None:
        with running(stage) as server, connected(server, LISTENS + length + b"\r\n\r\n") as one:
            one.sendall(b"800000\r\n" if b"chunked" in length else b"")
            one.sendall(bytes(8 << 20))
            assert b"413" in rest_of(one)

    def test_one_address_holds_a_share_of_the_memory_for_bodies(self, stage: Stage) -> None:
        half = LISTENS + b"Content-Length: 1048576\r\n\r\n" + bytes(1 << 19)
        limits = Limits(held_bytes=8 * (3 << 20))
        with running(stage, limits=limits) as server, ExitStack() as open_:
            for _ in range(3):
                open_.enter_context(connected(server, half))
            fourth = open_.enter_context(connected(server, half))
            answer = rest_of(fourth)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 2\r\n" in answer
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "server_busy"
            assert get(server, "/healthz") == 200
            other = open_.enter_context(connected(server, half, source=OTHER_ADDRESS))
            other.sendall(bytes(1 << 19))
            assert b"the body is longer than 262,144 bytes" in answer_of(other)[1], "it reached the player"

    def test_all_addresses_together_hold_no_more_than_there_is(self, stage: Stage) -> None:
        whole = LISTENS + b"Content-Length: 1048576\r\n\r\n"
        with running(stage, limits=Limits(held_bytes=8 << 20)) as server, ExitStack() as open_:
            for number in range(8):
                open_.enter_context(connected(server, whole, source=(f"127.0.1.{number + 1}", 0)))
            ninth = open_.enter_context(connected(server, whole, source=("127.0.2.1", 0)))
            assert status_of(ninth) == 503

    def test_no_body_is_kept_in_a_temporary_file(self, stage: Stage) -> None:
        with running(stage) as server, connected(server, LISTENS + b"Content-Length: 1048576\r\n\r\n") as one:
            wake(server)
            wait_until(lambda: len(server._server.active_channels) == 1)  # noqa: SLF001 - what it holds
            before = open_files()
            one.sendall(bytes((1 << 20) - 1))
            wake(server)
            wait_until(lambda: open_files() == before)


class TestAnswers:
    def test_a_request_waits_until_the_answer_before_it_is_taken(self, stage: Stage) -> None:
        stage.add("big", size_bytes=100 << 20)
        with running(stage) as server, connected(server, AUDIO * 100) as greedy:
            assert status_of(greedy) == 200
            for _ in range(10):
                assert get(server, "/healthz") == 200
            assert len(stage.files.opened) == 1

    def test_nine_connections_that_pipeline_audio_leave_files_for_others(self, stage: Stage) -> None:
        stage.add("big", size_bytes=100 << 20)
        with running(stage) as server, ExitStack() as greedy:
            for _ in range(9):
                greedy.enter_context(connected(server, AUDIO * 120))
            wait_until(lambda: len(stage.files.opened) == 9)
            assert get(server, "/api/tracks/big/cover") == 404
            assert len(stage.files.opened) == 10

    def test_every_answer_comes_in_the_end_and_in_order(self, stage: Stage) -> None:
        stage.add("a", cover=PICTURE)
        last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with running(stage) as server, connected(server, COVER * 20 + last) as slow:
            answers = rest_of(slow)
        assert answers.count(b"HTTP/1.1 200 ") == 21
        assert answers.count(PICTURE.data) == 20
        assert answers.endswith(b"}\n")

    def test_a_large_cover_is_sent_from_a_file(self, stage: Stage) -> None:
        stage.add("a", cover=PICTURE)
        with running(stage) as server, connected(server, COVER * 122) as greedy:
            assert status_of(greedy) == 200
            assert get(server, "/healthz") == 200
            held = [one.held_bytes for one in server._server.active_channels.values()]  # noqa: SLF001 - what it holds
            assert max(held) < 1000


class TestConnections:
    FEW = Limits(connections=40, least_share=1, reserved=4, reserved_share=2)

    def test_one_address_has_a_share_of_them(self, stage: Stage) -> None:
        with running(stage, limits=self.FEW) as server, ExitStack() as open_:
            for _ in range(5):
                assert status_of(open_.enter_context(connected(server, HEALTH))) == 200
            asking = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\n\r\n"
            assert b" 503 " in rest_of(open_.enter_context(connected(server, asking)))
            other = open_.enter_context(connected(server, asking, source=OTHER_ADDRESS))
            assert status_of(other) == 200

    def test_an_address_that_has_all_of_its_share_is_still_told_the_health(self, stage: Stage) -> None:
        with running(stage, limits=self.FEW) as server, ExitStack() as open_:
            held = [open_.enter_context(connected(server)) for _ in range(5)]
            wait_until(lambda: len(server._server.active_channels) == 5)  # noqa: SLF001 - what it holds
            assert get(server, "/healthz") == 200
            assert all(is_open(one) for one in held)

    def test_beyond_that_they_are_closed_at_once(self, stage: Stage) -> None:
        with running(stage, limits=self.FEW) as server, ExitStack() as open_:
            for _ in range(7):
                open_.enter_context(connected(server))
            wait_until(lambda: len(server._server.active_channels) == 7)  # noqa: SLF001 - what it holds
            assert is_closed(open_.enter_context(connected(server)))

    def test_a_named_proxy_has_no_share(self, stage: Stage) -> None:
        proxies = Proxies([ipaddress.ip_network("127.0.0.1")])
        with running(stage, limits=self.FEW, proxies=proxies) as server, ExitStack() as open_:
            for _ in range(30):
                assert status_of(open_.enter_context(connected(server, HEALTH))) == 200

    def test_no_file_descriptor_for_a_connection_is_no_reason_to_spin_or_end(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock, tried = Clock(), []
        accept = PlayerServer.accept

        def fail(server: PlayerServer) -> Any:
            tried.append(clock())
            if len(tried) == 1:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return accept(server)

        monkeypatch.setattr(PlayerServer, "accept", fail)
        with running(stage, clock=clock) as server, connected(server, HEALTH) as waiting:
            wait_until(lambda: "no connection can be accepted" in caplog.text)
            clock.now_s += 2
            server._server.pull_trigger()  # noqa: SLF001 - a turn of its loop
            assert status_of(waiting) == 200


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


class TestTime:
    def test_a_header_has_to_end(self, stage: Stage) -> None:
        clock = Clock()
        with running(stage, clock=clock) as server, connected(server, b"GET /healthz HT") as slow:
            wake(server)
            for _ in range(2):
                clock.now_s += 10.5
                slow.sendall(b"x")
                wake(server)
            head, _, body = rest_of(slow).partition(b"\r\n\r\n")
        assert head.split()[1] == b"408"
        assert json.loads(body)["error"] == "request_timeout"

    def test_a_body_has_to_come_at_some_rate(self, stage: Stage) -> None:
        clock = Clock()
        start = LISTENS + b"Content-Length: 10000\r\n\r\n"
        with running(stage, clock=clock) as server, connected(server, start) as slow:
            for _ in range(5):
                wake(server)
                clock.now_s += 10
                slow.sendall(b"x")
            wake(server)
            assert status_of(slow) == 408

    def test_a_body_that_comes_steadily_may_take_its_time(self, stage: Stage) -> None:
        clock = Clock()
        start = LISTENS + b"Content-Length: 1000000\r\n\r\n"
        with running(stage, clock=clock) as server, connected(server, start) as steady:
            for _ in range(20):
                steady.sendall(bytes(50_000))
                wake(server)
                clock.now_s += 10
                wake(server)
            assert b"the body is longer than 262,144 bytes" in answer_of(steady)[1], "it reached the player"

    def test_a_connection_that_sends_nothing_is_closed(self, stage: Stage) -> None:
        clock = Clock()
        with running(stage, clock=clock) as server, connected(server) as silent:
            wake(server)
            clock.now_s += 31
            wake(server)
            assert is_closed(silent)

    @pytest.mark.parametrize("before", [b"", HEALTH], ids=["new", "between requests"])
    def test_empty_lines_do_not_keep_a_connection_open(self, stage: Stage, before: bytes) -> None:
        clock = Clock()
        with running(stage, clock=clock) as server, connected(server, before) as dripping:
            assert not before or answer_of(dripping)[0] == 200
            for _ in range(31):
                wake(server)
                clock.now_s += 10 if before else 1
                dripping.sendall(b"\r\n")
            wake(server)
            assert is_closed(dripping)

    def test_empty_lines_before_a_request_are_ignored(self, stage: Stage) -> None:
        with running(stage) as server, connected(server, b"\r\n\r\n\r\n" + HEALTH) as one:
            assert answer_of(one)[0] == 200

    def test_a_connection_is_kept_between_requests(self, stage: Stage) -> None:
        clock = Clock()
        with running(stage, clock=clock) as server, connected(server, HEALTH) as kept:
            assert answer_of(kept)[0] == 200
            clock.now_s += 299
            wake(server)
            kept.sendall(HEALTH)
            assert answer_of(kept)[0] == 200

    def test_a_client_that_does_not_read_a_refusal_is_closed(self, stage: Stage) -> None:
        clock = Clock()
        with running(stage, clock=clock) as server, connected(server, b"nonsense\r\n\r\n") as one:
            assert rest_of(one)
            wake(server)
            clock.now_s += 6
            wake(server)
            wait_until(lambda: not server._server.active_channels)  # noqa: SLF001 - what it holds


class TestTwoLengths:
    @pytest.mark.parametrize("version", [b"1.1", b"1.0"])
    def test_the_connection_ends_after_the_answer(self, stage: Stage, version: bytes) -> None:
        request = LISTENS.replace(b"HTTP/1.1", b"HTTP/" + version) + (
            b"Connection: keep-alive\r\nContent-Length: 18\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'd\r\n{"events":[]}\r\n0\r\n\r\n'
        )
        with running(stage) as server:
            answers = send_raw(server, request + HEALTH)
        assert answers.count(b"HTTP/1.") == 1
        assert b"Connection: close\r\n" in answers


class TestExpect:
    EXPECT = b"Expect: 100-continue\r\n"

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + EXPECT + b"Connection: close\r\n\r\n", b"200"),
            (LISTENS + EXPECT + b"Content-Length: 0\r\nConnection: close\r\n\r\n", b"400"),
            (LISTENS + EXPECT + b"Content-Length: 99999999\r\n\r\n", b"413"),
            (b"nonsense\r\n" + EXPECT + b"\r\n", b"400"),
        ],
        ids=["no body", "an empty body", "too large a body", "nonsense"],
    )
    def test_no_body_is_waited_for_that_will_not_come(
        self, stage: Stage, request_: bytes, status: bytes
    ) -> None:
        with running(stage) as server:
            assert send_raw(server, request_).split()[1] == status

    def test_a_body_is_asked_for(self, stage: Stage) -> None:
        start = LISTENS + self.EXPECT + b"Content-Length: 13\r\n\r\n"
        with running(stage) as server, connected(server, start) as one:
            assert status_of(one) == 100
            one.sendall(b'{"events":[]}')
            assert status_of(one) == 202
