"""Disks that hang or fail while music plays: only what needs them waits, and not for ever."""

import errno
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO, Self

import pytest

from clocks import Clock
from soundalike.web.routes.table import API_ROUTES, PAGE_ROUTES
from soundalike.web.server.file_buffer import PIECE_BYTES
from soundalike.web.server.lanes import Lanes
from web.server.connections import (
    HEALTH,
    OTHER_ADDRESS,
    PATIENCE_S,
    answer_of,
    connected,
    rest_of,
    running,
    serving,
    status_of,
    wait_until,
    wake,
)
from web.stage import Stage

ASK = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
HANGING = ASK % b"/api/tracks/hanging/audio"
GOOD = ASK % b"/api/tracks/good/audio"
BIG_BYTES = 20 << 20
LONG_S = 11


class Disk:
    """A disk that can be made to hang or fail for files of one name, beyond their first bytes."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.good_bytes = 0
        self.hangs_at_open = False
        self.failure: OSError | None = None
        self.waiting = 0
        self.readers: set[str] = set()
        self.closers: set[str] = set()

    def put(self, file: BinaryIO) -> BinaryIO:
        """Put a file on the disk."""
        if "hanging" not in file.name:
            return file
        if self.hangs_at_open:
            self.wait()
        return FileOnDisk(self, file)  # type: ignore[return-value] # as much of it as is used

    def wait(self) -> None:
        """Wait until the disk answers."""
        self.waiting += 1
        assert self.answers.wait(PATIENCE_S)
        self.waiting -= 1


class FileOnDisk:
    """A file on such a disk."""

    def __init__(self, disk: Disk, file: BinaryIO) -> None:
        self._disk, self._file = disk, file
        self.name, self.seek, self.tell, self.close = file.name, file.seek, file.tell, self._close
        self.is_read = False

    @property
    def closed(self) -> bool:
        return self._file.closed

    def _close(self) -> None:
        assert not self.is_read, "closing waits for what reads it"
        self._disk.closers.add(threading.current_thread().name)
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        self._disk.readers.add(threading.current_thread().name)
        self.is_read = True
        if self._file.tell() >= self._disk.good_bytes:
            self._disk.wait()
            if self._disk.failure is not None:
                self.is_read = False
                raise self._disk.failure
        self.is_read = False
        return self._file.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@pytest.fixture
def disk(stage: Stage) -> Iterator[Disk]:
    """A disk with a large track "hanging", beside the track "good" on another one; both have 20 MiB."""
    disk = Disk()
    stage.files.put_on_disk = disk.put
    for name in ("hanging", "good"):
        stage.add(name, size_bytes=BIG_BYTES)
    yield disk
    disk.answers.set()


def start(stack: ExitStack, server: Any, request: bytes, *, number: int = 1) -> socket.socket:
    """Send a request from an address of its own."""
    return stack.enter_context(connected(server, request, source=(f"127.0.0.{number}", 0)))


@pytest.mark.parametrize("hangs_at_open", [True, False], ids=["open", "read"])
def test_ten_requests_of_one_listener_leave_everything_to_the_others(
    stage: Stage, disk: Disk, *, hangs_at_open: bool
) -> None:
    disk.hangs_at_open = hangs_at_open
    disk.answers.clear()
    with running(stage) as server, ExitStack() as stack:
        for _ in range(10):
            start(stack, server, HANGING)
        wait_until(lambda: disk.waiting == 2)  # half of the threads for files
        for path in (b"/healthz", b"/api/me", b"/api/tracks?limit=1"):
            with connected(server, ASK % path, source=OTHER_ADDRESS) as other:
                assert status_of(other) == 200
        with connected(server, GOOD, source=OTHER_ADDRESS) as other:
            status, body = answer_of(other)
            assert (status, len(body)) == (200, BIG_BYTES)
        assert disk.waiting == 2
        disk.answers.set()


@pytest.mark.parametrize("hangs_at_open", [True, False], ids=["open", "read"])
def test_where_all_threads_for_files_hang_each_request_for_one_is_answered_503(
    stage: Stage, disk: Disk, caplog: pytest.LogCaptureFixture, *, hangs_at_open: bool
) -> None:
    clock = Clock()
    disk.hangs_at_open = hangs_at_open
    disk.answers.clear()
    with running(stage, clock=clock) as server, ExitStack() as stack:
        waiting = [start(stack, server, HANGING, number=number) for number in (1, 1, 1, 3, 3, 4)]
        wait_until(lambda: disk.waiting == 4)
        clock.now_s += LONG_S
        wake(server)
        for one in waiting:
            answer = rest_of(one)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b'"error": "file_unavailable"' in answer
            assert b"Retry-After: 2\r\n" in answer
        # What comes now need not wait, whether it would hang or not.
        for path in (b"/api/tracks/good/audio", b"/api/tracks/good/cover", b"/tracks/good/cover"):
            assert b'"file_unavailable"' in rest_of(start(stack, server, ASK % path, number=5))
        assert status_of(start(stack, server, HEALTH, number=5)) == 200
        disk.answers.set()
        wait_until(lambda: not disk.waiting)
        assert status_of(start(stack, server, HANGING, number=5)) == 200
    about = [one.getMessage() for one in caplog.records]
    assert about == ["'/api/tracks/hanging/audio': the disk of its file did not answer for 10 s"]


def test_a_disk_that_hangs_in_the_middle_of_a_track_ends_the_connection_and_the_log_names_the_file(
    stage: Stage, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    disk.good_bytes = 4 * PIECE_BYTES
    disk.answers.clear()
    with running(stage, clock=clock) as server, ExitStack() as stack:
        listeners = [start(stack, server, HANGING) for _ in range(2)]
        wait_until(lambda: disk.waiting == 2)
        clock.now_s += LONG_S
        wake(server)
        for one in listeners:
            assert len(rest_of(one).partition(b"\r\n\r\n")[2]) == disk.good_bytes
        disk.answers.set()
        wait_until(lambda: all(file.closed for file in stage.files.opened))
    path = str(stage.folder / "hanging.mp3")
    about = [one.getMessage() for one in caplog.records if path in one.getMessage()]
    assert about == [f"the file {path!r}: its disk did not answer for 10 s"]


def test_a_disk_that_is_only_slow_is_waited_for(stage: Stage, disk: Disk) -> None:
    clock = Clock()
    disk.good_bytes = 4 * PIECE_BYTES
    disk.answers.clear()
    with running(stage, clock=clock) as server, connected(server, HANGING) as listener:
        wait_until(lambda: disk.waiting == 1)
        clock.now_s += LONG_S - 2
        wake(server)
        disk.answers.set()
        assert len(answer_of(listener)[1]) == BIG_BYTES


def test_a_listener_who_leaves_while_the_disk_hangs_leaves_no_open_file(stage: Stage, disk: Disk) -> None:
    clock = Clock()
    disk.good_bytes = PIECE_BYTES
    disk.answers.clear()
    with running(stage, clock=clock) as server:
        with connected(server, HANGING) as listener:
            assert status_of(listener) == 200
            wait_until(lambda: disk.waiting == 1)
        clock.now_s += LONG_S
        wake(server)
        wait_until(lambda: not server._server.seats._taken[False])  # noqa: SLF001 - the connections
        assert not stage.files.opened[0].closed, "to close it would wait for the disk"
        disk.answers.set()
        wait_until(lambda: stage.files.opened[0].closed)


def test_only_the_threads_for_files_read_and_close_files(stage: Stage, disk: Disk) -> None:
    with running(stage) as server, ExitStack() as stack:
        assert len(answer_of(start(stack, server, HANGING))[1]) == BIG_BYTES
        for number in (1, 1, 1, 1, 1, 2):
            assert status_of(start(stack, server, HANGING, number=number)) == 200
        server.stop()  # while they are paused
        wait_until(lambda: all(file.closed for file in stage.files.opened))
    assert len(stage.files.opened) == 7
    for names in (disk.readers, disk.closers):
        assert names
        assert all(name.startswith("files-") for name in names)


def test_a_disk_that_fails_in_the_middle_of_a_track_is_one_line_with_the_file(
    stage: Stage, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    disk.good_bytes, disk.failure = 4 * PIECE_BYTES, OSError(errno.EIO, os.strerror(errno.EIO))
    with running(stage) as server, ExitStack() as stack:
        for _ in range(3):
            listener = start(stack, server, HANGING)
            assert len(rest_of(listener).partition(b"\r\n\r\n")[2]) == disk.good_bytes
    path = str(stage.folder / "hanging.mp3")
    (line,) = caplog.records
    assert line.exc_info is None
    assert line.getMessage() == (
        f"the file {path!r} cannot be read any more (Input/output error); the connection of its "
        "listener is closed"
    )


def test_a_disk_that_fails_before_the_first_byte_is_answered_503(
    stage: Stage, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.failure = OSError(errno.EIO, os.strerror(errno.EIO))
    with running(stage) as server:
        for _ in range(2):
            with connected(server, HANGING) as listener:
                assert answer_of(listener)[0] == 503
    (line,) = caplog.records
    assert line.getMessage() == (
        "GET /api/tracks/hanging/audio: the file cannot be read at the moment (Input/output error); "
        "try again, and check its disk or mount"
    )


def test_the_server_ends_while_a_disk_hangs(
    stage: Stage, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.web.server.lanes.END_S", 0.01)
    disk.good_bytes = PIECE_BYTES
    disk.answers.clear()
    with ExitStack() as stack:
        with serving(stage.app()) as server:
            listener = start(stack, server, HANGING)
            assert status_of(listener) == 200
            wait_until(lambda: disk.waiting == 1)
        rest_of(listener)
        disk.answers.set()
        wait_until(lambda: stage.files.opened[0].closed)


def test_all_routes_of_audio_and_covers_have_threads_of_their_own() -> None:
    lanes = Lanes(1, clock=Clock(), patience_s=1)
    for route in (*API_ROUTES, *PAGE_ROUTES):
        reads_files = route.name.partition(".")[0] in {"media", "covers"}
        path = route.path.replace("<path:name>", "a/audio.js")
        assert (lanes.of(path) is lanes.files) == reads_files, route.name
    assert lanes.of("/healthz") is not lanes.requests
    assert lanes.of("/api/me/export") is lanes.of("//api/me/export") is not lanes.requests
    lanes.end(lambda: None)
