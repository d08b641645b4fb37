"""Taking all that an event log holds back into the store."""

from soundalike.domain.keeping import EventLog, ListenStore
from soundalike.domain.listening import Erasure, Listen
from soundalike.domain.ports import Progress

_BATCH = 5_000


def restore_listens(
    log: EventLog, store: ListenStore, progress: Progress = lambda _done, _total: None
) -> int:
    """Store every listen and erasure of a log that keeps them itself; return how many listens were missing.

    What is stored already counts once, so this may be cut short and done again. Nothing is folded here.

    Raises
    ------
    EventLogError
        If the log cannot be read.
    StoreError
        If the store cannot be written.
    """
    batch: list[Listen] = []
    added = read = 0
    for entry in log.entries():
        if isinstance(entry, Erasure):
            store.erase_listens(entry)
            continue
        batch.append(entry)
        read += 1
        if len(batch) == _BATCH:
            added += len(store.add_listens(batch))
            batch = []
            progress(read, 0)
    return added + len(store.add_listens(batch))
