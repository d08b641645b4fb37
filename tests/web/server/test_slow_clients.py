"""Clients that read slowly, stop reading, or leave: they hold no thread, and their files are closed."""

import os
import socket
import time
from contextlib import ExitStack

import pytest

from clocks import Clock
from soundalike.web.server.limits import Limits
from soundalike.web.server.serve import HttpServer
from web.server.connections import get, running, send_raw, wait_until
from web.stage import Stage

BIG_BYTES = 100 * 1024 * 1024
LISTENERS = 20
AUDIO = b"GET /api/tracks/big/audio HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
PART = AUDIO % b"Range: bytes=0-\r\n"
WHOLE = AUDIO % b""


@pytest.fixture
def big(stage: Stage) -> Stage:
    stage.add("big", size_bytes=BIG_BYTES)
    return stage


def start_listening(server: HttpServer, request: bytes) -> socket.socket:
    """Ask for audio, read a little of it, and pause."""
    connection = socket.create_connection(("localhost", server.port), timeout=5)
    connection.sendall(request)
    assert connection.recv(1000).startswith(b"HTTP/1.1 20")
    return connection


def open_files(stage: Stage) -> int:
    return sum(not file.closed for file in stage.files.opened)


def wait_until_closed(stage: Stage) -> None:
    wait_until(lambda: not open_files(stage))


def wait_until_stalled(server: HttpServer, stage: Stage) -> None:
    """Wait until nothing more of the file is sent, since the client does not read."""
    (file,) = stage.files.opened
    sent = [-1]

    def is_stalled() -> bool:
        assert get(server, "/healthz") == 200  # the server's loop has come to each connection
        channels = list(server._server.active_channels.values())  # noqa: SLF001 - what it holds
        if any(channel.total_outbufs_len and not channel.writable() for channel in channels):
            return False  # a thread reads the next piece
        sent.append(file.tell())
        return sent[-1] > 0 and len(sent) > 3 and len(set(sent[-3:])) == 1

    wait_until(is_stalled)


@pytest.mark.parametrize(
    ("request_", "count"),
    [(PART, 1), (WHOLE, 1), (PART, 10), (WHOLE, 3)],
    ids=["part", "whole", "parts", "wholes"],
)
def test_paused_listeners_hold_no_thread(big: Stage, request_: bytes, count: int) -> None:
    with running(big) as server, ExitStack() as paused:
        for _ in range(LISTENERS):
            paused.enter_context(start_listening(server, request_ * count))
        wait_until(lambda: len(big.files.opened) == LISTENERS)
        durations_s = []
        for _ in range(5):
            started = time.perf_counter()
            assert get(server, "/healthz") == 200
            durations_s.append(time.perf_counter() - started)
        # The best of five: with all threads held there is no answer at all; a busy machine is late at times.
        assert min(durations_s) < 0.1


def test_asking_for_the_head_of_audio_leaves_no_file_open(big: Stage) -> None:
    request = AUDIO.replace(b"GET", b"HEAD") % b"Connection: close\r\n"
    with running(big) as server:
        assert send_raw(server, request).endswith(b"\r\n\r\n")
        assert len(big.files.opened) == 1
        wait_until_closed(big)


def test_a_paused_listener_can_go_on_to_the_end(big: Stage) -> None:
    with running(big) as server, start_listening(server, WHOLE) as listener:
        wait_until_stalled(server, big)
        received = 1000
        while received < BIG_BYTES:
            block = listener.recv(1 << 20)
            assert block
            received += len(block)
        wait_until_closed(big)


def test_files_are_closed_when_listeners_leave(big: Stage) -> None:
    with running(big) as server:
        listeners = [start_listening(server, request) for request in (PART, WHOLE, PART * 3)]
        assert open_files(big) == 3
        for listener in listeners:
            listener.close()
        wait_until_closed(big)
        assert get(server, "/healthz") == 200


def test_a_listener_who_is_stalled_for_long_is_disconnected(big: Stage) -> None:
    clock, limits = Clock(), Limits(file_s=1e9)

    def is_closed_in_a_moment() -> bool:
        clock.now_s += 2
        assert get(server, "/healthz") == 200
        return not open_files(big)

    with running(big, clock=clock, limits=limits) as server, start_listening(server, WHOLE):
        wait_until_stalled(server, big)
        clock.now_s += 299
        assert get(server, "/healthz") == 200
        assert open_files(big) == 1
        # Even where nobody reads, a kernel may take some more, which is a sign of life.
        wait_until(is_closed_in_a_moment)


def test_a_file_that_is_cut_short_while_it_is_played_ends_the_connection(big: Stage) -> None:
    with running(big) as server, start_listening(server, WHOLE) as listener:
        wait_until_stalled(server, big)
        os.truncate(big.folder / "big.mp3", 1000)
        received = sum(len(block) for block in iter(lambda: listener.recv(1 << 20), b""))
        assert received < BIG_BYTES
        wait_until_closed(big)
        assert get(server, "/healthz") == 200
