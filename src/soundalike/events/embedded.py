"""The embedded event log: listens are durable in the store, and folded as soon as they are."""

import logging
from collections.abc import Callable, Iterator, Sequence

from soundalike.domain.errors import SoundalikeError
from soundalike.domain.keeping import ListenStore
from soundalike.domain.listening import Erasure, Listen, LogEntry

_log = logging.getLogger(__name__)


class StoredLog:
    """The `EventLog` port on whichever store is configured.

    Parameters
    ----------
    store : ListenStore
        Where listens are durable.
    on_append : callable or None
        Told of the listens that came with each `append`, once they are durable. What it cannot do is
        logged and left to the next start: the listens are safe, so nobody has to send them again.
    """

    def __init__(
        self, store: ListenStore, *, on_append: Callable[[Sequence[Listen]], object] | None = None
    ) -> None:
        self._store = store
        self._on_append = on_append

    def append(self, listens: Sequence[Listen]) -> int:
        """Make listens durable; return how many were known already or erased."""
        new = self._store.add_listens(listens)
        if self._on_append is not None:
            try:
                self._on_append(listens)
            except SoundalikeError as error:
                _log.warning("%d listens are kept, and folded at the next start: %s", len(new), error)
        return len(listens) - len(new)

    def erase(self, erasure: Erasure) -> None:
        """Remove a user's listens and profile, and hide what comes late."""
        self._store.erase_listens(erasure)

    def entries(self) -> Iterator[LogEntry]:
        """Yield the erasures, then everybody's listens by user and time."""
        yield from self._store.erasures()
        for user_id in sorted(self._store.listen_counts()):
            yield from self._store.listens_of(user_id)

    def close(self) -> None:
        """Do nothing: the store is closed by whoever opened it."""
