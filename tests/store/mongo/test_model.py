"""The MongoDB store equals a model in memory after any sequence of calls."""

from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from fakes import MemoryStore
from servers.mongodb import empty_database
from soundalike.domain.types import ProfileVersion
from soundalike.store.mongo.store import MongoStore
from store.sqlite.test_model import StoreMachine
from store.sqlite.test_personal_model import ListenersMachine

pytestmark = pytest.mark.mongodb

SETTINGS = settings(
    max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


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
        empty_database(self.url)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()


class MongoStoreMachine(OnMongoDb, StoreMachine):
    pass


class MongoListenersMachine(OnMongoDb, ListenersMachine):
    pass


def test_the_library_equals_its_model(url: str) -> None:
    run_state_machine_as_test(type("Machine", (MongoStoreMachine,), {"url": url}), settings=SETTINGS)


def test_the_data_of_listeners_equals_its_model(url: str) -> None:
    run_state_machine_as_test(type("Machine", (MongoListenersMachine,), {"url": url}), settings=SETTINGS)
