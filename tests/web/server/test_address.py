import socket
from contextlib import ExitStack, suppress

import pytest

from soundalike.domain.errors import ServeError
from soundalike.web.server.address import check_address, is_exposed
from soundalike.web.server.serve import HttpServer
from web.server.connections import get, running
from web.stage import Stage


def test_the_error_for_a_taken_port_names_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as more:
        port = taken.getsockname()[1]
        if port == 65_535:
            pytest.skip("the very last port was given out")
        with suppress(OSError):
            more.enter_context(socket.create_server(("127.0.0.1", port + 1)))
        with pytest.raises(ServeError, match=rf"port {port} is taken; (\d+) is free") as caught:
            HttpServer(lambda _environ, _start: [], port=port)
        with pytest.raises(ServeError, match=rf"port {port} is taken"):
            check_address("localhost", port)
    named = int(str(caught.value).split("; ")[1].split()[0])
    assert named > port + 1


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", -1, "does not exist"),
        ("127.0.0.1", 65_536, "does not exist"),
        ("0.0.0.0", 0, "soundalike users add NAME"),  # noqa: S104 - that is refused
        ("::", 0, "soundalike users add NAME"),
        ("no-such-host.invalid", 0, "is unknown"),
        ("a" * 300, 0, "is unknown"),
        ("", 0, "accounts|is unknown"),
    ],
)
def test_the_error_for_an_unusable_address_says_why(host: str, port: int, words: str) -> None:
    with pytest.raises(ServeError, match=words):
        HttpServer(lambda _environ, _start: [], host=host, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104 - with accounts it is served
def test_with_accounts_other_machines_are_served_too(stage: Stage, host: str) -> None:
    check_address(host, 0, has_users=True)
    stage.is_exposed = is_exposed(host)
    with running(stage, host=host, has_users=True) as server:
        assert get(server, "/healthz") == 200
        assert get(server, "/api/me") == (401 if host == "0.0.0.0" else 200)  # noqa: S104 - as above
        assert server.url.startswith(("http://localhost:", "http://127.0.0.1:"))


@pytest.mark.parametrize(
    ("host", "is_reachable"),
    [("127.0.0.1", False), ("localhost", False), ("127.0.0.2", False), ("0.0.0.0", True)],  # noqa: S104 - asked about, not bound
)
def test_is_exposed_says_whether_other_machines_can_reach_an_address(
    host: str, *, is_reachable: bool
) -> None:
    assert is_exposed(host) == is_reachable
