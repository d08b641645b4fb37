"""`soundalike consume` as a process, and what its store must hold in the end."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from journeys.program import Program
from soundalike.domain.listens import Listen
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import refold
from soundalike.domain.types import EventId, UserId
from soundalike.wire.profiles import profile_body

PLAYS = 5_000
DAY_MS = 24 * 3600 * 1000
LATENESS_MS = 7 * DAY_MS
ADA = UserId("ada")


@contextmanager
def consumer(program: Program, store: str, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Run `soundalike consume` from when it is ready to the end of the block, or until it is killed."""
    with program.start("consume", "--store", store, "--events", url, *more) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Folding "), process.communicate()
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def store_holds(store: ListenStore, listens: Sequence[Listen]) -> bool:
    """Whether each of these is stored and folded, once, to the bit, and nothing else."""
    expected: dict[UserId, dict[EventId, Listen]] = {}
    for listen in listens:
        expected.setdefault(listen.user_id, {}).setdefault(listen.id, listen)
    if dict(store.listen_counts()) != {user: len(of_user) for user, of_user in expected.items()}:
        return False
    if store.profile_counts() != store.listen_counts():
        return False
    return all(is_folded(store, user, list(of_user.values())) for user, of_user in expected.items())


def is_folded(store: ListenStore, user_id: UserId, listens: Sequence[Listen]) -> bool:
    found = store.profile(user_id)
    profile = refold(user_id, listens, lateness_ms=LATENESS_MS, erased=store.erased(user_id))
    return found is not None and json.dumps(profile_body(found)) == json.dumps(profile_body(profile))


def wait_for(is_true: Callable[[], bool], *, patience_s: float = 120.0) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def batches(listens: Sequence[Listen], size: int) -> list[Sequence[Listen]]:
    return [listens[start : start + size] for start in range(0, len(listens), size)]
