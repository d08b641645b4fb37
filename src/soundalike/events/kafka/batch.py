"""The records that a consumer has read and not yet folded."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import ErasureRecord, LogRecord
from soundalike.wire.records import check_date, record_from


@dataclass(slots=True)
class PendingRecord:
    """One message on its way to the store or to the dead letters.

    Parameters
    ----------
    message : Message or None
        As it came; None once it is done, to free its memory while it waits for others.
    partition, offset : int
        Its position in the topic.
    size : int
        Bytes of key and value.
    sent_ms : int
        When it was sent, in ms since 1970, UTC.
    record : LogRecord or None
        Its content; None if that cannot be read.
    reason : str
        Why it cannot be folded; empty if it can, as far as is known.
    """

    message: Message | None
    partition: int
    offset: int
    size: int
    sent_ms: int
    record: LogRecord | None = None
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it is folded or a dead letter, or belongs to another consumer now."""
        return self.message is None

    @property
    def is_total_erasure(self) -> bool:
        """Whether it removes everything of a user."""
        return isinstance(self.record, ErasureRecord) and self.record.is_total

    def note_done(self) -> None:
        """Note that nothing is left to do with it."""
        self.message = None


class Batch:
    """Messages in the order in which they were read, which is that of each partition."""

    def __init__(self) -> None:
        self._items: list[PendingRecord] = []

    def __len__(self) -> int:
        """Count the messages."""
        return len(self._items)

    def __iter__(self) -> Iterator[PendingRecord]:
        """Yield them in their order."""
        return iter(self._items)

    def add(self, messages: Iterable[Message]) -> None:
        """Read messages."""
        self._items += [_read(message) for message in messages]

    def drop(self, partitions: Collection[int]) -> None:
        """Drop the messages of partitions that another consumer has now."""
        for item in self._items:
            if item.partition in partitions:
                item.note_done()
        self._items = [item for item in self._items if item.partition not in partitions]

    def parts(self) -> list[list[PendingRecord]]:
        """Split what is not done before every total erasure, so that each begins a part."""
        parts: list[list[PendingRecord]] = []
        for item in self._items:
            if item.is_done:
                continue
            if not parts or item.is_total_erasure:
                parts.append([])
            parts[-1].append(item)
        return parts

    def clear(self) -> None:
        """Drop everything: it is done."""
        self._items = []

    def ends(self) -> dict[int, int]:
        """Return the next offset of each partition once all of this is done."""
        return {item.partition: item.offset + 1 for item in self._items}

    def starts(self) -> dict[int, int]:
        """Return the first offset of each partition."""
        return {item.partition: item.offset for item in reversed(self._items)}

    def counts(self) -> dict[int, int]:
        """Count the messages of each partition."""
        return Counter(item.partition for item in self._items)

    def size(self) -> int:
        """Return the bytes of what is not done."""
        return sum(item.size for item in self._items if not item.is_done)

    def oldest_ms(self) -> int | None:
        """Return when the oldest message that is not done was sent, None if there is none."""
        return min((item.sent_ms for item in self._items if not item.is_done), default=None)


def _read(message: Message) -> PendingRecord:
    item = PendingRecord(
        message,
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        size=len(message.key() or b"") + len(message.value() or b""),
        sent_ms=sent_ms(message),
    )
    try:
        item.record = read_message(message)
    except ListenError as error:
        item.reason = str(error)
    return item


def read_message(message: Message) -> LogRecord:
    """Read the record in a message.

    Raises
    ------
    ListenError
        If it is malformed, or dated far ahead of when it was sent.
    """
    record = record_from(message.key(), message.value())
    check_date(record, sent_ms=sent_ms(message))
    return record


def sent_ms(message: Message) -> int:
    """Return when a message was sent, in ms since 1970, UTC; now, if it has no time."""
    kind, at_ms = message.timestamp()
    return int(time.time() * 1000) if kind == TIMESTAMP_NOT_AVAILABLE else at_ms
