"""Reading everything in an event log back into the store."""

from collections.abc import Iterator

from soundalike.domain.batches import batched
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.ports.listening import EventLog, ListenStore
from soundalike.domain.types import EventId, UserId

_BATCH = 5_000


def restore_listens(
    log: EventLog, store: ListenStore, progress: OnProgress = lambda _done, _total: None
) -> int:
    """Store every listen and erasure of a log that is not the store itself; return how many listens were new.

    A listen that is already stored counts once, so this may be interrupted and repeated, also while a
    consumer folds the log. Nothing is folded here.

    Parameters
    ----------
    log : EventLog
        The log to read.
    store : ListenStore
        Where listens are missing.
    progress : callable
        Is called with (listens read, 0).

    Raises
    ------
    EventLogError
        If the log cannot be read.
    StoreError
        If the store cannot be written.
    """
    total: dict[UserId, Erasure] = {}
    left: dict[UserId, set[EventId]] = {}
    added = 0
    for number, batch in enumerate(batched(_listens(log.entries(), store, total), _BATCH), start=1):
        added += len(store.add_listens(batch))
        for listen in batch:
            if listen.user_id in total:
                left.setdefault(listen.user_id, set()).add(listen.id)
        if len(batch) == _BATCH:
            progress(number * _BATCH, 0)
    _erase_totally(log, store, total, left)
    return added


def _erase_totally(
    log: EventLog,
    store: ListenStore,
    total: dict[UserId, Erasure],
    left: dict[UserId, set[EventId]],
) -> None:
    """Remove listens that come before a total erasure in the log, but are dated after it.

    Only the order of the log tells which these are, if neither names a generation. So all listens of such a
    user are erased, and those that come after it in the log are stored again. The log is read again for that:
    a consumer may have folded newer ones meanwhile.
    """
    for user_id, erasure in list(total.items()):
        ours = left.get(user_id, set())
        if all(listen.id in ours for listen in store.listens_of(user_id)):
            del total[user_id]
        else:
            store.erase_listens(erasure, is_total=True)
    if total:
        listens = (one for one in _listens(log.entries(), store, {}) if one.user_id in total)
        for batch in batched(listens, _BATCH):
            store.add_listens(batch)


def _listens(
    entries: Iterator[LogRecord], store: ListenStore, total: dict[UserId, Erasure]
) -> Iterator[Listen]:
    """Yield the listens; apply erasures by date, and collect those that are total."""
    for entry in entries:
        if isinstance(entry, ErasureRecord):
            store.erase_listens(entry.erasure)
            store.lower_mark(entry.erasure)  # it may have been lowered in the log alone
            if entry.is_total:
                total[entry.erasure.user_id] = entry.erasure
        else:
            yield entry
