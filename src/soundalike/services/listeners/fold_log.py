"""Folding what stands in a shared log: stored in its order, folded, as often as it comes."""

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
"""What tells of the store, and of no record: waiting mends it, or somebody does."""


class Consuming:
    """Takes records of a log, each user's in their order, and brings the store up to them.

    Whoever reads the log hands on a batch, and hands on the next once this has returned. After a crash it
    begins again anywhere before where it was, and what is taken again changes nothing in the end:

    * A listen that is stored already is not new. Whether it was folded too is not known, since the crash
      may have come in between, so its user is folded as doubtful.
    * An erasure that is known already removes what it hides. A total one then removes listens, too, that
      stand after it and were stored before the crash; these are taken again after it.

    Parameters
    ----------
    store : ListenStore
        Keeps listens.
    profiles : Profiles
        Folds them.
    """

    def __init__(self, store: ListenStore, profiles: Profiles) -> None:
        self._store = store
        self._profiles = profiles

    def take(self, records: Sequence[LogRecord]) -> None:
        """Store and fold records; when this returns they are.

        Raises
        ------
        StoreBusyError, StoreUnavailableError, StoreUnfitError
            If the store could not be used; take all of them again, later.
        StoreError
            If some could not be stored; perhaps the others were.
        """
        for is_listens, run in groupby(records, key=_is_listen):
            if is_listens:
                self._take_listens([one for one in run if isinstance(one, Listen)])
            else:
                self._erase([one for one in run if isinstance(one, ErasureRecord)])

    def _take_listens(self, listens: Sequence[Listen]) -> None:
        # Stores keep a user's listens together. Of one id, the first still comes first.
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
                raise  # the others would wait for it as long
            except Exception as error:  # noqa: BLE001 - it stops nobody else
                # The listens are stored: all are folded anew with the next, or at the next start.
                _log.warning("%d listens of %r are kept, but not folded yet: %s", count, user_id, error)

    def _erase(self, records: Sequence[ErasureRecord]) -> None:
        for record in records:
            user_id = record.erasure.user_id
            self._store.erase_listens(record.erasure, is_total=record.is_total)
            # Their profile is gone too; of what is left, if anything, another is made.
            if self._store.count_listens(user_id):
                self._profiles.fold((), {user_id})


def _is_listen(record: LogRecord) -> bool:
    return isinstance(record, Listen)
