"""A store that is away is asked by one at a time, so that nobody's question waits behind others'."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from soundalike.domain.errors import StoreUnavailableError
from soundalike.web.errors.circuit_breaker import ASKED_EVERY_S, StillAwayError, StorePresence
from web.stage import LOCAL, Stage


class Store:
    """Counts how often it is asked; may be away, and may keep whoever asks waiting."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = False
        self.asked = 0
        self.goes_on = threading.Event()
        self.goes_on.set()
        monkeypatch.setattr(stage.store, "has_users", self._has_users)

    def _has_users(self) -> bool:
        self.asked += 1
        assert self.goes_on.wait(10)
        if self.is_away:
            msg = "no answer"
            raise StoreUnavailableError(msg)
        return False


@pytest.fixture
def store(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Store:
    return Store(stage, monkeypatch)


def status(stage: Stage, **headers: str) -> int:
    return stage.client().get("/api/me", headers={**LOCAL, **headers}).status_code


@contextmanager
def another(act: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join()


def test_while_it_is_away_it_is_asked_once_a_second(stage: Stage, store: Store) -> None:
    assert status(stage) == 200
    store.is_away = True
    asked = store.asked
    assert [status(stage) for _ in range(20)] == [503] * 20
    assert store.asked == asked + 1
    stage.pass_time(ASKED_EVERY_S)
    assert [status(stage) for _ in range(20)] == [503] * 20
    assert store.asked == asked + 2
    store.is_away = False
    assert status(stage) == 503
    stage.pass_time(ASKED_EVERY_S)
    assert [status(stage) for _ in range(20)] == [200] * 20


def test_only_one_waits_for_it(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert status(stage) == 503
    stage.pass_time(ASKED_EVERY_S)
    store.goes_on.clear()
    asked = store.asked
    found: list[int] = []
    with another(lambda: found.append(status(stage))):
        while store.asked == asked:
            time.sleep(0.001)
        stage.pass_time(100)
        assert [status(stage) for _ in range(5)] == [503] * 5
        assert store.asked == asked + 1
        store.is_away = False
        store.goes_on.set()
    assert found == [200]
    assert status(stage) == 200


def test_through_a_proxy_it_is_asked_no_more_often(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert [status(stage, **{"X-Forwarded-For": "192.0.2.1"}) for _ in range(20)] == [503] * 20
    assert store.asked == 1
    store.is_away = False
    stage.pass_time(ASKED_EVERY_S)
    assert status(stage, **{"X-Forwarded-For": "192.0.2.1"}) in {401, 403}
    assert status(stage, **{"X-Forwarded-For": "192.0.2.1"}) == 403


def test_what_needs_no_store_is_served_all_the_same(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert status(stage) == 503
    with stage.client().get("/static/x/logo.svg", headers=LOCAL) as answer:
        assert answer.status_code == 200
    page = stage.client().get("/", headers=LOCAL)
    assert page.status_code == 503
    assert '<main id="main"' in page.text


def test_whoever_found_out_something_else_found_it_there(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert status(stage) == 503
    store.is_away = False
    stage.pass_time(ASKED_EVERY_S)
    assert stage.client().get("/api/tracks/unknown", headers=LOCAL).status_code == 404
    assert status(stage) == 200


def test_an_outsider_asks_nothing_of_a_store_that_was_just_away() -> None:
    presence = StorePresence(lambda: 0.0)
    presence.note_away(StoreUnavailableError("no answer"))

    def fail() -> bool:
        msg = "it was asked"
        raise AssertionError(msg)

    with pytest.raises(StillAwayError):
        presence.ask(fail)


def test_that_it_goes_and_comes_back_is_said_once_each(
    stage: Stage, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.is_away = True
    for _ in range(5):
        assert [status(stage) for _ in range(3)] == [503] * 3
        stage.pass_time(ASKED_EVERY_S)
    store.is_away = False
    assert [status(stage) for _ in range(5)] == [200] * 5
    logger = "soundalike.web.errors.circuit_breaker"
    said = [record.getMessage() for record in caplog.records if record.name == logger]
    assert said == ["no answer", "the store answers again"]
