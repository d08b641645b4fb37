"""A proxy by which a server says that it is a replica set, and refuses or ignores transactions."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal
from urllib.parse import urlsplit

import bson

_MESSAGE = 2013
_HEADER = struct.Struct("<iiii")
_OF_TRANSACTIONS = ("startTransaction", "autocommit", "txnNumber")
_REFUSAL = {
    "ok": 0.0,
    "errmsg": "Transaction numbers are only allowed on a replica set member or mongos",
    "code": 20,
}
_UNKNOWN = {"ok": 0.0, "errmsg": "this server has no transactions", "code": 115}

Manner = Literal["refuses", "refuses in other words", "ignores"]


@contextmanager
def without_transactions(url: str, manner: Manner) -> Iterator[str]:
    """Yield another connection string for a database, by which its server lacks transactions."""
    parts = urlsplit(url)
    upstream = (parts.hostname or "127.0.0.1", parts.port or 27017)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, upstream, manner), daemon=True).start()
        yield f"mongodb://127.0.0.1:{listening.getsockname()[1]}{parts.path}?directConnection=true"


def _accept(listening: socket.socket, upstream: tuple[str, int], manner: Manner) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(upstream)
            threading.Thread(target=_pass_on, args=(client, server, manner), daemon=True).start()
            threading.Thread(target=_pass_back, args=(server, client), daemon=True).start()


def _pass_back(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError), client:
        while data := server.recv(1 << 16):
            client.sendall(data)


def _pass_on(client: socket.socket, server: socket.socket, manner: Manner) -> None:
    with suppress(OSError, struct.error), server, client:
        while True:
            head = _exactly(client, _HEADER.size)
            length, number, _, kind = _HEADER.unpack(head)
            body = _exactly(client, length - _HEADER.size)
            answer = None
            if kind == _MESSAGE:
                body, answer = _without_transaction(body, manner)
            if answer is None:
                server.sendall(_HEADER.pack(_HEADER.size + len(body), number, 0, kind) + body)
            else:
                told = struct.pack("<IB", 0, 0) + bson.encode(answer)
                client.sendall(_HEADER.pack(_HEADER.size + len(told), 0, number, _MESSAGE) + told)


def _without_transaction(body: bytes, manner: Manner) -> tuple[bytes, dict[str, Any] | None]:
    """Return a message without what makes it part of a transaction, or the answer to it."""
    (flags,) = struct.unpack_from("<I", body)
    (size,) = struct.unpack_from("<i", body, 5)
    if flags or body[4]:
        return body, None
    command: dict[str, Any] = bson.decode(body[5 : 5 + size])
    if "autocommit" not in command:
        return body, None
    if manner != "ignores":
        return body, _REFUSAL if manner == "refuses" else _UNKNOWN
    if next(iter(command)) in {"abortTransaction", "commitTransaction"}:
        return body, {"ok": 1.0}
    for name in _OF_TRANSACTIONS:
        command.pop(name, None)
    command.pop("readConcern", None)
    return body[:5] + bson.encode(command) + body[5 + size :], None


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data
