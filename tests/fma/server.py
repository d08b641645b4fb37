"""A web server with one file, which fails as real ones do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FileServer:
    """Serves `content` under every path.

    Its failures are: `cuts`, after how many bytes each of the next answers ends; `codes`, with which the next
    ones fail; `has_ranges`, whether it knows ``Range``.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag: str | None = '"v1"'
        self.cuts: list[int] = []
        self.codes: list[int] = []
        self.has_ranges = True
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def ranges(self) -> list[str | None]:
        """Return the ``Range`` of each request."""
        return [headers.get("Range") for headers in self.asked]


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}/"
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(dict(self.headers))
            if server.codes:
                self.send_error(server.codes.pop(0))
                return
            first = self._first()
            if first is None:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if first else 200)
            if first:
                last = len(server.content) - 1
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(server.content)}")
            if server.etag:
                self.send_header("ETag", server.etag)
            self.send_header("Content-Length", str(len(server.content) - first))
            self.end_headers()
            cut = server.cuts.pop(0) if server.cuts else len(server.content)
            self.wfile.write(server.content[first : first + cut])
            self.close_connection = True

        def _first(self) -> int | None:
            asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
            if asked is None or not server.has_ranges or condition not in {None, server.etag}:
                return 0
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            return first if first < len(server.content) else None

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
