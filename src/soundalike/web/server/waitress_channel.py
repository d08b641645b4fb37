"""waitress, taught what it lacks here: errors in our form, and an end to listeners that have stalled."""

from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from soundalike.web.errors.responses import INTERNAL, ErrorAnswer
from soundalike.web.security.host_check import SAFE_HEADERS, error_body

TURN_BYTES = 512 * 1024
_CODES = {400: "bad_request", 413: "too_large", 431: "header_too_large", 501: "not_implemented"}


class _SafeErrorTask(ErrorTask):  # type: ignore[misc] # waitress has no types
    """Answers what is not even a request, as JSON and with the headers that every response has."""

    def execute(self) -> None:
        error: Error = self.request.error
        if error.code in _CODES:
            answer = ErrorAnswer(error.code, _CODES[error.code], f"{error.reason.lower()}: {error.body}")
        else:
            answer = ErrorAnswer(500, "internal_error", INTERNAL)
        body = error_body(answer)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", "application/json"), *SAFE_HEADERS])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(b"" if getattr(self.request, "command", "") == "HEAD" else body)


class _Parser(HTTPRequestParser):  # type: ignore[misc] # waitress has no types
    """Finds bad requests also where Python itself throws: absurd lengths, half an IPv6 address."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            msg = "the request line or a length in it cannot be read"
            raise ParsingError(msg) from error


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    """A connection that sends so much at a time: one fast download may not keep all others waiting."""

    error_task_class = _SafeErrorTask
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
        """Send what is allowed this turn; 0 is how waitress hears that it must wait."""
        if self._turn_bytes <= 0:
            return 0
        count: int = super().send(data[: self._turn_bytes], do_close)
        self._turn_bytes -= count
        return count


class PlayerServer(TcpWSGIServer):  # type: ignore[misc] # waitress has no types
    """A listening socket whose channels end in time."""

    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close idle channels, those too whose client has stopped reading: waitress waits for it to go on."""
        cutoff = now - self.adj.channel_timeout
        for channel in tuple(self.active_channels.values()):
            if not channel.requests and channel.last_activity < cutoff:
                channel.handle_close()

    def close_channels(self) -> None:
        """Close every connection, and whatever file it was sending."""
        for channel in tuple(self.active_channels.values()):
            channel.handle_close()
