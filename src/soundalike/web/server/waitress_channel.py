"""Changes to waitress: errors in the player's form, fair sending, and an end of stalled connections.

These classes override internals of waitress 3, which is why its version is capped below 4.
"""

import json
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from soundalike.web.errors.responses import INTERNAL, error_body
from soundalike.web.routes.protocol import ErrorAnswer
from soundalike.web.security.host_check import SAFE_HEADERS

TURN_BYTES = 512 * 1024
_CODES = {400: "bad_request", 413: "too_large", 431: "header_too_large", 501: "not_implemented"}


class _JsonErrorTask(ErrorTask):  # type: ignore[misc] # waitress has no types
    """Answers malformed requests as JSON and with the headers of every response."""

    def execute(self) -> None:
        error: Error = self.request.error
        if error.code in _CODES:
            answer = ErrorAnswer(error.code, _CODES[error.code], f"{error.reason.lower()}: {error.body}")
        else:
            answer = ErrorAnswer(500, "internal_error", INTERNAL)
        body = json.dumps(error_body(answer)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", "application/json"), *SAFE_HEADERS])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(b"" if getattr(self.request, "command", "") == "HEAD" else body)


class _Parser(HTTPRequestParser):  # type: ignore[misc] # waitress has no types
    """Also answers 400 where Python itself raises: for absurd lengths and incomplete IPv6 addresses."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            msg = "the request line or a length in it cannot be read"
            raise ParsingError(msg) from error


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    """A connection that sends a limited amount in each turn, so a fast download does not delay others."""

    error_task_class = _JsonErrorTask
    parser_class = _Parser
    _turn_bytes = TURN_BYTES

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - waitress's own
        super().__init__(*args, **kwargs)
        self.sendbuf_len: int = min(self.sendbuf_len, TURN_BYTES)  # how much of a file is read at once

    def handle_write(self) -> None:
        self._turn_bytes = TURN_BYTES
        super().handle_write()

    def write_soon(self, data: object) -> int:
        self._turn_bytes = TURN_BYTES
        count: int = super().write_soon(data)
        return count

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002 - waitress's own signature
        """Send what is left of this turn; 0 makes waitress wait for the next one."""
        if self._turn_bytes <= 0:
            return 0
        count: int = super().send(data[: self._turn_bytes], do_close)
        self._turn_bytes -= count
        return count


class PlayerServer(TcpWSGIServer):  # type: ignore[misc] # waitress has no types
    """A server that closes stalled connections."""

    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close idle connections, even with data that the client does not read, which waitress keeps."""
        cutoff = now - self.adj.channel_timeout
        for channel in tuple(self.active_channels.values()):
            if not channel.requests and channel.last_activity < cutoff:
                channel.handle_close()

    def close_channels(self) -> None:
        """Close every connection and the file that it was sending."""
        for channel in tuple(self.active_channels.values()):
            channel.handle_close()
