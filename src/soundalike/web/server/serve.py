"""Serving on this machine: a listening socket, a loop, and a clean end."""

import errno
import ipaddress
import logging
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from soundalike.domain.errors import ServeError
from soundalike.web.server.waitress_channel import PlayerServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
STALLED_AFTER_S = 300
# Above what the player refuses: answering before all is received would cut the client off unheard.
_MAX_RECEIVED_BYTES = 64 << 20
_MAX_CONNECTIONS = 1000
_SPARE_FILES = 100
_MAX_PORT = 65_535
_PORTS_TRIED = 200


class HttpServer:
    """A player that listens from the moment it is made.

    A listener holds a connection and an open file, never a worker: answers go to the loop whole, however
    large, since audio is handed over as a file.

    Parameters
    ----------
    app : WSGIApplication
        What answers.
    host : str
        Loopback, unless there are accounts.
    port : int
        0 takes any free one.
    threads : int
        Workers.
    has_users : bool
        Whether there are accounts, without which other machines are not served.

    Raises
    ------
    ServeError
        If the address cannot be used.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = THREADS,
        has_users: bool = False,
    ) -> None:
        listening = _listen(host, port, has_users=has_users)
        # Its warnings tell of queues, which covers alone make.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        adjustments = Adjustments(
            sockets=[listening],
            threads=threads,
            ident=None,
            connection_limit=_connection_limit(),
            channel_timeout=STALLED_AFTER_S,
            max_request_body_size=_MAX_RECEIVED_BYTES,
            # Left in, since what came through a proxy is refused while there are no accounts.
            clear_untrusted_proxy_headers=False,
            # Below it, a client that sends several requests at once and reads nothing holds a worker.
            outbuf_high_watermark=sys.maxsize,
        )
        self._map: dict[int, object] = {}
        self._workers = ThreadedTaskDispatcher()
        self._workers.set_thread_count(threads)
        self._inner = PlayerServer(
            app,
            self._map,
            _sock=listening,
            dispatcher=self._workers,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )
        self._stopping = threading.Event()
        self.port: int = listening.getsockname()[1]
        self.url = f"http://{_shown(host)}:{self.port}/"

    def run(self) -> None:
        """Serve until `stop`; then close every connection."""
        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=1, use_poll=True, map=self._map, count=1)
        finally:
            self.close()

    def stop(self) -> None:
        """Make `run` return soon; from any thread or signal handler."""
        self._stopping.set()
        try:
            self._inner.pull_trigger()
        except OSError:  # the loop had ended already
            return

    def close(self) -> None:
        """Let workers finish, and close what is open."""
        self._workers.shutdown()
        self._inner.close_channels()
        self._inner.close()
        wasyncore.close_all(self._map, ignore_all=True)


def serve(
    app: "WSGIApplication",
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    has_users: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; call from the main thread.

    Parameters
    ----------
    app : WSGIApplication
        What answers.
    host, port
        Where; loopback alone, unless there are accounts.
    on_ready : callable
        Told the address once it is listened on.
    has_users : bool
        Whether there are accounts.

    Raises
    ------
    ServeError
        If the address cannot be used; a taken port's message names the next free one.
    """
    server = HttpServer(app, host=host, port=port, has_users=has_users)

    def end(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            on_ready(server.url)
        except BaseException:
            server.close()
            raise
        server.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_address(host: str, port: int, *, has_users: bool = False) -> None:
    """Make sure that an address can be served on, before any long work.

    Raises
    ------
    ServeError
        As `serve`.
    """
    _listen(host, port, has_users=has_users).close()


def is_exposed(host: str) -> bool:
    """Whether other machines reach an address, so that `create_app` has to know nobody by default.

    Raises
    ------
    ServeError
        If the host is not known here.
    """
    return not _is_loopback(_resolve(host)[1])


def _listen(host: str, port: int, *, has_users: bool) -> socket.socket:
    if not 0 <= port <= _MAX_PORT:
        msg = f"port {port} does not exist; choose one of 1024 to {_MAX_PORT}"
        raise ServeError(msg)
    family, address = _resolve(host)
    if not has_users and not _is_loopback(address):
        msg = (
            f"{host} can be reached from other machines, which needs accounts: "
            "add one with 'soundalike users add NAME', or use 127.0.0.1"
        )
        raise ServeError(msg)
    try:
        return _bound(family, address, port)
    except OSError as error:
        raise ServeError(_unusable(error, family, address, port)) from error


def _resolve(host: str) -> tuple[int, str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the host {host!r} is not known here; use 127.0.0.1"
        raise ServeError(msg) from error
    # Every browser tries both families for localhost, so one is enough: the older.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(address[0])


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _shown(host: str) -> str:
    """Return how to call a host in a browser on this machine."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - every address, of which one is told
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _bound(family: int, address: str, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen()
    except BaseException:
        listening.close()
        raise
    return listening


def _unusable(error: OSError, family: int, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        free = _next_free(family, address, port)
        hint = f"{free} is free: use it, or stop what holds {port}" if free else f"stop what holds {port}"
        return f"port {port} is taken; {hint}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} is not for ordinary users; choose one of 1024 to {_MAX_PORT}"
    return f"cannot listen on {address} port {port}: {error.strerror}; use 127.0.0.1"


def _next_free(family: int, address: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + _PORTS_TRIED, _MAX_PORT) + 1):
        try:
            _bound(family, address, candidate).close()
        except OSError:
            continue
        return candidate
    return None


def _connection_limit() -> int:
    """Count the listeners that the process has file descriptors for: a connection and a file each."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(10, min(_MAX_CONNECTIONS, (files - _SPARE_FILES) // 2))
