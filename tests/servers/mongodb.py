"""A server that speaks MongoDB's protocol: the one that is named, or one of our own that keeps its data."""

import os
import sys
import uuid
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from servers.processes import ServerProcess, free_ports
from soundalike.store.mongo.indexes import INDEXES, KEY, LIBRARY

VARIABLE = "SOUNDALIKE_TEST_MONGODB"
_INTERNAL_ERROR = 1
PROGRAM = Path(sys.executable).with_name("secantusd-py")


def named_mongodb() -> str | None:
    """Return the connection string (without a database) of a server that is there already."""
    return os.environ.get(VARIABLE) or None


def missing_mongodb() -> str | None:
    """Say what is missing to start a server, None where nothing is."""
    if PROGRAM.exists():
        return None
    return f"no MongoDB server on this machine; fetch one with 'make servers', or name one in {VARIABLE}"


class MongoDb(ServerProcess):
    """A server in a folder; what it was told outlives ``kill`` and ``start`` if it is durable, and slower."""

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        (self.port,) = free_ports(1)
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(PROGRAM), "--port", str(self.port), "--storage-path", str(folder / "data")]
        command += ["--sync-on-commit"] if is_durable else []
        super().__init__([*command, "--log-level", "WARNING"], folder / "mongodb.log")

    @property
    def address(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        super().start()
        self.wait_until(self._answers)

    def _answers(self) -> bool:
        return self._error_of("ping") is None

    def is_broken(self) -> bool:
        """Whether it runs, and answers whatever it is asked with an error of its own.

        That happens where its storage engine meets a full disk in a log file; MongoDB ends itself then.
        """
        error = self._error_of("listDatabases")
        return isinstance(error, OperationFailure) and error.code == _INTERNAL_ERROR

    def _error_of(self, command: str) -> PyMongoError | None:
        with MongoClient[dict[str, Any]](self.address, serverSelectionTimeoutMS=500) as client:
            try:
                client.admin.command(command)
            except PyMongoError as error:
                return error
        return None


def new_database(address: str) -> str:
    """Return the setting ``store`` for a database that nobody else has."""
    base, _, options = address.partition("?")
    return f"{base.rstrip('/')}/test-{uuid.uuid4().hex[:12]}{'?' if options else ''}{options}"


def empty_database(url: str) -> None:
    """Remove what a store's database holds, but not what makes it one: to create indexes takes longest."""
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    with client:
        database = client.get_default_database()
        for name in INDEXES:
            database[name].delete_many({})
        database[LIBRARY].insert_one({"_id": KEY, "version": 0})


def drop_database(url: str) -> None:
    """Drop a database of a server that stays; one that tests have started goes with its folder."""
    if named_mongodb() is None:
        return
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    client.drop_database(client.get_default_database())
    client.close()
