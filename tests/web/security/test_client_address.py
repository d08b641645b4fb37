import ipaddress
import logging

import pytest

from soundalike.web.security.client_address import Proxies, client_key

PROXIES = Proxies([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1")])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("10.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, <script>", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1:1000", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9:443, 192.0.2.1:1000, 10.1.2.3:80", "192.0.2.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("10.0.0.1", "2001:db8::1:443", "2001:db8::1:443"),
        ("10.0.0.1", "[192.0.2.1:80", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1:80:80", "10.0.0.1"),
        ("203.0.113.5", "192.0.2.1", "203.0.113.5"),
        ("127.0.0.1", "192.0.2.1", "127.0.0.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_only_proxies_are_believed_about_the_client(peer: str, forwarded_for: str, client: str) -> None:
    assert PROXIES.client_of(peer, forwarded_for) == client


def test_nobody_is_a_proxy_unless_it_is_named() -> None:
    assert "127.0.0.1" not in Proxies()
    assert Proxies().client_of("127.0.0.1", "192.0.2.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_client_is_counted_by_its_address_or_its_ipv6_network(address: str, key: str) -> None:
    assert client_key(address) == key


def test_an_unknown_proxy_is_logged_once_with_the_setting_that_it_needs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxies = Proxies([ipaddress.ip_network("10.0.0.1")])
    with caplog.at_level(logging.WARNING):
        for peer in ("192.0.2.7", "192.0.2.7", "10.0.0.1", "192.0.2.8"):
            proxies.warn_of(peer, "203.0.113.9")
    first, second = (record.getMessage() for record in caplog.records)
    assert "proxies = ['192.0.2.7']" in first
    assert "192.0.2.8" in second


@pytest.mark.parametrize(
    "said", ["", "unknown", "for=192.0.2.1", "192.0.2.1, _hidden", "\x1b[31m" + "x" * 500]
)
def test_a_named_proxy_that_does_not_say_for_whom_it_asks_is_logged_once_with_what_to_set(
    caplog: pytest.LogCaptureFixture, said: str
) -> None:
    with caplog.at_level(logging.WARNING):
        proxies = Proxies([ipaddress.ip_network("10.0.0.0/8")])
        for _ in range(3):
            proxies.warn_of("10.0.0.1", said)
    (told,) = (record.getMessage() for record in caplog.records)
    assert "the proxy 10.0.0.1 does not say for whom it asks" in told
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for" in told
    assert "\x1b" not in told
    assert len(told) < 450


def test_of_a_chain_the_proxy_is_named_that_does_not_say_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Proxies([ipaddress.ip_network("10.0.0.0/8")]).warn_of("10.0.0.1", "unknown, 10.0.0.2")
    assert "the proxy 10.0.0.2 does" in caplog.text


@pytest.mark.parametrize("said", ["192.0.2.1", "192.0.2.1:80", "nonsense, 192.0.2.1", "10.9.9.9"])
def test_a_named_proxy_that_says_it_is_not_logged(caplog: pytest.LogCaptureFixture, said: str) -> None:
    with caplog.at_level(logging.WARNING):
        Proxies([ipaddress.ip_network("10.0.0.0/8")]).warn_of("10.0.0.1", said)
    assert not caplog.records


def test_so_many_unknown_proxies_are_not_all_logged(caplog: pytest.LogCaptureFixture) -> None:
    proxies = Proxies()
    with caplog.at_level(logging.WARNING):
        for number in range(1000):
            proxies.warn_of(f"198.51.{number // 256}.{number % 256}", "")
    assert len(caplog.records) == 100
