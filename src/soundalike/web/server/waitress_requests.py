"""Changes to how waitress parses requests, and answers those that are not for the application."""

import json

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import Error, RequestEntityTooLarge

from soundalike.web.errors.responses import INTERNAL, MAX_BODY_BYTES, error_body
from soundalike.web.routes.protocol import ErrorAnswer
from soundalike.web.security.host_check import SAFE_HEADERS

_CODES = {
    400: "bad_request",
    408: "request_timeout",
    413: "too_large",
    431: "header_too_large",
    501: "not_implemented",
    503: "server_busy",
}
_RETRY_AFTER_S = 2


class RequestTimeoutError(Error):  # type: ignore[misc] # waitress has no types
    """The request did not come in time."""

    code = 408
    reason = "Request Timeout"


class ServerBusyError(Error):  # type: ignore[misc] # waitress has no types
    """There is no room for the request now."""

    code = 503
    reason = "Service Unavailable"


class FileHangsError(Error):  # type: ignore[misc] # waitress has no types
    """The disk of the file that was asked for does not answer."""

    code = 503
    reason = "Service Unavailable"

    def __init__(self) -> None:
        super().__init__("the disk of this file does not answer; try again, and check the disk or mount")


class JsonErrorTask(ErrorTask):  # type: ignore[misc] # waitress has no types
    """Answers malformed requests as JSON and with the headers of every response."""

    def execute(self) -> None:
        """Write the answer."""
        error: Error = self.request.error
        if isinstance(error, FileHangsError):
            answer = ErrorAnswer(error.code, "file_unavailable", error.body)
        elif error.code in _CODES:
            answer = ErrorAnswer(error.code, _CODES[error.code], f"{error.reason.lower()}: {error.body}")
        else:
            answer = ErrorAnswer(500, "internal_error", INTERNAL)
        body = json.dumps(error_body(answer)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", "application/json"), *SAFE_HEADERS])
        if isinstance(error, ServerBusyError | FileHangsError):
            self.response_headers.append(("Retry-After", str(_RETRY_AFTER_S)))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(b"" if getattr(self.request, "command", "") == "HEAD" else body)


class Parser(HTTPRequestParser):  # type: ignore[misc] # waitress has no types
    """Parses one request, with fewer surprises.

    It answers 400 where Python itself raises: for absurd lengths and incomplete IPv6 addresses. It closes the
    connection after a request whose length is given in two ways, and waits for no body that is not announced.
    """

    error: Error | None
    body_bytes_received: int
    headers_finished: bool
    has_room = False
    """Whether it was checked that there is room for its body."""

    def received(self, data: bytes) -> int:
        """Take what was read, and return how much of it belongs to this request."""
        count: int = super().received(data)
        if self.completed:
            # waitress would ask for the body of a request that has none, or is refused, and wait for it.
            self.expect_continue = False
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = RequestEntityTooLarge(f"a body may have {MAX_BODY_BYTES} bytes")
        return count

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the request line and the header."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            msg = "the request line or a length in it cannot be read"
            raise ParsingError(msg) from error
        is_encoded = self.chunked or "TRANSFER_ENCODING" in self.headers
        if is_encoded and (self.version != "1.1" or "CONTENT_LENGTH" in self.headers):
            # RFC 9112, 6.1: a proxy before us may have seen another end of the request.
            self.headers["CONNECTION"] = "close"
            self.connection_close = True

    @property
    def body_bytes(self) -> int:
        """The most that its body takes; a body without a length may become as long as any."""
        if self.error is not None:
            return 0
        return MAX_BODY_BYTES if self.chunked else int(self.content_length)
