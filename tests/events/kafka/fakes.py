"""A store that takes records or fails, for tests of consumers."""

import threading
from collections.abc import Iterable, Sequence

from making import make_listen
from soundalike.domain.errors import StoreError
from soundalike.domain.listens import Listen, LogRecord
from soundalike.domain.types import EventId


def numbered(count: int, *, start: int = 0, users: int = 5) -> list[Listen]:
    return [make_listen(n, user_id=f"u{n % users}", at_ms=n) for n in range(start, start + count)]


def ids(listens: Sequence[Listen]) -> set[str]:
    return {listen.id for listen in listens}


class FlakyStore:
    """Takes all or none of the records of a call; rejects some, or everything for a while."""

    def __init__(self, *, rejected: Iterable[EventId] = (), error: Exception | None = None) -> None:
        self.rejected = set(rejected)
        self.calls: list[list[LogRecord]] = []
        self.records: list[LogRecord] = []
        self.away: Exception | None = None
        self.arrived = threading.Condition()
        self._error = error or StoreError("it is rejected")
        self.recovers_after_rejecting_one = False
        self._away_after: tuple[int, Exception] | None = None

    @property
    def taken(self) -> set[EventId]:
        return {record.id for record in self.records if isinstance(record, Listen)}

    def go_away_after(self, calls: int, error: Exception) -> None:
        self._away_after = calls, error

    def take(self, records: Sequence[LogRecord]) -> None:
        with self.arrived:
            self.calls.append(list(records))
            self.arrived.notify_all()
            if self.away is not None:
                raise self.away
            if self._away_after is not None and len(self.calls) > self._away_after[0]:
                raise self._away_after[1]
            if any(isinstance(record, Listen) and record.id in self.rejected for record in records):
                if self.recovers_after_rejecting_one and len(records) == 1:
                    self.rejected = set()
                raise self._error
            self.records += records

    def wait_for(self, count: int, *, patience_s: float = 60.0) -> None:
        """Wait until so many different listens were taken."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.taken) >= count, patience_s), len(self.taken)
