"""An event log that folds on demand, as a shared log does once its consumer gets to it."""

import threading
from collections.abc import Callable, Iterator, Sequence

from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import UserId
from soundalike.wire.records import user_of


class Topic:
    """The records of a log, and how many are folded; several logs may write to one, as processes do."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.records: list[LogRecord] = []
        self.folded = 0


class LaterLog:
    """The `EventLog` port in memory, tested by the contract of every log; `fold` stores its listens.

    Parameters
    ----------
    take : callable
        Stores and folds records in the order of the log.
    topic : Topic or None
        Where it writes; None for a new one.
    """

    is_folding = False

    def __init__(
        self,
        take: Callable[[Sequence[LogRecord]], object] = lambda _records: None,
        topic: Topic | None = None,
    ) -> None:
        self._take = take
        self._topic = topic or Topic()
        self.failure: Exception | None = None
        self.known_health = LogHealth()

    def prepare(self) -> None:
        if self.failure:
            raise self.failure

    def health(self) -> LogHealth:
        return self.known_health

    def append(self, listens: Sequence[Listen]) -> int:
        if self.failure:
            raise self.failure
        first = {(listen.user_id, listen.id): listen for listen in reversed(listens)}
        with self._topic.lock:
            self._topic.records += reversed(first.values())
        return len(listens) - len(first)

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        self._add(ErasureRecord(erasure, is_total))

    def lower_mark(self, erasure: Erasure) -> None:
        self._add(ErasureRecord(erasure, is_total=False, is_lowering=True))

    def _add(self, record: ErasureRecord) -> None:
        if self.failure:
            raise self.failure
        with self._topic.lock:
            self._topic.records.append(record)

    def entries(self) -> Iterator[LogRecord]:
        with self._topic.lock:
            records = list(self._topic.records)
        erased: dict[UserId, Erased] = {}
        emptied: dict[UserId, int] = {}
        for index, record in enumerate(records):
            if isinstance(record, ErasureRecord):
                user_id = record.erasure.user_id
                before = erased.get(user_id, NOTHING_ERASED)
                if record.is_lowering:
                    erased[user_id] = before.lowered(record.erasure)
                    continue
                if before.is_emptied_by(record.erasure, is_total=record.is_total):
                    emptied[user_id] = index
                erased[user_id] = before.after(record.erasure, is_total=record.is_total)
        total = {user_of(one) for one in records if isinstance(one, ErasureRecord) and one.is_total}
        for user_id, of_user in erased.items():
            found = list(of_user.erasures(user_id))
            for one in found:
                yield ErasureRecord(one, is_total=user_id in total and one is found[-1])
        for index, record in enumerate(records):
            if (
                isinstance(record, Listen)
                and index > emptied.get(record.user_id, -1)
                and not erased.get(record.user_id, NOTHING_ERASED).hides(record)
            ):
                yield record

    def close(self) -> None:
        pass

    def fold(self, most: int | None = None) -> int:
        """Store and fold the next records, at most `most` of them; return how many."""
        with self._topic.lock:
            begin = self._topic.folded
            records = (
                self._topic.records[begin:] if most is None else self._topic.records[begin : begin + most]
            )
            self._take(records)
            self._topic.folded += len(records)
        return len(records)

    @property
    def waiting(self) -> int:
        """How many records are not folded yet."""
        return len(self._topic.records) - self._topic.folded
