"""Changes to a connection of waitress: one request at a time, fair sending, and bounds on time and memory.

These classes override internals of waitress 3, which is why its version is capped below 4.
"""

import select
import socket
from typing import TYPE_CHECKING, Any

from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.task import WSGITask

from soundalike.web.media.audio_response import FILE_WRAPPER
from soundalike.web.server.file_buffer import FileBuffer
from soundalike.web.server.lanes import Lane
from soundalike.web.server.limits import Seat
from soundalike.web.server.waitress_requests import (
    FileHangsError,
    JsonErrorTask,
    Parser,
    RequestTimeoutError,
    ServerBusyError,
)

if TYPE_CHECKING:
    from soundalike.web.server.waitress_server import PlayerServer

TURN_BYTES = 512 * 1024
_LEAVES = getattr(select, "POLLRDHUP", 0)  # of Linux; where it is missing, only a reset is seen
_DISCARDED_BYTES = 64 * 1024


class PlayerTask(WSGITask):  # type: ignore[misc] # waitress has no types
    """A request for the application."""

    chunked_response: bool

    def get_environment(self) -> dict[str, Any]:
        """Return what the application gets to know, with a way to send files whose disk may hang."""
        environ: dict[str, Any] = super().get_environment()
        environ[FILE_WRAPPER] = lambda file, _block: FileBuffer(file, self.channel)
        return environ

    def build_response_header(self) -> bytes:
        """Return the header of the answer; one to HEAD has no body, not even the end of one."""
        header: bytes = super().build_response_header()
        self.chunked_response = self.chunked_response and self.request.command != "HEAD"
        return header


class Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    """A connection.

    It sends a limited amount in each turn, so a fast download does not delay others. The next request is not
    looked at before most of the answer to the one before it is taken, so a connection has at most one answer
    and one open file.
    """

    task_class = PlayerTask
    error_task_class = JsonErrorTask
    parser_class = Parser
    server: "PlayerServer"
    request: Parser | None
    requests: list[Parser]
    will_close: bool
    sent_continue: bool
    _turn_bytes = TURN_BYTES

    def __init__(self, *args: Any, seat: Seat, **kwargs: Any) -> None:  # noqa: ANN401 - waitress's own
        super().__init__(*args, **kwargs)
        self.sendbuf_len: int = min(self.sendbuf_len, TURN_BYTES)  # how much of a file is read at once
        self.seat = seat
        self.client, self.has_share = seat.client, True  # whose turn it takes
        self._ahead = b""  # read, but not looked at yet
        self._is_new = True
        self._active_s = self._begun_s = self.server.clock()
        self._has_begun_answer = self._is_abandoned = False
        self._lane: Lane | None = None
        self._is_refused = False
        self._lingers_s: float | None = None

    @property
    def held_bytes(self) -> int:
        """The memory that its requests and answers take, without files."""
        if not (self.requests or self.request or self.total_outbufs_len):
            return 0
        begun = [] if self.request is None else [self.request]
        bodies = sum(request.body_bytes for request in (*self.requests, *begun))
        return bodies + sum(map(_held_bytes, self.outbufs))

    def check_client_disconnected(self) -> bool:
        """Whether the client left, which nothing else notices while its request waits or runs.

        One that only ends its sending side counts too: until something is sent to it, it cannot be told from
        one that closed the connection, as browsers do. nginx and Go see it so as well.
        """
        return not self.connected or _has_left(self.socket)

    def readable(self) -> bool:
        """Whether to read: not while something is left of what was read."""
        if self._lingers_s is not None:
            return True
        return bool(super().readable() and not self._ahead)

    def writable(self) -> bool:
        """Whether to write, or to look at the next request."""
        if self._lingers_s is not None:
            return False
        if isinstance(first := self.outbufs[0], FileBuffer) and first.is_awaited:
            return self.will_close
        return bool(super().writable() or (self._ahead and not self.requests))

    def handle_read(self) -> None:
        """Read some; of a client whose request was refused, only to discard it."""
        if self._lingers_s is None:
            super().handle_read()
            return
        try:
            self.recv(_DISCARDED_BYTES)
        except OSError:
            self.handle_close()

    def received(self, data: bytes) -> bool:
        """Take what was read."""
        with self.requests_lock:
            self._ahead += data
            self._parse_next()
        return True

    def _parse_next(self) -> None:
        """Parse what was read up to the end of one request; call it with the lock."""
        while not (self.requests or self.will_close or self.close_when_flushed):
            if self.request is None:
                self._ahead = self._ahead.lstrip(b"\r\n")  # empty lines before a request are none
            if not self._ahead:
                return
            if self.request is None:
                self.request = self.parser_class(self.adj)
                self._begun_s, self._is_new = self.server.clock(), False
            count = self.request.received(self._ahead)
            self._ahead = self._ahead[count:]
            if self.request.headers_finished and not self.request.has_room:
                self._check_room(self.request)
            if self.request.expect_continue and self.request.headers_finished and not self.sent_continue:
                self.send_continue()
            if self.request.completed:
                self._run_request(self.request)

    def _check_room(self, request: Parser) -> None:
        request.has_room = True
        if request.error is None and not self.server.has_room(self, getattr(request, "path", "")):
            request.error = ServerBusyError("too many requests at once; try again in a moment")
            request.completed, request.expect_continue = True, False

    def _run_request(self, request: Parser) -> None:
        self.request, self.sent_continue = None, False
        if request.empty:
            return
        lanes = self.server.lanes
        self._lane = lanes.of(getattr(request, "path", ""))
        self.client, self.has_share = self.server.client_of(self, request)
        if request.error is None and self._lane is lanes.files and self._lane.hangs(self):
            request.error = FileHangsError()
        if request.error is not None:
            self._lane = lanes.requests
        self._is_refused, self._has_begun_answer = request.error is not None, False
        self.requests.append(request)
        self._lane.add_task(self)

    def handle_write(self) -> None:
        """Write some, and look at the next request once that is nearly all."""
        self._turn_bytes = TURN_BYTES
        super().handle_write()
        if self._ahead and self.total_outbufs_len < self.adj.send_bytes:
            with self.requests_lock:
                self._parse_next()

    def write_soon(self, data: object) -> int:
        """Take a piece of an answer from a thread, unless something else was answered meanwhile."""
        with self.outbuf_lock:
            if self._is_abandoned:
                raise ClientDisconnected
            self._has_begun_answer, self._turn_bytes = True, TURN_BYTES
            count: int = super().write_soon(data)
        return count

    def take_piece(self, failure: str) -> None:
        """Go on sending once a thread has read the next piece of a file, or could not and says why."""
        if failure:
            self.server.warn("%s; the connection of its listener is closed", failure)
            self.will_close = True
        self.server.pull_trigger()

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002 - waitress's own signature
        """Send what is left of this turn; 0 makes waitress wait for the next one."""
        if self._turn_bytes <= 0 or not data:
            return 0
        now_s = self.server.clock()  # before the client can have any of it
        count: int = super().send(data[: self._turn_bytes], do_close)
        self._turn_bytes -= count
        if count:
            self._active_s = now_s
        return count

    def is_overdue(self, now_s: float) -> bool:
        """Whether the client, or the disk of the file that it waits for, takes longer than it may."""
        limits = self.server.limits
        if self._lingers_s is not None:
            return now_s > self._lingers_s + limits.linger_s
        if self._hangs():
            return True
        if self.requests and not self._is_abandoned:
            return False
        if self.request is not None and not self.total_outbufs_len:
            body_s = limits.body_s + self.request.body_bytes_received / limits.body_rate
            return now_s > self._begun_s + limits.header_s + body_s * self.request.headers_finished
        may_wait_s = limits.first_s if self._is_new else limits.idle_s
        return now_s > self._active_s + may_wait_s

    def give_up(self) -> None:
        """End a connection that is overdue; where a request was begun, with an answer."""
        if self._hangs():
            self._give_up_file()
            return
        with self.requests_lock:
            if self.request is not None and not self.requests:
                self.request.error = RequestTimeoutError("the request took too long")
                self._run_request(self.request)
                return
        self._is_refused = False
        if self.total_outbufs_len and not isinstance(self.outbufs[0], FileBuffer):  # music may be paused
            self.server.warn("%s stopped taking an answer in the middle: it is cut off", self.client)
        self.handle_close()

    def _hangs(self) -> bool:
        if isinstance(first := self.outbufs[0], FileBuffer):
            return first.hangs
        files = self.server.lanes.files
        waits = bool(self.requests) and self._lane is files and not self._is_abandoned
        return waits and files.hangs(self)

    def _give_up_file(self) -> None:
        """Answer instead of the thread that waits for a disk, or end the answer that it had begun."""
        waited_s = self.server.limits.file_s
        with self.outbuf_lock:
            request = next(iter(self.requests), None)
            if isinstance(first := self.outbufs[0], FileBuffer):
                self.server.warn("the file %r: its disk did not answer for %g s", first.name, waited_s)
            elif request is not None:
                self.server.warn("%r: the disk of its file did not answer for %g s", request.path, waited_s)
            if request is None or self._has_begun_answer:
                self.handle_close()
                return
            request.error = FileHangsError()
            self.error_task_class(self, request).service()
            # The thread that waits, or comes yet, keeps its request, and can write nothing more.
            self._is_abandoned = self._is_refused = self.close_when_flushed = True

    def handle_close(self) -> None:
        """Close the connection; after a refusal, only our side at first."""
        if self._is_refused and self.will_close and self.connected:
            # Closed with something unread, the connection would be reset before the answer is read.
            self._is_refused = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            else:
                self.will_close, self._lingers_s = False, self.server.clock()
                return
        super().handle_close()

    def del_channel(self, map: Any = None) -> None:  # noqa: A002, ANN401 - waitress's own
        """Give the seat back."""
        is_open = self._fileno in self.server.active_channels
        super().del_channel(map)
        if is_open:
            self.server.seats.leave(self.seat)


def _has_left(connection: socket.socket) -> bool:
    """Whether the other end was closed, also where something is unread."""
    poll = select.poll()
    try:
        poll.register(connection, _LEAVES)  # errors are always reported
        return bool(poll.poll(0))
    except (OSError, ValueError):  # it was closed here meanwhile
        return True


def _held_bytes(answer: Any) -> int:  # noqa: ANN401 - a buffer of waitress
    if isinstance(answer, FileBuffer):
        return answer.held_bytes
    return 0 if isinstance(answer, ReadOnlyFileBasedBuffer) else int(answer.__len__())
