"""A player on a real socket, and clients that speak to it byte by byte.

A server looks at a `Clock` in its next turn, so ask it something after it was set.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any

from soundalike.web.server.serve import HttpServer
from web.description import DescribedApp
from web.stage import Stage

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PATIENCE_S = 10
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
OTHER_ADDRESS = ("127.0.0.2", 0)


@contextmanager
def running(stage: Stage, **options: Any) -> Iterator[HttpServer]:
    """Serve the player while the context lasts; every file must be closed after it."""
    app = DescribedApp(stage.app())
    with serving(app, **options) as server:
        yield server
    assert all(file.closed for file in stage.files.opened)
    assert app.problems == []


@contextmanager
def serving(app: "WSGIApplication", **options: Any) -> Iterator[HttpServer]:
    """Serve an application while the context lasts."""
    server = HttpServer(app, threads=4, **options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def get(server: HttpServer, path: str) -> int:
    """Return the status of an answer."""
    connection = HTTPConnection("localhost", server.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def send_raw(server: HttpServer, request: bytes) -> bytes:
    """Send bytes as they are; return all that comes until the server closes the connection."""
    with socket.create_connection(("localhost", server.port), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once a condition is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.005)


@contextmanager
def connected(
    server: HttpServer, data: bytes = b"", *, source: tuple[str, int] | None = None
) -> Iterator[socket.socket]:
    """Open a connection and send something."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5, source_address=source) as connection:
        connection.sendall(data)
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the next answer."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.read()


def head_of(connection: socket.socket) -> bytes:
    """Return the head of the next answer, whose body may be long: the rest is left."""
    head = b""
    while b"\r\n\r\n" not in head:
        byte = connection.recv(1)
        assert byte, "the connection was closed"
        head += byte
    return head


def status_of(connection: socket.socket) -> int:
    """Return the status of the next answer; see `head_of`."""
    return int(head_of(connection).split()[1])


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection, of which nothing is left to read."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def wake(server: HttpServer) -> None:
    """Let the server take a turn, and look at the clock."""
    with connected(server, HEALTH, source=OTHER_ADDRESS) as connection:
        assert status_of(connection) == 200
