"""Taking all that an event log holds back into the store."""

from collections.abc import Collection, Iterator

from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.library import Progress
from soundalike.domain.ports.listening import EventLog, ListenStore
from soundalike.domain.types import EventId, UserId

_BATCH = 5_000


def restore_listens(
    log: EventLog, store: ListenStore, progress: Progress = lambda _done, _total: None
) -> int:
    """Store every listen and erasure of a log that keeps them itself; return how many listens were missing.

    What is stored already counts once, so this may be cut short and done again, while the log is folded by
    others too. Nothing is folded here.

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
    for batch in _batches(_listens(log.entries(), store, total), progress):
        added += len(store.add_listens(batch))
        for listen in batch:
            if listen.user_id in total:
                left.setdefault(listen.user_id, set()).add(listen.id)
    _forget_hidden(log, store, total, left)
    return added


def _forget_hidden(
    log: EventLog,
    store: ListenStore,
    total: dict[UserId, Erasure],
    left: dict[UserId, set[EventId]],
) -> None:
    """Remove what stands before a total erasure, and is dated after it, from a store that is older.

    A store tells listens by their dates alone, so it forgets all of such a user, and takes what is left of
    them again. The log is read anew for that: others may just have folded what has come since.
    """
    for user_id, erasure in list(total.items()):
        ours = left.get(user_id, set())
        if all(listen.id in ours for listen in store.listens_of(user_id)):
            del total[user_id]
        else:
            store.erase_listens(erasure, is_total=True)
    if total:
        for batch in _batches(_listens(log.entries(), store, {}), of=total):
            store.add_listens(batch)


def _listens(
    entries: Iterator[LogRecord], store: ListenStore, total: dict[UserId, Erasure]
) -> Iterator[Listen]:
    """Yield the listens; erase by date what is erased, and note who was erased altogether."""
    for entry in entries:
        if isinstance(entry, ErasureRecord):
            store.erase_listens(entry.erasure)
            if entry.is_total:
                total[entry.erasure.user_id] = entry.erasure
        else:
            yield entry


def _batches(
    listens: Iterator[Listen],
    progress: Progress = lambda _done, _total: None,
    *,
    of: Collection[UserId] | None = None,
) -> Iterator[list[Listen]]:
    """Yield listens, of some users or of all, in batches; tell of each full one."""
    batch: list[Listen] = []
    read = 0
    for listen in listens:
        if of is not None and listen.user_id not in of:
            continue
        batch.append(listen)
        read += 1
        if len(batch) == _BATCH:
            yield batch
            batch = []
            progress(read, 0)
    yield batch
