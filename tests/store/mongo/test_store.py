from collections.abc import Callable, Iterator

import pytest

from soundalike.store.mongo.store import MongoStore
from store.contract import DurableStoreContract

pytestmark = pytest.mark.mongodb


class MongoFixtures:
    @pytest.fixture
    def reopen(self, url: str) -> Iterator[Callable[[], MongoStore]]:
        opened: list[MongoStore] = []

        def open_again() -> MongoStore:
            opened.append(MongoStore(url))
            return opened[-1]

        yield open_again
        for store in opened:
            store.close()

    @pytest.fixture
    def store(self, reopen: Callable[[], MongoStore]) -> MongoStore:
        return reopen()


class TestMongoStore(MongoFixtures, DurableStoreContract):
    pass
