"""Addresses of clients: which ones are proxies, and what counts as one client."""

import ipaddress
import logging
from collections.abc import Iterable

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_IPV6_NETWORK_BITS = 64
_MAX_LOGGED = 100
_log = logging.getLogger(__name__)


class Proxies:
    """The proxies that may say for whom they ask, and hold connections for many.

    Parameters
    ----------
    networks : iterable of IPv4Network or IPv6Network
        Their addresses.
    """

    def __init__(self, networks: Iterable[IPNetwork] = ()) -> None:
        self._networks = frozenset(networks)
        self._logged: set[str] = set()

    def __contains__(self, address: str) -> bool:
        """Whether an address is one of a proxy."""
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def client_of(self, peer: str, forwarded_for: str) -> str:
        """Return the address of the client that a request comes from.

        Parameters
        ----------
        peer : str
            The address of the connection.
        forwarded_for : str
            The header ``X-Forwarded-For``; each proxy appends from whom it has the request. It is believed
            from the end on, as long as those who say it are proxies.
        """
        client = peer
        for said in reversed(forwarded_for.split(",")):
            parsed = _parse(said.strip())
            if client not in self or parsed is None:
                break
            client = str(parsed)
        return client

    def warn_of(self, peer: str) -> None:
        """Log, once for each address, that a request of it was forwarded but its proxy is not named."""
        if peer in self or peer in self._logged or len(self._logged) >= _MAX_LOGGED:
            return
        self._logged.add(peer)
        _log.warning(
            "a request from %s was forwarded by a proxy that is not known, so all its users count as one "
            "client; if the proxy is yours, name it in the setting 'proxies': proxies = [%r]",
            peer,
            peer,
        )


def client_key(address: str) -> str:
    """Return what a client is counted by: its address, or for IPv6 the /64 network of one customer."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed), _IPV6_NETWORK_BITS), strict=False))
    return address if parsed is None else str(parsed)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
