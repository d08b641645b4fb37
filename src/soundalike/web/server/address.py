"""The address that the player is served on: which ones may be used, and a socket that listens there."""

import errno
import ipaddress
import socket

from soundalike.domain.errors import ServeError

_MAX_PORT = 65_535
_PORTS_TRIED = 200


def check_address(host: str, port: int, *, has_users: bool = False) -> None:
    """Check that an address can be served on, before any long work.

    Parameters
    ----------
    host, port, has_users
        As for `listen`.

    Raises
    ------
    ServeError
        As `listen`.
    """
    listen(host, port, has_users=has_users).close()


def is_exposed(host: str) -> bool:
    """Return whether other machines can reach an address, so that every user has to log in.

    Raises
    ------
    ServeError
        If the host is unknown.
    """
    return not _is_loopback(_resolve(host)[1])


def listen(host: str, port: int, *, has_users: bool) -> socket.socket:
    """Return a socket that listens on an address.

    Parameters
    ----------
    host : str
        A name or IP address of this machine; a loopback one, unless there are accounts.
    port : int
        0 takes any free one.
    has_users : bool
        Whether there are accounts.

    Raises
    ------
    ServeError
        If the address cannot be used; if the port is taken, the message names the next free one.
    """
    if not 0 <= port <= _MAX_PORT:
        msg = f"port {port} does not exist; choose one from 1024 to {_MAX_PORT}"
        raise ServeError(msg)
    family, address = _resolve(host)
    if not has_users and not _is_loopback(address):
        msg = (
            f"other machines can reach {host}, so accounts are needed: "
            "add one with 'soundalike users add NAME', or use 127.0.0.1"
        )
        raise ServeError(msg)
    try:
        return _bind(family, address, port)
    except OSError as error:
        raise ServeError(_explain(error, family, address, port)) from error


def browser_host(host: str) -> str:
    """Return the host to open in a browser on this machine."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _resolve(host: str) -> tuple[int, str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the host {host!r} is unknown on this machine; use 127.0.0.1"
        raise ServeError(msg) from error
    # Browsers try both families for localhost, so one is enough: IPv4.
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, str(address[0])


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _bind(family: int, address: str, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen()
    except BaseException:
        listening.close()
        raise
    return listening


def _explain(error: OSError, family: int, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        free = _next_free(family, address, port)
        hint = f"{free} is free: use it, or stop what uses {port}" if free else f"stop what uses {port}"
        return f"port {port} is taken; {hint}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} needs root; choose one from 1024 to {_MAX_PORT}"
    return f"cannot serve at {address} port {port}: {error.strerror}; use 127.0.0.1"


def _next_free(family: int, address: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + _PORTS_TRIED, _MAX_PORT) + 1):
        try:
            _bind(family, address, candidate).close()
        except OSError:
            continue
        return candidate
    return None
