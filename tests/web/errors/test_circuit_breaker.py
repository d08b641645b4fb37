"""While the store is away one request at a time asks it; the others are answered 503 at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from soundalike.domain.errors import StoreUnavailableError
from soundalike.web.errors.circuit_breaker import (
    RETRY_AFTER_S,
    CircuitOpenError,
    ask_store,
    make_store_breaker,
)
from web.clients import LOCAL
from web.stage import Stage


class Store:
    """Counts how often it is asked; can be away, and can delay its answer."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = False
        self.asked = 0
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        monkeypatch.setattr(stage.store, "has_users", self._has_users)

    def _has_users(self) -> bool:
        self.asked += 1
        self.was_asked.set()
        assert self.may_answer.wait(10)
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
def running_beside(act: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join()


def test_while_the_store_is_away_it_is_asked_once_a_second(stage: Stage, store: Store) -> None:
    assert status(stage) == 200
    store.is_away = True
    asked = store.asked
    assert [status(stage) for _ in range(20)] == [503] * 20
    assert store.asked == asked + 1
    stage.pass_time(RETRY_AFTER_S)
    assert [status(stage) for _ in range(20)] == [503] * 20
    assert store.asked == asked + 2
    store.is_away = False
    assert status(stage) == 503
    stage.pass_time(RETRY_AFTER_S)
    assert [status(stage) for _ in range(20)] == [200] * 20


def test_only_one_request_waits_for_the_store(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert status(stage) == 503
    stage.pass_time(RETRY_AFTER_S)
    store.may_answer.clear()
    store.was_asked.clear()
    asked = store.asked
    statuses: list[int] = []
    with running_beside(lambda: statuses.append(status(stage))):
        assert store.was_asked.wait(10)
        stage.pass_time(100)
        assert [status(stage) for _ in range(5)] == [503] * 5
        assert store.asked == asked + 1
        store.is_away = False
        store.may_answer.set()
    assert statuses == [200]
    assert status(stage) == 200


def test_requests_through_a_proxy_ask_the_store_no_more_often(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert [status(stage, **{"X-Forwarded-For": "192.0.2.1"}) for _ in range(20)] == [503] * 20
    assert store.asked == 1
    store.is_away = False
    stage.pass_time(RETRY_AFTER_S)
    assert status(stage, **{"X-Forwarded-For": "192.0.2.1"}) in {401, 403}
    assert status(stage, **{"X-Forwarded-For": "192.0.2.1"}) == 403


def test_static_files_are_served_while_the_store_is_away(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert status(stage) == 503
    with stage.client().get("/static/x/logo.svg", headers=LOCAL) as answer:
        assert answer.status_code == 200
    page = stage.client().get("/", headers=LOCAL)
    assert page.status_code == 503
    assert '<main id="main"' in page.text


def test_an_answer_of_any_kind_shows_that_the_store_is_back(stage: Stage, store: Store) -> None:
    store.is_away = True
    assert status(stage) == 503
    store.is_away = False
    stage.pass_time(RETRY_AFTER_S)
    assert stage.client().get("/api/tracks/unknown", headers=LOCAL).status_code == 404
    assert status(stage) == 200


def test_a_question_outside_a_request_is_not_put_to_a_store_that_was_just_away() -> None:
    breaker = make_store_breaker(lambda: 0.0)
    breaker.record_failure(StoreUnavailableError("no answer"))

    def fail() -> bool:
        msg = "it was asked"
        raise AssertionError(msg)

    with pytest.raises(CircuitOpenError):
        ask_store(breaker, fail)


def test_the_loss_and_the_return_of_the_store_are_logged_once_each(
    stage: Stage, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.is_away = True
    for _ in range(5):
        assert [status(stage) for _ in range(3)] == [503] * 3
        stage.pass_time(RETRY_AFTER_S)
    store.is_away = False
    assert [status(stage) for _ in range(5)] == [200] * 5
    logger = "soundalike.web.errors.circuit_breaker"
    logged = [record.getMessage() for record in caplog.records if record.name == logger]
    assert logged == ["no answer", "the store answers again"]
