from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from conftest import skip_where
from servers.mongodb import MongoDb, drop_database, empty_database, missing_mongodb, new_database
from servers.processes import running

PARTS = (
    "",
    "_accounts",
    "_catalogue",
    "_collections",
    "_copying",
    "_features",
    "_listens",
    "_places",
    "_profiles",
    "_record",
    "_scans",
    "_search",
    "_settling",
    "_tracks",
    "_vectors",
)
for part in PARTS:
    pytest.register_assert_rewrite(f"store.contract{part}")
pytest.register_assert_rewrite("store.asking")


@pytest.fixture(scope="module")
def database(mongodb: str) -> Iterator[str]:
    """The setting ``store`` for the database that the tests of a module share; use it through `url`."""
    url = new_database(mongodb)
    yield url
    drop_database(url)


@pytest.fixture
def url(database: str) -> Iterator[str]:
    """The setting ``store`` for a database that is empty, but may have its indexes already."""
    yield database
    empty_database(database)


@pytest.fixture
def raw(url: str) -> Iterator[Any]:
    """Give the database of `url` as it is, past the store."""
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoDb]:
    """Give a server that a test may do anything to, and that loses nothing it has acknowledged."""
    skip_where(missing_mongodb())
    with running(server := MongoDb(tmp_path / "mongodb")):
        yield server
