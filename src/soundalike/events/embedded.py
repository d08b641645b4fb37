"""The embedded event log: listens are durable in the store, and folded as soon as they are."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from soundalike.domain.errors import EventLogError, SoundalikeError, StoreBusyError, StoreError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.listening import ListenStore, LogHealth
from soundalike.domain.types import UserId

_log = logging.getLogger(__name__)

OnAppend = Callable[[Sequence[Listen], Collection[UserId]], object]


class StoredLog:
    """The `EventLog` port on whichever store is configured.

    Parameters
    ----------
    store : ListenStore
        Where listens are durable.
    on_append : callable or None
        Told of the listens that were new with each `append`, once they are durable, and of the users
        who sent some that were not. Whatever befalls it is logged and goes no further: the listens
        are safe, so nobody has to send them again. None leaves folding to whoever catches up later.
    """

    is_folding = True

    def __init__(self, store: ListenStore, *, on_append: OnAppend | None = None) -> None:
        self._store = store
        self._on_append = on_append

    def prepare(self) -> None:
        """Do nothing: a store that is open takes listens."""

    def health(self) -> LogHealth:
        """Tell that it is well: it is as well as the store, and folds by itself."""
        return LogHealth()

    def append(self, listens: Sequence[Listen]) -> int:
        """Make listens durable; return how many were known already or erased; see the port."""
        with _telling_errors():
            new = self._store.add_listens(listens)
        sent, taken = (Counter(listen.user_id for listen in some) for some in (listens, new))
        self._tell(new, (sent - taken).keys())
        return len(listens) - len(new)

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Remove a user's listens and profile, and hide what comes late; see the port."""
        with _telling_errors():
            self._store.erase_listens(erasure, is_total=is_total)

    def entries(self) -> Iterator[LogRecord]:
        """Yield the erasures, then everybody's listens by user and time."""
        # Whatever a total one hid is not stored any more.
        yield from (ErasureRecord(erasure, is_total=False) for erasure in self._store.erasures())
        for user_id in sorted(self._store.listen_counts()):
            yield from self._store.listens_of(user_id)

    def _tell(self, new: Sequence[Listen], repeated: Collection[UserId]) -> None:
        if self._on_append is None:
            return
        try:
            self._on_append(new, repeated)
        except SoundalikeError as error:
            _log.warning("%d listens are kept, but not folded yet: %s", len(new), error)
        except Exception:  # noqa: BLE001 - durable listens must not be sent again, whatever it is
            _log.exception("%d listens are kept, but not folded yet", len(new))

    def close(self) -> None:
        """Do nothing: the store is closed by whoever opened it."""


@contextmanager
def _telling_errors() -> Iterator[None]:
    """Tell what the store fails at as the log's failure: it may be tried again."""
    try:
        yield
    except StoreBusyError:
        raise
    except StoreError as error:
        raise EventLogError(str(error)) from error
