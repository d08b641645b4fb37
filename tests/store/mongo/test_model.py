"""Whatever is done to it, in whatever order, the MongoDB store is what the model in memory is."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from pymongo import MongoClient

from fakes import MemoryStore
from servers.mongodb import drop_database, new_database
from soundalike.domain.types import ProfileVersion
from soundalike.store.mongo.indexes import INDEXES
from soundalike.store.mongo.store import MongoStore
from store.sqlite.test_model import StoreMachine
from store.sqlite.test_personal_model import ListenersMachine

pytestmark = pytest.mark.mongodb

SETTINGS = settings(
    max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.fixture
def url(mongodb: str) -> Iterator[str]:
    url = new_database(mongodb)
    yield url
    drop_database(url)


def empty(url: str) -> None:
    """Remove what a database holds, but not its indexes: these take longest."""
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    with client:
        for name in INDEXES:
            client.get_default_database()[name].delete_many({})


class OnMongoDb(RuleBasedStateMachine):
    """What both machines do otherwise than on a file."""

    url: ClassVar[str]

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        self.store = self.opened()
        self.model = MemoryStore()
        self.versions: list[ProfileVersion | None] = [None, None]

    def opened(self) -> Any:
        return MongoStore(self.url)

    def teardown(self) -> None:
        self.store.close()
        empty(self.url)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()


class MongoStoreMachine(OnMongoDb, StoreMachine):
    pass


class MongoListenersMachine(OnMongoDb, ListenersMachine):
    pass


def test_the_library_is_what_the_model_is(url: str) -> None:
    run_state_machine_as_test(type("Machine", (MongoStoreMachine,), {"url": url}), settings=SETTINGS)


def test_what_listeners_leave_is_what_the_model_holds(url: str) -> None:
    run_state_machine_as_test(type("Machine", (MongoListenersMachine,), {"url": url}), settings=SETTINGS)
