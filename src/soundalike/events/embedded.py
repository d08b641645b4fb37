"""The embedded event log: listens are stored in the store, and folded at once."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from soundalike.domain.errors import (
    EventLogError,
    SoundalikeError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    StoreUnfitError,
)
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.listening import ListenStore, LogHealth
from soundalike.domain.types import UserId

_log = logging.getLogger(__name__)

OnAppend = Callable[[Sequence[Listen], Collection[UserId]], object]


class StoredLog:
    """The `EventLog` port on the store.

    Parameters
    ----------
    store : ListenStore
        Stores the listens.
    on_append : callable or None
        Called after each `append` with the listens that were new, and with the users who sent some that
        were not. Its errors are only logged: the listens are stored, so they need not be sent again.
        None leaves folding for later.
    """

    is_folding = True

    def __init__(self, store: ListenStore, *, on_append: OnAppend | None = None) -> None:
        self._store = store
        self._on_append = on_append

    def prepare(self) -> None:
        """Do nothing: an open store takes listens."""

    def health(self) -> LogHealth:
        """Return that it is well: it folds by itself, and the store reports its own failures."""
        return LogHealth()

    def append(self, listens: Sequence[Listen]) -> int:
        """Store listens; return how many were known already or erased; see the port."""
        with _mapped_errors():
            new = self._store.add_listens(listens)
        sent, taken = (Counter(listen.user_id for listen in some) for some in (listens, new))
        self._call(new, (sent - taken).keys())
        return len(listens) - len(new)

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Remove a user's listens and profile, and hide what is appended late; see the port."""
        with _mapped_errors():
            self._store.erase_listens(erasure, is_total=is_total)

    def lower_mark(self, erasure: Erasure) -> None:
        """Let no date after an erasure's hide what is appended from now on; see the port."""
        with _mapped_errors():
            self._store.lower_mark(erasure)

    def entries(self) -> Iterator[LogRecord]:
        """Yield the erasures, then all listens by user and time."""
        # A total erasure has deleted what it hides, so that its date is all that is left to export.
        yield from (ErasureRecord(erasure, is_total=False) for erasure in self._store.erasures())
        for user_id in sorted(self._store.listen_counts()):
            yield from self._store.listens_of(user_id)

    def _call(self, new: Sequence[Listen], repeated: Collection[UserId]) -> None:
        if self._on_append is None:
            return
        try:
            self._on_append(new, repeated)
        except SoundalikeError as error:
            _log.warning("%d listens are stored, but not folded yet: %s", len(new), error)
        except Exception:  # noqa: BLE001 - whatever it is, stored listens must not be sent again
            _log.exception("%d listens are stored, but not folded yet", len(new))

    def close(self) -> None:
        """Do nothing: the caller that opened the store closes it."""


@contextmanager
def _mapped_errors() -> Iterator[None]:
    """Raise the store's errors as the log's, but for those that say what to do about the store itself."""
    try:
        yield
    except (StoreBusyError, StoreUnavailableError, StoreUnfitError):
        raise
    except StoreError as error:
        raise EventLogError(str(error)) from error
