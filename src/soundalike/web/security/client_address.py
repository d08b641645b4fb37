"""Addresses of clients: which ones are proxies, and what counts as one client."""

import ipaddress
import logging
import re
from collections.abc import Iterable

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_IPV6_NETWORK_BITS = 64
_MAX_LOGGED = 100
_MAX_SHOWN = 80
_WITH_PORT = re.compile(r"\[([0-9a-f:.%]+)\](?::[0-9]*)?|([0-9.]+):[0-9]*", re.ASCII | re.IGNORECASE)
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
            from the end on, as long as those who say it are proxies. Ports are left out.
        """
        return self._traced(peer, forwarded_for)[0]

    def warn_of(self, peer: str, forwarded_for: str) -> None:
        """Log, once for each proxy, that all its users count as one client, and what to do.

        Parameters
        ----------
        peer, forwarded_for : str
            Of a request that was forwarded, as for `client_of`.
        """
        proxy, is_readable = self._traced(peer, forwarded_for)
        is_known = peer in self
        if (is_known and is_readable) or proxy in self._logged or len(self._logged) >= _MAX_LOGGED:
            return
        self._logged.add(proxy)
        if is_known:
            _log.warning(
                "the proxy %s does not say for whom it asks, so all its users count as one client: its "
                "header X-Forwarded-For is %r; have it append the client's address there, as nginx does by "
                "'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for' (Forwarded is not read)",
                proxy,
                forwarded_for[-_MAX_SHOWN:],
            )
        else:
            _log.warning(
                "a request from %s was forwarded by a proxy that is not known, so all its users count as one "
                "client; if the proxy is yours, name it in the setting 'proxies': proxies = [%r]",
                peer,
                peer,
            )

    def _traced(self, peer: str, forwarded_for: str) -> tuple[str, bool]:
        """Return the client of a request, and whether all was readable that proxies say of it."""
        client = peer
        for said in reversed(forwarded_for.split(",")):
            if client not in self:
                break
            parsed = _parse(_without_port(said.strip()))
            if parsed is None:
                return client, False
            client = str(parsed)
        return client, True


def client_key(address: str) -> str:
    """Return what a client is counted by: its address, or for IPv6 the /64 network of one customer."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed), _IPV6_NETWORK_BITS), strict=False))
    return address if parsed is None else str(parsed)


def _without_port(said: str) -> str:
    """Return an address without the port that some proxies, such as Azure's, write beside it."""
    match = _WITH_PORT.fullmatch(said)
    return said if match is None else match[1] or match[2]


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
