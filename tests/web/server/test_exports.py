"""Exports: long answers that no thread waits with, and that nobody's reading cuts off."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from clocks import Clock
from soundalike.domain.errors import StoreUnavailableError
from soundalike.services.listeners.personal_data import PersonalData
from web.server.connections import (
    OTHER_ADDRESS,
    PATIENCE_S,
    answer_of,
    connected,
    get,
    head_of,
    rest_of,
    send_raw,
    serving,
    status_of,
    wait_until,
    wake,
)
from web.stage import Stage

EXPORT = b"GET /api/me/export HTTP/1.1\r\nHost: localhost\r\n\r\n"
PIECE = bytes(1 << 20)
COUNT = 30


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every export as long as that of an eager listener."""
    monkeypatch.setattr(PersonalData, "export", lambda *_: (PIECE for _ in range(COUNT)))


@pytest.mark.usefixtures("long")
def test_clients_that_read_slowly_cut_nobody_off(stage: Stage) -> None:
    with serving(stage.app()) as server, ExitStack() as stack:
        slow = [stack.enter_context(connected(server, EXPORT, source=OTHER_ADDRESS)) for _ in range(3)]
        assert [status_of(one) for one in slow] == [200] * 3
        for _ in range(3):
            with connected(server, EXPORT) as fast:
                assert len(answer_of(fast)[1]) == len(PIECE) * COUNT
        # The slow ones get all of it as well, if they go on.
        for one in slow:
            received = 0
            while received < len(PIECE) * COUNT:
                block = one.recv(1 << 20)
                assert block
                received += len(block)


def test_two_are_made_at_once_and_the_next_waits_for_its_turn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = [], threading.Event()

    def export(*_: Any) -> Iterator[bytes]:
        begun.append(threading.current_thread().name)
        assert may_end.wait(PATIENCE_S)
        yield b"{}"

    monkeypatch.setattr(PersonalData, "export", export)
    with serving(stage.app()) as server, ExitStack() as stack:
        asking = [
            stack.enter_context(connected(server, EXPORT, source=(f"127.0.0.{number}", 0)))
            for number in (1, 1, 1, 2, 3)
        ]
        wait_until(lambda: len(begun) == 2)
        assert get(server, "/healthz") == get(server, "/api/me") == 200
        assert len(begun) == 2
        may_end.set()
        assert [answer_of(one) for one in asking] == [(200, b"{}")] * 5


