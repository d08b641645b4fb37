"""Changes to waitress's listening socket: who gets a connection, and when it ends."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waitress.server import TcpWSGIServer

from soundalike.web.errors.log_once import LogOnce
from soundalike.web.security.client_address import Proxies, client_key
from soundalike.web.server.lanes import HEALTH_PATH, Lanes
from soundalike.web.server.limits import SPARE_FILES, Limits, Seats
from soundalike.web.server.waitress_channel import Channel
from soundalike.web.server.waitress_requests import Parser

_MAINTENANCE_S = 1.0
_ACCEPTED_AT_ONCE = 64
_log = logging.getLogger(__name__)


class PlayerServer(TcpWSGIServer):  # type: ignore[misc] # waitress has no types
    """A server that gives each address its share of connections, memory and time.

    Parameters
    ----------
    *args, **kwargs
        waitress's own.
    limits : Limits
        What clients may take.
    lanes : Lanes
        Run requests.
    proxies : Proxies
        Those have no share.
    files : int or None
        How many files this process may have open; None is without a limit.
    clock : callable
        Gives seconds that never go back.
    """

    channel_class = Channel

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - waitress's own
        limits: Limits,
        lanes: Lanes,
        proxies: Proxies,
        files: int | None,
        clock: Callable[[], float],
        **kwargs: Any,  # noqa: ANN401 - waitress's own
    ) -> None:
        self.limits, self.lanes = limits, lanes
        self.clock = clock
        self.seats = Seats(limits)
        self._proxies = proxies
        self._files = files
        self._has_files = True
        self._log_once = LogOnce(clock)
        self._next_maintenance_s = self._accepts_from_s = clock()
        super().__init__(*args, dispatcher=lanes.requests, **kwargs)

    def readable(self) -> bool:
        """Whether to accept connections."""
        return bool(self.accepting and self.clock() >= self._accepts_from_s)

    def maintain(self) -> None:
        """End what is overdue, about once a second; call it between turns of the loop.

        Within a turn a descriptor that is closed may be the next connection's, which would get its events.
        """
        now_s = self.clock()
        if now_s >= self._next_maintenance_s:
            self._next_maintenance_s = now_s + _MAINTENANCE_S
            self.maintenance(now_s)

    def maintenance(self, now: float) -> None:
        """End connections that are overdue, and count the files that are open.

        Parameters
        ----------
        now : float
            By the clock of this server, not waitress's, which goes back when the machine's is set.
        """
        self._has_files = self._files is None or open_files() < self._files - SPARE_FILES // 2
        for channel in tuple(self.active_channels.values()):
            if channel.is_overdue(now):
                channel.give_up()

    def handle_accept(self) -> None:
        """Accept some of the connections that wait; one for which there is no seat is closed at once."""
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted = self.accept()
            except OSError as error:
                self.warn("no connection can be accepted: %s", error)
                self._accepts_from_s = self.clock() + _MAINTENANCE_S
                return
            if accepted is None:
                return
            self._seat(*accepted)

    def _seat(self, connection: Any, address: Any) -> None:  # noqa: ANN401 - a socket, and an address of its family
        client, is_proxy = client_key(address[0]), address[0] in self._proxies
        seat = self.seats.take(client, is_proxy=is_proxy, has_files=self._has_files)
        if seat is None or seat.is_reserved:
            self.warn(
                "%s has all the connections that it may have, or there are none left; "
                "if it is a proxy of yours, name it in the setting 'proxies'",
                client,
            )
        if seat is None:
            connection.close()
            return
        try:
            self.set_socket_options(connection)
        except OSError:  # the client has left
            self.seats.leave(seat)
            connection.close()
            return
        self.channel_class(self, connection, address, self.adj, map=self._map, seat=seat)

    def client_of(self, channel: Channel, request: Parser) -> tuple[str, bool]:
        """Return for whom a request is run, and whether that one has a share of the threads.

        Parameters
        ----------
        channel : Channel
            Its connection, of a client or a proxy.
        request : Parser
            May say for whom a proxy asks.
        """
        if not channel.seat.is_proxy:
            return channel.seat.client, True
        client = self._proxies.client_of(channel.addr[0], request.headers.get("X_FORWARDED_FOR", ""))
        return client_key(client), client not in self._proxies

    def has_room(self, channel: Channel, path: str) -> bool:
        """Whether a request may be run; for ``/healthz`` there is always room.

        Parameters
        ----------
        channel : Channel
            Its connection.
        path : str
            What it asks for.
        """
        if path == HEALTH_PATH:
            return True
        if channel.seat.is_reserved:
            return False
        total = own = 0
        for other in tuple(self.active_channels.values()):
            held = other.held_bytes
            total += held
            own += held if other.seat.client == channel.seat.client else 0
        is_within_share = channel.seat.is_proxy or own <= self.limits.held_share
        return total <= self.limits.held_bytes and is_within_share

    def close_channels(self) -> None:
        """Close every connection and the file that it was sending."""
        for channel in tuple(self.active_channels.values()):
            channel.handle_close()

    def warn(self, message: str, *values: object) -> None:
        """Log a warning, once for a while.

        Parameters
        ----------
        message : str
            With places for the values.
        *values : object
            What it is about.
        """
        if self._log_once.is_new(message % values):
            _log.warning(message, *values)


def open_files() -> int:
    """Count the descriptors that this process has open."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in (folder if folder.is_dir() else Path("/dev/fd")).iterdir())
