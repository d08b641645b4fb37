"""Turns at the threads: by client, not by who came first."""

import ipaddress
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from clocks import Clock
from soundalike.web.security.client_address import Proxies
from soundalike.web.server.lanes import Lane
from web.server.connections import (
    HEALTH,
    OTHER_ADDRESS,
    PATIENCE_S,
    answer_of,
    connected,
    serving,
    wait_until,
)


@dataclass(eq=False)
class Work:
    """A task that runs until it may end."""

    client: str
    has_share: bool = True
    may_end: threading.Event = field(default_factory=threading.Event)
    is_running: threading.Event = field(default_factory=threading.Event)
    is_cancelled: bool = False
    order: list[str] | None = None

    def service(self) -> None:
        self.is_running.set()
        if self.order is not None:
            self.order.append(self.client)
        assert self.may_end.wait(PATIENCE_S)

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lane(clock: Clock) -> Iterator[Lane]:
    lane = Lane("test", 4, clock=clock, patience_s=10)
    yield lane
    lane.end()


def running(works: list[Work]) -> int:
    return sum(work.is_running.is_set() for work in works)


def add(lane: Lane, *works: Work) -> list[Work]:
    for work in works:
        lane.add_task(work)
    return list(works)


def finish(works: list[Work]) -> None:
    for work in works:
        work.may_end.set()


def test_one_client_has_half_of_the_threads(lane: Lane) -> None:
    greedy = add(lane, *(Work("greedy") for _ in range(100)))
    other = add(lane, Work("other"), Work("third"))
    wait_until(lambda: running(other) == running(greedy) == 2)  # all four threads are taken
    finish([*greedy, *other])
    wait_until(lambda: running(greedy) == 100)


def test_what_stands_for_many_clients_may_have_all_threads(lane: Lane) -> None:
    proxied = add(lane, *(Work("proxy", has_share=False) for _ in range(5)))
    wait_until(lambda: running(proxied) == 4)
    finish(proxied)


def test_clients_take_turns(clock: Clock) -> None:
    order: list[str] = []
    lane = Lane("test", 1, clock=clock, patience_s=10)
    (first,) = add(lane, Work("a"))
    wait_until(first.is_running.is_set)
    works = [Work(client, order=order) for client in "aaaabbc"]
    finish(works)
    add(lane, *works)
    finish([first])
    wait_until(lambda: len(order) == 7)
    assert "".join(order) == "abcabaa"
    lane.end()


def test_a_task_that_fails_ends_no_thread(lane: Lane, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Work):
        def service(self) -> None:
            raise ZeroDivisionError

    add(lane, *(Failing(str(number)) for number in range(8)))
    (after,) = add(lane, Work("after"))
    wait_until(after.is_running.is_set)
    finish([after])
    assert "ZeroDivisionError" in caplog.text


def test_a_task_hangs_after_a_while_and_so_does_what_waits_behind_such_ones_alone(
    lane: Lane, clock: Clock
) -> None:
    hanging = add(lane, *(Work("a") for _ in range(3)))
    wait_until(lambda: running(hanging) == 2)
    clock.now_s += 9
    (late,) = add(lane, Work("b"))
    wait_until(late.is_running.is_set)
    assert not any(map(lane.hangs, [*hanging, late]))
    clock.now_s += 2
    assert all(map(lane.hangs, hanging))
    assert not lane.hangs(late)
    assert not lane.hangs(Work("c")), "two threads are left"
    add(lane, second := Work("c"))
    wait_until(second.is_running.is_set)
    clock.now_s += 11
    assert lane.hangs(Work("d"))
    finish([*hanging, late, second])
    wait_until(lambda: not lane.hangs(Work("d")))


def test_what_waits_at_the_end_is_cancelled_and_so_is_what_comes_later(lane: Lane) -> None:
    works = add(lane, *(Work("a") for _ in range(3)))
    wait_until(lambda: running(works) == 2)
    lane.end()
    works += add(lane, Work("a"))
    assert not any(work.is_cancelled for work in works), "that may wait for a disk, so a thread does it"
    finish(works)
    wait_until(lambda: [work.is_cancelled for work in works] == [False, False, True, True])
    lane.join(time.monotonic() + PATIENCE_S)
    assert running(works) == 2


class TestOnAServer:
    """A player whose requests take as long as the test says, but for those of "quick"."""

    SLOW = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\n\r\n"
    QUICK = b"GET /quick HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\n\r\n"

    @pytest.mark.parametrize(
        ("proxies", "source", "greedy", "other"),
        [
            ((), OTHER_ADDRESS, b"", b""),
            (("127.0.0.1",), OTHER_ADDRESS, b"192.0.2.1", b""),
            (("127.0.0.1",), None, b"192.0.2.1", b"192.0.2.2"),
        ],
        ids=["directly", "through a proxy", "both through a proxy"],
    )
    def test_a_client_whose_requests_take_long_leaves_threads_to_the_others(
        self, proxies: tuple[str, ...], source: tuple[str, int] | None, greedy: bytes, other: bytes
    ) -> None:
        may_end, running = threading.Event(), threading.Semaphore(0)

        def app(environ: dict[str, Any], start: Any) -> list[bytes]:
            if environ["PATH_INFO"] == "/slow":
                running.release()
                assert may_end.wait(PATIENCE_S)
            start("200 OK", [("Content-Length", "2")])
            return [b"ok"]

        named = Proxies(map(ipaddress.ip_network, proxies))
        with serving(app, proxies=named) as server, ExitStack() as stack:
            held = [stack.enter_context(connected(server, self.SLOW % greedy)) for _ in range(20)]
            assert all(running.acquire(timeout=PATIENCE_S) for _ in range(2))
            for request in (self.QUICK % other, HEALTH):
                with connected(server, request, source=source) as one:
                    assert answer_of(one) == (200, b"ok")
            assert not running.acquire(blocking=False)
            may_end.set()
            assert [answer_of(one) for one in held] == [(200, b"ok")] * 20
