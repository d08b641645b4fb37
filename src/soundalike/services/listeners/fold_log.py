"""Records of a shared log, applied to the store and folded into profiles, however often they are read."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from soundalike.domain.errors import StoreBusyError, StoreUnavailableError, StoreUnfitError
from soundalike.domain.listens import ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.types import UserId
from soundalike.services.listeners.profiles import Profiles

_log = logging.getLogger(__name__)

STORE_FAILURES = (StoreBusyError, StoreUnavailableError, StoreUnfitError)
"""Errors that are about the store, not about a record: they end by waiting, or by repairing the store."""


class LogProjector:
    """Applies the records of a log, each user's in their order, to the store and the profiles.

    The reader of the log passes one batch, and the next once this has returned. After a crash it starts
    again at any earlier position. Applying records again changes nothing in the end:

    * A listen that is already stored is not new. It may not have been folded, since the crash may have
      come in between, so the profile of its user is checked.
    * An erasure that is already known changes nothing, and begins its generation once. A total one also
      removes listens that come after it in the log and were stored before the crash; they are applied again
      after it.

    Parameters
    ----------
    store : ListenStore
        Stores listens.
    profiles : Profiles
        Folds them.
    """

    def __init__(self, store: ListenStore, profiles: Profiles) -> None:
        self._store = store
        self._profiles = profiles

    def apply(self, records: Sequence[LogRecord]) -> None:
        """Store and fold records; when this returns both are done.

        Raises
        ------
        StoreBusyError, StoreUnavailableError, StoreUnfitError
            If the store could not be used; apply all of them again later.
        StoreError
            If some could not be stored; the others may be.
        """
        for is_listens, run in groupby(records, key=_is_listen):
            if is_listens:
                self._apply_listens([one for one in run if isinstance(one, Listen)])
            else:
                self._erase([one for one in run if isinstance(one, ErasureRecord)])

    def _apply_listens(self, listens: Sequence[Listen]) -> None:
        # Stores keep a user's listens together. The sort is stable: of one id, the first stays first.
        by_user = sorted(listens, key=attrgetter("user_id"))
        new = self._store.add_listens(by_user)
        of_user: defaultdict[UserId, list[Listen]] = defaultdict(list)
        for listen in new:
            of_user[listen.user_id].append(listen)
        sent = Counter(listen.user_id for listen in by_user)
        for user_id, count in sent.items():
            fresh = of_user[user_id]
            try:
                self._profiles.fold(fresh, {user_id} if len(fresh) < count else ())
            except STORE_FAILURES:
                raise  # it would fail for the others too
            except Exception as error:  # noqa: BLE001 - the other users' records go on
                # The listens are stored: they are folded with the user's next listen, or at the next start.
                _log.warning("%d listens of %r are stored, but not folded yet: %s", count, user_id, error)

    def _erase(self, records: Sequence[ErasureRecord]) -> None:
        for record in records:
            user_id = record.erasure.user_id
            if record.is_lowering:
                self._store.lower_mark(record.erasure)
            else:
                self._store.erase_listens(record.erasure, is_total=record.is_total)
            # Either removes the profile too; a new one is folded from the listens that are left.
            if self._store.count_listens(user_id):
                self._profiles.fold((), {user_id})


def _is_listen(record: LogRecord) -> bool:
    return isinstance(record, Listen)
