"""The HTTP server: a listening socket, waitress's loop and threads, and a clean end."""

import contextlib
import logging
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from waitress import wasyncore
from waitress.adjustments import Adjustments

from soundalike.web.errors.responses import MAX_BODY_BYTES
from soundalike.web.security.client_address import Proxies
from soundalike.web.server.address import browser_host, listen
from soundalike.web.server.lanes import Lanes
from soundalike.web.server.limits import Limits, limits_for, shortage
from soundalike.web.server.waitress_server import PlayerServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
_WANTED_FILES = 4096
_log = logging.getLogger(__name__)


class HttpServer:
    """A server that listens from the moment it is made.

    A client that reads slowly has a connection and an open file, but no thread: threads pass answers to the
    event loop, audio and long answers as an open file. Only threads for files wait for the library's disks.

    Parameters
    ----------
    app : WSGIApplication
        Answers requests.
    host : str
        A loopback host, unless there are accounts.
    port : int
        0 takes any free one.
    threads : int
        Threads that run the application, and as many for what needs files of the library.
    has_users : bool
        Whether there are accounts; without, other machines are not served.
    proxies : Proxies
        Those have no share of the connections.
    limits : Limits or None
        What clients may take; None depends on how many files this process may have open.
    clock : callable
        Gives seconds that never go back.

    Raises
    ------
    ServeError
        If the address cannot be used.
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own
        self,
        app: "WSGIApplication",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = THREADS,
        has_users: bool = False,
        proxies: Proxies | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        listening = listen(host, port, has_users=has_users)
        adjustments = Adjustments(
            sockets=[listening],
            threads=threads,
            ident=None,
            # waitress refuses a body of this size.
            max_request_body_size=MAX_BODY_BYTES + 1,
            inbuf_overflow=MAX_BODY_BYTES + 1,
            # Needed by the host check, which refuses proxies while there are no accounts.
            clear_untrusted_proxy_headers=False,
            # No thread waits for a client: what may be long is sent from a file.
            outbuf_high_watermark=sys.maxsize,
            outbuf_overflow=sys.maxsize,
        )
        self._map: dict[int, object] = {}
        limits = limits or limits_for(file_limit())
        self._lanes = Lanes(threads, clock=clock, patience_s=limits.file_s)
        self._server = PlayerServer(
            app,
            self._map,
            _sock=listening,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
            limits=limits,
            lanes=self._lanes,
            proxies=proxies or Proxies(),
            files=file_limit(),
            clock=clock,
        )
        self._stopping = threading.Event()
        self.port: int = listening.getsockname()[1]
        self.url = f"http://{browser_host(host)}:{self.port}/"

    def run(self) -> None:
        """Serve until `stop`; then close every connection."""
        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=1, use_poll=True, map=self._map, count=1)
                self._server.maintain()
        finally:
            self.close()

    def stop(self) -> None:
        """Make `run` return soon; callable from any thread and from signal handlers."""
        self._stopping.set()
        try:
            self._server.pull_trigger()
        except OSError:  # the loop has already ended
            return

    def close(self) -> None:
        """Wait for running requests, then close all connections."""
        self._lanes.end(self._server.close_channels)
        self._server.close()
        wasyncore.close_all(self._map, ignore_all=True)


def serve(
    app: "WSGIApplication",
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    has_users: bool = False,
    proxies: Proxies | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; call from the main thread.

    Parameters
    ----------
    app : WSGIApplication
        Answers requests.
    host, port
        The address; a loopback one, unless there are accounts.
    on_ready : callable
        Called with the URL once the server listens.
    has_users : bool
        Whether there are accounts.
    proxies : Proxies
        Those have no share of the connections.

    Raises
    ------
    ServeError
        If the address cannot be used; if the port is taken, the message names the next free one.
    """
    _allow_more_files()
    if notice := shortage(file_limit()):
        _log.warning("%s", notice)
    server = HttpServer(app, host=host, port=port, has_users=has_users, proxies=proxies)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            on_ready(server.url)
        except BaseException:
            server.close()
            raise
        server.run()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def file_limit() -> int | None:
    """Return how many files this process may have open; None is without a limit."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if files == resource.RLIM_INFINITY else files


def _allow_more_files() -> None:
    """Raise the limit of open files as far as needed and allowed; many systems begin with 256 or 1,024."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if most == resource.RLIM_INFINITY else min(_WANTED_FILES, most)
    if files != resource.RLIM_INFINITY and files < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
