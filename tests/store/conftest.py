from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from conftest import skip_where
from servers.mongodb import MongoDb, drop_database, missing_mongodb, new_database
from servers.processes import running

for part in ("", "_accounts", "_copying", "_listens", "_profiles", "_search", "_tracks", "_vectors"):
    pytest.register_assert_rewrite(f"store.contract{part}")
pytest.register_assert_rewrite("store.asking")


@pytest.fixture
def url(mongodb: str) -> Iterator[str]:
    """Name a database of MongoDB's that nobody else has."""
    url = new_database(mongodb)
    yield url
    drop_database(url)


@pytest.fixture
def raw(url: str) -> Iterator[Any]:
    """Give the database as it is, past the store."""
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoDb]:
    """Give a server that a test may do anything to, and that loses nothing it has acknowledged."""
    skip_where(missing_mongodb())
    with running(server := MongoDb(tmp_path / "mongodb")):
        yield server
