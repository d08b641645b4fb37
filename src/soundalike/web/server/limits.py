"""What clients may take of one process: connections, memory and time."""

from collections import Counter
from dataclasses import dataclass

MOST_CONNECTIONS = 1000
SHARES = 8
"""How many addresses it takes to use up all connections, or all memory."""
BROWSER_CONNECTIONS = 8
"""What one browser may open; most open 6."""
SPARE_FILES = 100
"""Descriptors that are left to the rest of the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all clients, and one address, may take.

    Parameters
    ----------
    connections : int
        Connections at once; each may have a file open.
    least_share : int
        Connections of one address, also where an eighth of all would be fewer.
    reserved, reserved_share : int
        Connections beyond those, of all and of one address, that are answered at ``/healthz`` alone.
    held_bytes : int
        Bodies of requests, and answers that are not taken yet; without files.
    first_s : float
        Until the first byte of a new connection.
    header_s : float
        From the first byte of a request to the end of its header.
    body_s, body_rate : float
        For a body, so many seconds and one more for each `body_rate` bytes that have come.
    idle_s : float
        Between requests, or without taking anything of an answer: someone may have paused the music.
    file_s : float
        For a disk to open a file of the library, or to give the next piece of it; some have to spin up first.
    linger_s : float
        For a client that goes on sending what was refused: it would not read the answer if the connection
        was closed at once.
    """

    connections: int = MOST_CONNECTIONS
    least_share: int = BROWSER_CONNECTIONS
    reserved: int = 16
    reserved_share: int = 4
    held_bytes: int = 128 << 20
    first_s: float = 30.0
    header_s: float = 20.0
    body_s: float = 20.0
    body_rate: float = 4096.0
    idle_s: float = 300.0
    file_s: float = 10.0
    linger_s: float = 5.0

    @property
    def share(self) -> int:
        """Connections of one address."""
        return max(self.least_share, self.connections // SHARES)

    @property
    def held_share(self) -> int:
        """Bytes that are held for one address."""
        return self.held_bytes // SHARES


def limits_for(files: int | None) -> Limits:
    """Return the limits where a process may have so many files open; None is without a limit."""
    if files is None:
        return Limits()
    return Limits(connections=max(10, min(MOST_CONNECTIONS, (files - SPARE_FILES) // 2)))


def shortage(files: int | None) -> str | None:
    """Say what is wrong where a process may have so few files open that few browsers use up all."""
    connections = limits_for(files).connections
    if connections >= SHARES * BROWSER_CONNECTIONS:
        return None
    needed = SPARE_FILES + 2 * MOST_CONNECTIONS
    return (
        f"this process may have only {files} files open, so {connections} connections, and one browser opens "
        f"up to {BROWSER_CONNECTIONS}; allow more before the start, with 'ulimit -n {needed}' or, where "
        f"systemd starts it, LimitNOFILE={needed}"
    )


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of a connection among all.

    Parameters
    ----------
    client : str
        What it is counted by.
    is_reserved : bool
        Whether it is one that is answered at ``/healthz`` alone.
    is_proxy : bool
        Whether it has no share, since it stands for many clients.
    """

    client: str
    is_reserved: bool = False
    is_proxy: bool = False


class Seats:
    """Gives connections a seat, as long as there are any.

    Parameters
    ----------
    limits : Limits
        How many there are.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken = {False: Counter[str](), True: Counter[str]()}

    def take(self, client: str, *, is_proxy: bool, has_files: bool = True) -> Seat | None:
        """Return a seat, or None where there is none for this client.

        Parameters
        ----------
        client : str
            What it is counted by.
        is_proxy : bool
            Whether it has no share.
        has_files : bool
            Whether the process can open more files; if not, only reserved seats are left.
        """
        for is_reserved in (False, True):
            taken = self._taken[is_reserved]
            most, share = (
                (self._limits.reserved, self._limits.reserved_share)
                if is_reserved
                else (self._limits.connections, self._limits.share)
            )
            is_free = taken.total() < most and (is_reserved or has_files)
            if is_free and (is_proxy or taken[client] < share):
                taken[client] += 1
                return Seat(client, is_reserved, is_proxy)
        return None

    def leave(self, seat: Seat) -> None:
        """Give a seat back."""
        taken = self._taken[seat.is_reserved]
        taken[seat.client] -= 1
        if not taken[seat.client]:
            del taken[seat.client]
