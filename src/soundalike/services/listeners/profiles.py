"""Profiles: folded from listens as they arrive, repaired after a crash, rebuilt on demand."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from soundalike.domain.errors import StoreBusyError, StoreError
from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import Profile, fold, new_profile, refold
from soundalike.domain.types import ProfileVersion, UserId

_log = logging.getLogger(__name__)

_MAX_CACHED_TRACKS = 300_000
_MAX_ATTEMPTS = 100
_LOCKS = 64


@dataclass(frozen=True, slots=True)
class FoldReport:
    """How many profiles were folded from scratch, and from how many listens."""

    profiles: int
    listens: int


class Profiles:
    """The profiles of all listeners.

    Listens are stored before they are folded, and only stored ones are folded. So a profile of fewer
    listens than are stored is incomplete (after a crash, or because another process is about to fold
    them), and any other is complete. A profile is saved by compare-and-swap on the version it was folded
    from; where another process or thread saved in between, it is folded again. A profile that could not
    be folded is folded from scratch when it is next read or added to, and at the next start.

    Parameters
    ----------
    store : ListenStore
        Stores listens and profiles.
    lateness_ms : int
        A listen that is late by less than this is folded without reading the others.
    """

    def __init__(self, store: ListenStore, *, lateness_ms: int) -> None:
        self._store = store
        self._lateness_ms = lateness_ms
        self._lock = threading.Lock()
        self._cache: OrderedDict[UserId, Profile] = OrderedDict()
        self._cached_tracks = 0
        self._outdated: set[UserId] = set()
        # One lock for some of the users each, so that only other processes fold a user at the same time.
        self._locks = [threading.RLock() for _ in range(_LOCKS)]

    def of(self, user_id: UserId) -> Profile:
        """Return a user's profile as it is now."""
        profile = self._stored(user_id)
        if profile is not None and self._is_current(profile):
            return profile
        if profile is None:
            count, erased = self._store.count_and_erased(user_id)
            if not count:
                return new_profile(user_id, lateness_ms=self._lateness_ms, erased=erased)
        with self._lock_of(user_id):
            profile = self._stored(user_id)
            if profile is not None and self._is_current(profile):
                return profile
            try:
                return self._refold(user_id)
            except Exception as error:
                if profile is None:
                    raise
                _log.warning("the profile of %r is not up to date: %s", user_id, error)
                return profile

    def fold(self, listens: Iterable[Listen], repeated: Collection[UserId] = ()) -> None:
        """Fold listens that were new to the store, of any users, in any order.

        Parameters
        ----------
        listens : iterable of Listen
            As they are stored.
        repeated : collection of UserId
            Users who sent listens that were already stored. They may not have been folded, if the process
            that stored them was killed, so these users' profiles are checked.

        Raises
        ------
        StoreError
            If a profile could not be read or saved; the others are folded nevertheless.
        """
        by_user: dict[UserId, list[Listen]] = {user_id: [] for user_id in repeated}
        for listen in listens:
            by_user.setdefault(listen.user_id, []).append(listen)
        failed = None
        for user_id, of_user in by_user.items():
            try:
                with self._lock_of(user_id):
                    self._fold(user_id, of_user, is_checked=user_id in repeated)
            except Exception as error:  # noqa: BLE001 - raised below, once the others are folded
                with self._lock:
                    self._outdated.add(user_id)
                failed = error
        if failed is not None:
            raise failed

    def catch_up(self, progress: OnProgress = lambda _done, _total: None) -> FoldReport:
        """Fold every profile that lacks listens from scratch, as after a crash or an import.

        One that cannot be folded because the store is damaged is logged and left as it is.
        """
        folded, stored = self._store.profile_counts(), self._store.listen_counts()
        user_ids = sorted({*folded, *stored})
        return self._refold_all(
            {
                user_id: stored.get(user_id, 0)
                for user_id in user_ids
                if folded.get(user_id, 0) != stored.get(user_id, 0)
            },
            progress,
            is_lenient=True,
        )

    def replay(self, progress: OnProgress = lambda _done, _total: None) -> FoldReport:
        """Rebuild every profile from all listens."""
        stored = self._store.listen_counts()
        user_ids = sorted({*self._store.profile_counts(), *stored})
        return self._refold_all({user_id: stored.get(user_id, 0) for user_id in user_ids}, progress)

    def _refold_all(
        self, counts: dict[UserId, int], progress: OnProgress, *, is_lenient: bool = False
    ) -> FoldReport:
        done, total, left = 0, sum(counts.values()), 0
        for user_id, count in counts.items():
            progress(done, total)
            try:
                with self._lock_of(user_id):
                    self._refold(user_id)
            except StoreBusyError:
                raise
            except StoreError as error:
                if not is_lenient:
                    raise
                left += 1
                _log.warning("the profile of %r is not up to date: %s", user_id, error)
            done += count
        progress(done, total)
        return FoldReport(len(counts) - left, total)

    def _fold(self, user_id: UserId, listens: Sequence[Listen], *, is_checked: bool) -> None:
        for _ in range(_MAX_ATTEMPTS):
            before = self._stored(user_id)
            if before is None or not self._is_current(before):
                self._refold(user_id)
                return
            folded = fold(before, listens)
            # Only the store knows whether a late listen was folded before.
            if (folded.late or is_checked) and folded.profile.taste.count < self._store.count_listens(
                user_id
            ):
                self._refold(user_id)
                return
            if folded.profile is before or self._save(folded.profile, before.version):
                return
        raise _conflict(user_id)

    def _refold(self, user_id: UserId) -> Profile:
        for _ in range(_MAX_ATTEMPTS):
            # The version is read first: if another is saved while listens are read, this one is not saved.
            version = self._store.profile_version(user_id)
            erased = self._store.erased(user_id)
            listens = self._store.listens_of(user_id)
            profile = refold(user_id, listens, lateness_ms=self._lateness_ms, erased=erased)
            if self._save(profile, version):
                with self._lock:
                    self._outdated.discard(user_id)
                return profile
        raise _conflict(user_id)

    def _is_current(self, profile: Profile) -> bool:
        with self._lock:
            return profile.user_id not in self._outdated and profile.lateness_ms == self._lateness_ms

    def _stored(self, user_id: UserId) -> Profile | None:
        """Return the stored profile, from the cache where its version is the stored one."""
        version = self._store.profile_version(user_id)
        with self._lock:
            cached = self._cache.get(user_id)
            if cached is not None and cached.version == version:
                self._cache.move_to_end(user_id)
                return cached
        stored = None if version is None else self._store.profile(user_id)
        if stored is not None:
            self._put_in_cache(stored)
        return stored

    def _save(self, profile: Profile, replacing: ProfileVersion | None) -> bool:
        is_saved = self._store.save_profile(profile, replacing=replacing)
        if is_saved:
            self._put_in_cache(profile)
        else:
            # An erasure in between may have left a profile of the same version.
            with self._lock:
                self._drop_from_cache(profile.user_id)
        return is_saved

    def _put_in_cache(self, profile: Profile) -> None:
        with self._lock:
            self._drop_from_cache(profile.user_id)
            self._cache[profile.user_id] = profile
            self._cached_tracks += _size(profile)
            while self._cached_tracks > _MAX_CACHED_TRACKS and len(self._cache) > 1:
                self._drop_from_cache(next(iter(self._cache)))

    def _drop_from_cache(self, user_id: UserId) -> None:
        gone = self._cache.pop(user_id, None)
        if gone is not None:
            self._cached_tracks -= _size(gone)

    def _lock_of(self, user_id: UserId) -> threading.RLock:
        return self._locks[hash(user_id) % _LOCKS]


def _size(profile: Profile) -> int:
    return 1 + len(profile.taste.tracks) + len(profile.recent)


def _conflict(user_id: UserId) -> StoreBusyError:
    msg = f"the profile of {user_id!r} was not saved: other processes saved it at the same time; try again"
    return StoreBusyError(msg)