@pytest.mark.usefixtures("long")
def test_a_client_that_stops_reading_is_cut_off_and_the_log_says_so(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with serving(stage.app(), clock=clock) as server, connected(server, EXPORT) as stopped:
        assert status_of(stopped) == 200

        def is_cut_off() -> bool:  # not while the buffers of the connection are still being filled
            clock.now_s += 301
            wake(server)
            return "127.0.0.1 stopped taking an answer in the middle: it is cut off" in caplog.text

        wait_until(is_cut_off)
        assert len(rest_of(stopped)) < len(PIECE) * COUNT


def test_what_fails_in_the_middle_is_an_error_not_a_part_of_an_export(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(*_: Any) -> Iterator[bytes]:
        yield PIECE
        msg = "away"
        raise StoreUnavailableError(msg)

    monkeypatch.setattr(PersonalData, "export", export)
    with serving(stage.app()) as server, connected(server, EXPORT) as one:
        assert answer_of(one)[0] == 503


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class SlowExports:
    """Exports of two pieces, the second of which is made when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.made = 0
        self.may_go_on = threading.Event()
        monkeypatch.setattr(PersonalData, "export", self._export)

    def _export(self, *_: Any) -> Iterator[bytes]:
        self.begun += 1
        yield b"{"
        assert self.may_go_on.wait(PATIENCE_S)
        yield b"}"
        self.made += 1


class EndlessExports:
    """Exports that have a piece more every millisecond, as long as anybody asks for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running = self.ended = 0
        monkeypatch.setattr(PersonalData, "export", self._export)

    def _export(self, *_: Any) -> Iterator[bytes]:
        self.running += 1
        deadline = time.monotonic() + 2 * PATIENCE_S
        try:
            while time.monotonic() < deadline:
                yield b" "
                time.sleep(0.001)
        finally:
            self.ended += 1


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> EndlessExports:
    return EndlessExports(monkeypatch)


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> SlowExports:
    return SlowExports(monkeypatch)


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_an_export_is_not_made_to_its_end_for_a_client_that_left(
    stage: Stage,
    endless: EndlessExports,
    caplog: pytest.LogCaptureFixture,
    leave: Callable[[socket.socket], None],
) -> None:
    with serving(stage.app()) as server:
        with connected(server, 3 * EXPORT) as leaving:  # what is unread does not hide it
            wait_until(lambda: endless.running == 1)
            leave(leaving)
        wait_until(lambda: endless.ended == 1)
        wait_until(lambda: not server._server.active_channels)  # noqa: SLF001 - the connections
    assert endless.running == 1
    assert not caplog.records


def test_exports_of_clients_that_left_are_not_begun(stage: Stage, exports: SlowExports) -> None:
    with serving(stage.app()) as server, ExitStack() as stack:
        staying = [
            stack.enter_context(connected(server, EXPORT, source=(f"127.0.0.{number}", 0)))
            for number in (1, 2)
        ]
        wait_until(lambda: exports.begun == 2)
        for number in (1, 2, 3, 3, 3):
            with connected(server, EXPORT, source=(f"127.0.0.{number}", 0)):
                wake(server)
        wake(server)
        staying.append(stack.enter_context(connected(server, EXPORT, source=("127.0.0.3", 0))))
        exports.may_go_on.set()
        assert [answer_of(one) for one in staying] == [(200, b"{}")] * 3
    assert exports.begun == exports.made == 3


def test_a_client_that_asks_for_more_meanwhile_has_not_left(stage: Stage, exports: SlowExports) -> None:
    with serving(stage.app()) as server, connected(server, 2 * EXPORT) as one:
        wait_until(lambda: exports.begun == 1)
        exports.may_go_on.set()
        assert answer_of(one) == answer_of(one) == (200, b"{}")


def test_who_ends_the_sending_side_alone_is_told_why_nothing_was_made(
    stage: Stage, endless: EndlessExports
) -> None:
    with serving(stage.app()) as server, connected(server, EXPORT) as one:
        wait_until(lambda: endless.running == 1)
        one.shutdown(socket.SHUT_WR)
        status, body = answer_of(one)
        assert status == 400
        assert b"sending side" in body


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_the_head_of_an_export_is_told_without_making_it(
    stage: Stage, exports: SlowExports, version: bytes
) -> None:
    request = EXPORT.replace(b"GET", b"HEAD").replace(b"1.1", version)
    with serving(stage.app()) as server:
        head, _, body = send_raw(server, request).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/%s 200 OK\r\n" % version)
    assert b"Content-Type: application/json\r\n" in head
    assert b"Content-Disposition: attachment" in head
    assert b"Content-Length" not in head
    assert body == b""
    assert exports.begun == 0


@pytest.mark.usefixtures("long")
def test_a_long_one_waits_until_another_client_has_taken_its_long_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.web.temporary_files.MOST_BYTES", 2 * COUNT * len(PIECE))
    with serving(stage.app()) as server:
        with connected(server, EXPORT, source=OTHER_ADDRESS) as slow:
            assert status_of(slow) == 200
            with connected(server, EXPORT) as one:
                head = head_of(one)
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 10\r\n" in head
            rest_of_it = 0
            while rest_of_it < COUNT * len(PIECE):
                rest_of_it += len(slow.recv(1 << 20))
        with connected(server, EXPORT) as one:
            assert len(answer_of(one)[1]) == COUNT * len(PIECE)


@pytest.mark.usefixtures("long")
def test_one_that_can_never_be_had_is_413_and_says_what_to_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("soundalike.web.temporary_files.MOST_BYTES", 2 * COUNT * len(PIECE) - 2)
    with serving(stage.app()) as server, connected(server, EXPORT) as one:
        status, body = answer_of(one)
    assert status == 413
    assert b'"too_large"' in body
    assert b"soundalike events export" in body
    assert not caplog.records
