"""Listens that are stored and folded: what tests of profiles have in common."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from fakes import MemoryStore
from making import make_listen
from soundalike.domain.errors import StoreError
from soundalike.domain.listens import Listen
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import Profile, refold
from soundalike.domain.times import to_ms
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.profiles import Profiles
from soundalike.wire.profiles import profile_body

TESTS = Path(__file__).parents[2]
ADA, BOB = UserId("ada"), UserId("bob")
DAY_MS = 24 * 3600 * 1000
LATENESS_MS = 7 * DAY_MS
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW_MS = to_ms(NOW)
FIVE_MINUTES_MS = 5 * 60 * 1000


class Clock:
    """Shows one time until it is set."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def take(store: ListenStore, profiles: Profiles, *listens: Listen) -> None:
    StoredLog(store, on_append=profiles.fold).append(listens)


def some(count: int, *, start: int = 0, user: str = "ada") -> list[Listen]:
    return [make_listen(n, at_ms=NOW_MS - 1000 + n, user_id=user) for n in range(start, start + count)]


def dated(*days: float, user: str = "ada", kind: str = "finished") -> list[Listen]:
    at = [int(day * DAY_MS) for day in days]
    return [
        make_listen(at_ms, at_ms=at_ms, user_id=user, kind=kind, track_id=f"t{at_ms % 5}") for at_ms in at
    ]


def from_scratch(store: ListenStore, user_id: UserId = ADA, lateness_ms: int = LATENESS_MS) -> Profile:
    return refold(user_id, store.listens_of(user_id), lateness_ms=lateness_ms, erased=store.erased(user_id))


def bits(profile: Profile) -> tuple[str, str]:
    return profile.version, json.dumps(profile_body(profile))


class Watched(MemoryStore):
    """Counts how often all listens of a user are read, and fails to save on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.readings = 0
        self.failing: set[UserId] = set()
        self.is_overtaken = False
        self.interrupted_at = "saving"
        self.interrupt: Callable[[], None] | None = None

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        self.readings += 1
        yield from super().listens_of(user_id)
        self._be_interrupted("reading")

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        if profile.user_id in self.failing:
            msg = "no space left"
            raise StoreError(msg)
        self._be_interrupted("saving")
        return not self.is_overtaken and super().save_profile(profile, replacing=replacing)

    def _be_interrupted(self, at: str) -> None:
        if self.interrupt is not None and at == self.interrupted_at:
            act, self.interrupt = self.interrupt, None
            act()
