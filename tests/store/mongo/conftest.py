"""Databases that the program of version 1 has filled."""

from collections.abc import Iterator

import pytest

from compatibility.library import restore_mongodb
from servers.mongodb import drop_database, new_database
from soundalike.store.mongo.store import MongoStore


@pytest.fixture
def old_url(mongodb: str) -> Iterator[str]:
    """The setting ``store`` for a database that the program of version 1 has filled."""
    url = new_database(mongodb)
    restore_mongodb(url)
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def migrated(mongodb: str) -> Iterator[str]:
    """The setting ``store`` for a migrated database, which no test changes."""
    url = new_database(mongodb)
    restore_mongodb(url)
    MongoStore(url).close()
    yield url
    drop_database(url)
