"""Telling a record that the store refuses from a store that refuses every record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from soundalike.domain.listens import LogRecord
from soundalike.services.listeners.fold_log import STORE_FAILURES
from soundalike.wire.records import user_of

Take = Callable[[Sequence[LogRecord]], None]

_TRIED = 8


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record, by its index among those that were to be taken, and what the store said to it alone."""

    index: int
    error: Exception


def bisect_rejected(take: Take, records: Sequence[LogRecord]) -> tuple[RejectedRecord, ...]:
    """Take records; return those that cannot be taken although others can.

    A record is only to blame where some other is taken, and where it fails once more after that.

    Parameters
    ----------
    take : callable
        Takes records in their order, all or none or any of them, and may be given them again.

    Raises
    ------
    Exception
        What `take` raised, if it is the store that failed, or nothing tells whether it is.
    """
    try:
        take(records)
    except STORE_FAILURES:
        raise
    except Exception:
        if not _takes_any(take, records):
            raise
    else:
        return ()
    suspects = _halve(take, records)
    found = ((index, _refused(take, [records[index]])) for index in suspects)
    return tuple(RejectedRecord(index, error) for index, error in found if error is not None)


def _takes_any(take: Take, records: Sequence[LogRecord]) -> bool:
    """Whether some record alone is taken: of several users if there are, from all over the batch."""
    return any(_refused(take, [records[index]]) is None for index in _sample(records))


def _sample(records: Sequence[LogRecord]) -> list[int]:
    """Choose a few indices, those of different users before others."""
    first: dict[str, int] = {}
    for index, record in enumerate(records):
        first.setdefault(user_of(record), index)
    chosen = _spread(list(first.values()))
    others = _spread(sorted(set(range(len(records))) - set(chosen)))
    return [*chosen, *others][:_TRIED]


def _spread(indices: list[int]) -> list[int]:
    """Choose a few of many, from the first to the last."""
    if len(indices) <= _TRIED:
        return indices
    return [indices[step * (len(indices) - 1) // (_TRIED - 1)] for step in range(_TRIED)]


def _halve(take: Take, records: Sequence[LogRecord]) -> list[int]:
    """Take all that can be taken, in order; return the indices of the others."""
    suspects: list[int] = []
    ranges = [(0, len(records))]
    while ranges:
        start, end = ranges.pop()
        if _refused(take, records[start:end]) is None:
            continue
        if end - start == 1:
            suspects.append(start)
        else:
            middle = (start + end) // 2
            ranges += [(middle, end), (start, middle)]
    return suspects


def _refused(take: Take, records: Sequence[LogRecord]) -> Exception | None:
    try:
        take(records)
    except STORE_FAILURES:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record does to the store, it must not stop the others
        return error
    return None
