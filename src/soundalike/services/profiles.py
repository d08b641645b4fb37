"""Profiles: folded from listens as these come, made good after a crash, rebuilt on demand."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from soundalike.domain.errors import SoundalikeError, StoreBusyError
from soundalike.domain.keeping import ListenStore
from soundalike.domain.listening import Listen
from soundalike.domain.ports import Progress
from soundalike.domain.profiles import Profile, fold, new_profile, refold
from soundalike.domain.types import UserId

_MAX_KEPT = 1_000
_MAX_ATTEMPTS = 100


class Profiles:
    """Every listener's profile.

    Listens are stored before they are folded, so a profile that is made of fewer than are stored tells
    of a crash between the two; folding is repeated where another process saved in between.

    Parameters
    ----------
    store : ListenStore
        Keeps listens and profiles.
    lateness_ms : int
        What is later than the newest listen by less than this is folded cheaply.
    """

    def __init__(self, store: ListenStore, *, lateness_ms: int) -> None:
        self._store = store
        self._lateness_ms = lateness_ms
        self._lock = threading.Lock()
        self._kept: OrderedDict[UserId, Profile] = OrderedDict()
        self._behind: set[UserId] = set()

    def of(self, user_id: UserId) -> Profile:
        """Return a user's profile as it is now."""
        version = self._store.profile_version(user_id)
        with self._lock:
            kept = self._kept.get(user_id)
            if kept is not None and kept.version == version:
                self._kept.move_to_end(user_id)
                return kept
        stored = self._store.profile(user_id)
        if stored is None:
            return self._empty(user_id)
        if stored.lateness_ms != self._lateness_ms:
            return self._refold(user_id)
        self._keep(stored)
        return stored

    def fold(self, listens: Iterable[Listen]) -> None:
        """Fold listens that are stored already, of any users, in any order, known or not.

        Raises
        ------
        StoreBusyError
            If other processes keep saving the same profile.
        """
        by_user = sorted(listens, key=attrgetter("user_id"))
        for user_id, of_user in groupby(by_user, key=attrgetter("user_id")):
            try:
                self._fold(user_id, list(of_user))
            except SoundalikeError:
                self._behind.add(user_id)
                raise

    def catch_up(self, progress: Progress = lambda _done, _total: None) -> int:
        """Refold every profile that lacks listens, as a crash leaves it; return how many there were."""
        folded = self._store.profile_counts()
        behind = [
            user_id
            for user_id, count in sorted(self._store.listen_counts().items())
            if folded.get(user_id) != count
        ]
        self._replay(behind, progress)
        return len(behind)

    def replay(self, progress: Progress = lambda _done, _total: None) -> int:
        """Rebuild every profile from all listens; return how many there are."""
        everybody = sorted({*self._store.listen_counts(), *self._store.profile_counts()})
        self._replay(everybody, progress)
        return len(everybody)

    def _replay(self, users: Sequence[UserId], progress: Progress) -> None:
        for done, user_id in enumerate(users):
            progress(done, len(users))
            self._refold(user_id)
        progress(len(users), len(users))

    def _fold(self, user_id: UserId, listens: list[Listen]) -> None:
        if user_id in self._behind:
            self._refold(user_id)
            self._behind.discard(user_id)
            return
        for _ in range(_MAX_ATTEMPTS):
            before = self._store.profile(user_id)
            profile = before or self._empty(user_id)
            folded = fold(profile, listens)
            # Only the store tells whether a late listen was folded before.
            is_behind = folded.late and folded.profile.taste.count < self._store.count_listens(user_id)
            if is_behind or profile.lateness_ms != self._lateness_ms:
                self._refold(user_id)
                return
            if folded.profile is profile or self._save(folded.profile, before):
                return
        raise _contended(user_id)

    def _refold(self, user_id: UserId) -> Profile:
        for _ in range(_MAX_ATTEMPTS):
            before = self._store.profile(user_id)
            profile = refold(
                user_id,
                self._store.listens_of(user_id),
                lateness_ms=self._lateness_ms,
                erased_ms=self._store.erased_ms(user_id),
            )
            if self._save(profile, before):
                return profile
        raise _contended(user_id)

    def _empty(self, user_id: UserId) -> Profile:
        return new_profile(user_id, lateness_ms=self._lateness_ms, erased_ms=self._store.erased_ms(user_id))

    def _save(self, profile: Profile, before: Profile | None) -> bool:
        is_saved = self._store.save_profile(profile, replacing=before.version if before else None)
        if is_saved:
            self._keep(profile)
        return is_saved

    def _keep(self, profile: Profile) -> None:
        with self._lock:
            self._kept[profile.user_id] = profile
            self._kept.move_to_end(profile.user_id)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)


def _contended(user_id: UserId) -> StoreBusyError:
    msg = f"the profile of {user_id!r} is being saved by other processes all the time; try again"
    return StoreBusyError(msg)
