"""The HTTP server: a listening socket, waitress's loop and threads, and a clean end."""

import logging
import resource
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from soundalike.web.server.address import browser_host, listen
from soundalike.web.server.waitress_channel import PlayerServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
STALLED_AFTER_S = 300
# More than the player accepts: an answer before the whole body has come would reset the connection unread.
_MAX_BODY_BYTES = 64 << 20
_MAX_CONNECTIONS = 1000
_SPARE_FILES = 100


class HttpServer:
    """A server that listens from the moment it is made.

    A client that reads slowly has a connection and an open file, but no thread: threads pass whole answers
    to the event loop, audio as an open file.

    Parameters
    ----------
    app : WSGIApplication
        Answers requests.
    host : str
        A loopback host, unless there are accounts.
    port : int
        0 takes any free one.
    threads : int
        Threads that run the application.
    has_users : bool
        Whether there are accounts; without, other machines are not served.

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
        listening = listen(host, port, has_users=has_users)
        # It warns of queued requests, which the covers of one page cause.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        adjustments = Adjustments(
            sockets=[listening],
            threads=threads,
            ident=None,
            connection_limit=_connection_limit(),
            channel_timeout=STALLED_AFTER_S,
            max_request_body_size=_MAX_BODY_BYTES,
            # Needed by the host check, which refuses proxies while there are no accounts.
            clear_untrusted_proxy_headers=False,
            # A lower mark would block a thread for a client that sends many requests and reads nothing.
            outbuf_high_watermark=sys.maxsize,
        )
        self._map: dict[int, object] = {}
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(threads)
        self._server = PlayerServer(
            app,
            self._map,
            _sock=listening,
            dispatcher=self._dispatcher,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )
        self._stopping = threading.Event()
        self.port: int = listening.getsockname()[1]
        self.url = f"http://{browser_host(host)}:{self.port}/"

    def run(self) -> None:
        """Serve until `stop`; then close every connection."""
        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=1, use_poll=True, map=self._map, count=1)
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
        self._dispatcher.shutdown()
        self._server.close_channels()
        self._server.close()
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
        Answers requests.
    host, port
        The address; a loopback one, unless there are accounts.
    on_ready : callable
        Called with the URL once the server listens.
    has_users : bool
        Whether there are accounts.

    Raises
    ------
    ServeError
        If the address cannot be used; if the port is taken, the message names the next free one.
    """
    server = HttpServer(app, host=host, port=port, has_users=has_users)

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


def _connection_limit() -> int:
    """Return how many clients the file descriptors suffice for: a connection and a file each."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(10, min(_MAX_CONNECTIONS, (files - _SPARE_FILES) // 2))
