"""Changes to a connection of waitress: one request at a time, fair sending, and bounds on time and memory.

These classes override internals of waitress 3, which is why its version is capped below 4.
"""

import socket
from typing import TYPE_CHECKING, Any

from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.channel import ClientDisconnected, HTTPChannel

from soundalike.web.server.limits import Seat
from soundalike.web.server.waitress_requests import (
    JsonErrorTask,
    Parser,
    RequestTimeoutError,
    ServerBusyError,
)

if TYPE_CHECKING:
    from soundalike.web.server.waitress_server import PlayerServer

TURN_BYTES = 512 * 1024
HEALTH_PATH = "/healthz"
_DISCARDED_BYTES = 64 * 1024


class Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    """A connection.

    It sends a limited amount in each turn, so a fast download does not delay others. The next request is not
    looked at before most of the answer to the one before it is taken, so a connection has at most one answer
    and one open file.
    """

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
        self._ahead = b""  # read, but not looked at yet
        self._is_new = True
        self._active_s = self._begun_s = self.server.clock()
        self._thread_waits_s: float | None = None
        self._is_refused = False
        self._lingers_s: float | None = None

    @property
    def held_bytes(self) -> int:
        """The memory that its requests and answers take, without files."""
        if not (self.requests or self.request or self.total_outbufs_len):
            return 0
        begun = [] if self.request is None else [self.request]
        bodies = sum(request.body_bytes for request in (*self.requests, *begun))
        answers = [one for one in self.outbufs if not isinstance(one, ReadOnlyFileBasedBuffer)]
        taken: int = bodies + sum(one.__len__() for one in answers)
        return taken

    def readable(self) -> bool:
        """Whether to read: not while something is left of what was read."""
        if self._lingers_s is not None:
            return True
        return bool(super().readable() and not self._ahead)

    def writable(self) -> bool:
        """Whether to write, or to look at the next request."""
        if self._lingers_s is not None:
            return False
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
        self._is_refused = request.error is not None
        self.requests.append(request)
        self.server.add_task(self)

    def handle_write(self) -> None:
        """Write some, and look at the next request once that is nearly all."""
        self._turn_bytes = TURN_BYTES
        super().handle_write()
        if self._ahead and self.total_outbufs_len < self.adj.send_bytes:
            with self.requests_lock:
                self._parse_next()

    def write_soon(self, data: object) -> int:
        """Take a piece of an answer from a thread."""
        self._turn_bytes = TURN_BYTES
        count: int = super().write_soon(data)
        return count

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002 - waitress's own signature
        """Send what is left of this turn; 0 makes waitress wait for the next one."""
        if self._turn_bytes <= 0:
            return 0
        count: int = super().send(data[: self._turn_bytes], do_close)
        self._turn_bytes -= count
        if count:
            self._active_s = self.server.clock()
        return count

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Let a thread wait until the client has taken most of its answer, if not too many wait already."""
        if self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            return
        if not self.server.waiting_threads.acquire(blocking=False):
            raise ClientDisconnected
        self._thread_waits_s = self.server.clock()
        try:
            super()._flush_outbufs_below_high_watermark()
        finally:
            self._thread_waits_s = None
            self.server.waiting_threads.release()

    def is_overdue(self, now_s: float) -> bool:
        """Whether the client takes longer than it may."""
        limits = self.server.limits
        if self._lingers_s is not None:
            return now_s > self._lingers_s + limits.linger_s
        if (since := self._thread_waits_s) is not None:
            return now_s > since + limits.answer_s
        if self.requests:
            return False
        if self.request is not None and not self.total_outbufs_len:
            body_s = limits.body_s + self.request.body_bytes_received / limits.body_rate
            return now_s > self._begun_s + limits.header_s + body_s * self.request.headers_finished
        may_wait_s = limits.first_s if self._is_new else limits.idle_s
        return now_s > self._active_s + may_wait_s

    def give_up(self) -> None:
        """End a connection that is overdue; where a request was begun, with an answer."""
        with self.requests_lock:
            if self.request is not None and not self.requests:
                self.request.error = RequestTimeoutError("the request took too long")
                self._run_request(self.request)
                return
        self._is_refused = False
        self.handle_close()

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
