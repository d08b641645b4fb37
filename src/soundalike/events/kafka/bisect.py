"""Finding the records that the store rejects, and telling them from a store that rejects everything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from soundalike.domain.listens import LogRecord
from soundalike.services.listeners.fold_log import STORE_FAILURES
from soundalike.wire.records import user_of

Take = Callable[[Sequence[LogRecord]], None]

_SAMPLE = 8


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """The index of a record, and the error that the store raised for it alone."""

    index: int
    error: Exception


def bisect_rejected(take: Take, records: Sequence[LogRecord]) -> tuple[RejectedRecord, ...]:
    """Store records, and find by bisection those that the store rejects while it takes others.

    A record counts as rejected only if some other is taken, and if it fails once more after that.

    Parameters
    ----------
    take : callable
        Stores records in their order, all or none or any of them; may be given them again.
    records : sequence of LogRecord
        What to store.

    Returns
    -------
    tuple of RejectedRecord
        The others are stored.

    Raises
    ------
    Exception
        What `take` raised, if the store failed, or if no record at all was taken.
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
    found = ((index, _error_of(take, [records[index]])) for index in suspects)
    return tuple(RejectedRecord(index, error) for index, error in found if error is not None)


def _takes_any(take: Take, records: Sequence[LogRecord]) -> bool:
    """Whether any of a few records, from all over the batch, is taken alone."""
    return any(_error_of(take, [records[index]]) is None for index in _sample(records))


def _sample(records: Sequence[LogRecord]) -> list[int]:
    """Choose a few indices, first of different users."""
    first: dict[str, int] = {}
    for index, record in enumerate(records):
        first.setdefault(user_of(record), index)
    chosen = _spread(list(first.values()))
    others = _spread(sorted(set(range(len(records))) - set(chosen)))
    return [*chosen, *others][:_SAMPLE]


def _spread(indices: list[int]) -> list[int]:
    """Choose a few, evenly from the first to the last."""
    if len(indices) <= _SAMPLE:
        return indices
    return [indices[step * (len(indices) - 1) // (_SAMPLE - 1)] for step in range(_SAMPLE)]


def _halve(take: Take, records: Sequence[LogRecord]) -> list[int]:
    """Store all that can be stored, in order; return the indices of the others."""
    suspects: list[int] = []
    ranges = [(0, len(records))]
    while ranges:
        start, end = ranges.pop()
        if _error_of(take, records[start:end]) is None:
            continue
        if end - start == 1:
            suspects.append(start)
        else:
            middle = (start + end) // 2
            ranges += [(middle, end), (start, middle)]
    return suspects


def _error_of(take: Take, records: Sequence[LogRecord]) -> Exception | None:
    try:
        take(records)
    except STORE_FAILURES:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record causes, it must not stop the others
        return error
    return None
