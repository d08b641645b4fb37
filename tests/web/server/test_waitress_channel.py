"""The parts of waitress that are overridden: what they do, and that waitress still has them."""

import inspect
import re
import socket
import tomllib
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from waitress.adjustments import Adjustments
from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from conftest import ROOT
from soundalike.web.server.limits import Limits, Seat
from soundalike.web.server.waitress_channel import TURN_BYTES, Channel


class FastClient:
    """A socket whose other end reads at once whatever is sent."""

    def __init__(self) -> None:
        self.taken = 0

    def send(self, data: bytes) -> int:
        self.taken += len(data)
        return len(data)


def test_a_fast_download_sends_a_limited_amount_in_each_turn() -> None:
    here, there = socket.socketpair()
    server = SimpleNamespace(active_channels={}, clock=lambda: 0.0, limits=Limits())
    with here, there:
        adjustments = Adjustments(outbuf_overflow=1 << 30)
        channel = Channel(server, here, "", adjustments, map={}, seat=Seat("client"))
        whole = 3 * TURN_BYTES + 1
        channel.outbufs[-1].append(bytes(whole))
        channel.total_outbufs_len = whole
        channel.socket = client = FastClient()
        sent = []
        for _ in range(4):
            channel.handle_write()
            sent.append(client.taken)
    assert sent == [TURN_BYTES * turns for turns in (1, 2, 3)] + [whole]


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        (HTTPChannel.__init__, "(self, server, sock, addr, adj, map=None)"),
        (HTTPChannel.handle_write, "(self)"),
        (HTTPChannel.handle_close, "(self)"),
        (HTTPChannel.handle_read, "(self)"),
        (HTTPChannel.received, "(self, data)"),
        (HTTPChannel.readable, "(self)"),
        (HTTPChannel.writable, "(self)"),
        (HTTPChannel.send_continue, "(self)"),
        (HTTPChannel.del_channel, "(self, map=None)"),
        (HTTPRequestParser.received, "(self, data)"),
        (HTTPChannel.write_soon, "(self, data)"),
        (HTTPChannel.send, "(self, data, do_close=True)"),
        (HTTPRequestParser.parse_header, "(self, header_plus)"),
        (ErrorTask.execute, "(self)"),
        (TcpWSGIServer.maintenance, "(self, now)"),
        (TcpWSGIServer.pull_trigger, "(self)"),
        (TcpWSGIServer.readable, "(self)"),
        (TcpWSGIServer.handle_accept, "(self)"),
        (TcpWSGIServer.set_socket_options, "(self, conn)"),
        (HTTPChannel.service, "(self)"),
        (HTTPChannel.cancel, "(self)"),
        (HTTPChannel.check_client_disconnected, "(self)"),
        (WSGITask.build_response_header, "(self)"),
        (WSGITask.get_environment, "(self)"),
        (ReadOnlyFileBasedBuffer.prepare, "(self, size=None)"),
        (ReadOnlyFileBasedBuffer.get, "(self, numbytes=-1, skip=False)"),
        (ReadOnlyFileBasedBuffer.skip, "(self, numbytes, allow_prune=0)"),
        (ReadOnlyFileBasedBuffer.close, "(self)"),
    ],
)
def test_waitress_still_has_the_internals_that_are_overridden_or_called(
    method: Callable[..., object], signature: str
) -> None:
    assert str(inspect.signature(method)) == signature


def test_waitress_still_uses_the_classes_that_are_replaced() -> None:
    source = inspect.getsource(HTTPChannel)
    assert "self.parser_class(self.adj)" in source
    assert "self.error_task_class(self, request)" in source
    assert "self.channel_class(" in inspect.getsource(inspect.getmodule(TcpWSGIServer))  # type: ignore[arg-type] # it has one
    assert "if self.chunked_response:" in inspect.getsource(WSGITask.finish)
    with_state = inspect.getsource(HTTPChannel.__init__)
    assert {"sendbuf_len", "last_activity", "requests"} <= set(
        re.findall(r"self\.(\w+)", with_state + source)
    )


def test_the_version_of_waitress_is_capped_since_its_internals_are_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "waitress>=3.0.2,<4" in project["project"]["dependencies"]
