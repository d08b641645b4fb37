"""Profiles: folded from listens as these come, made good after a crash, rebuilt on demand."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from soundalike.domain.errors import StoreBusyError, StoreError
from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import Progress
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import Profile, fold, new_profile, refold
from soundalike.domain.types import ProfileVersion, UserId

_log = logging.getLogger(__name__)

_MAX_KEPT_TRACKS = 300_000
_MAX_ATTEMPTS = 100
_TURNS = 64


@dataclass(frozen=True, slots=True)
class Refolded:
    """How many profiles were folded anew, and how many listens they are made of."""

    profiles: int
    listens: int


class Profiles:
    """Every listener's profile.

    Listens are stored before they are folded, and a profile is only ever folded from stored ones: so one
    that is made of fewer than are stored lacks some (a crash, another process that is about to fold
    them), and any other lacks none. A profile is saved in place of the one it was folded from; where
    another process or thread saved in between, it is folded again. A profile that could not be folded
    is folded anew when it is next asked for or added to, and at the next start.

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
        self._kept_tracks = 0
        self._behind: set[UserId] = set()
        # Threads of one process take turns at a user, so that only other processes get in between.
        self._turns = [threading.RLock() for _ in range(_TURNS)]

    def of(self, user_id: UserId) -> Profile:
        """Return a user's profile as it is now."""
        profile = self._stored(user_id)
        if profile is not None and self._is_good(profile):
            return profile
        if profile is None and not self._store.count_listens(user_id):
            return self._fresh(user_id)
        with self._turn(user_id):
            profile = self._stored(user_id)
            if profile is not None and self._is_good(profile):
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
            With the content that is stored.
        repeated : collection of UserId
            Users who sent listens that were stored already, perhaps because whoever stored them was
            killed before it folded them: this is made good.

        Raises
        ------
        StoreError
            If a profile could not be read or saved; the others are folded all the same.
        """
        by_user: dict[UserId, list[Listen]] = {user_id: [] for user_id in repeated}
        for listen in listens:
            by_user.setdefault(listen.user_id, []).append(listen)
        failed = None
        for user_id, of_user in by_user.items():
            try:
                with self._turn(user_id):
                    self._fold(user_id, of_user, is_doubtful=user_id in repeated)
            except Exception as error:  # noqa: BLE001 - raised below, once the others are folded
                with self._lock:
                    self._behind.add(user_id)
                failed = error
        if failed is not None:
            raise failed

    def catch_up(self, progress: Progress = lambda _done, _total: None) -> Refolded:
        """Fold anew every profile that lacks listens, as a crash or an import leaves it.

        One that cannot be folded, since the store's rows are damaged, is logged and left as it is.
        """
        folded, stored = self._store.profile_counts(), self._store.listen_counts()
        everybody = sorted({*folded, *stored})
        return self._refold_all(
            {
                user_id: stored.get(user_id, 0)
                for user_id in everybody
                if folded.get(user_id, 0) != stored.get(user_id, 0)
            },
            progress,
            is_strict=False,
        )

    def replay(self, progress: Progress = lambda _done, _total: None) -> Refolded:
        """Rebuild every profile from all listens."""
        stored = self._store.listen_counts()
        everybody = sorted({*self._store.profile_counts(), *stored})
        return self._refold_all({user_id: stored.get(user_id, 0) for user_id in everybody}, progress)

    def _refold_all(
        self, counts: dict[UserId, int], progress: Progress, *, is_strict: bool = True
    ) -> Refolded:
        done, total, left = 0, sum(counts.values()), 0
        for user_id, count in counts.items():
            progress(done, total)
            try:
                with self._turn(user_id):
                    self._refold(user_id)
            except StoreBusyError:
                raise
            except StoreError as error:
                if is_strict:
                    raise
                left += 1
                _log.warning("the profile of %r is not up to date: %s", user_id, error)
            done += count
        progress(done, total)
        return Refolded(len(counts) - left, total)

    def _fold(self, user_id: UserId, listens: Sequence[Listen], *, is_doubtful: bool) -> None:
        for _ in range(_MAX_ATTEMPTS):
            before = self._stored(user_id)
            if before is None or not self._is_good(before):
                self._refold(user_id)
                return
            folded = fold(before, listens)
            # Only the store tells whether a late listen was folded before.
            if (folded.late or is_doubtful) and folded.profile.taste.count < self._store.count_listens(
                user_id
            ):
                self._refold(user_id)
                return
            if folded.profile is before or self._save(folded.profile, before.version):
                return
        raise _contended(user_id)

    def _refold(self, user_id: UserId) -> Profile:
        for _ in range(_MAX_ATTEMPTS):
            # The version is read first: what is saved while listens are read makes this one void.
            version = self._store.profile_version(user_id)
            erased_ms = self._store.erased_ms(user_id)
            listens = self._store.listens_of(user_id)
            profile = refold(user_id, listens, lateness_ms=self._lateness_ms, erased_ms=erased_ms)
            if self._save(profile, version):
                with self._lock:
                    self._behind.discard(user_id)
                return profile
        raise _contended(user_id)

    def _fresh(self, user_id: UserId) -> Profile:
        return new_profile(user_id, lateness_ms=self._lateness_ms, erased_ms=self._store.erased_ms(user_id))

    def _is_good(self, profile: Profile) -> bool:
        with self._lock:
            return profile.user_id not in self._behind and profile.lateness_ms == self._lateness_ms

    def _stored(self, user_id: UserId) -> Profile | None:
        """Return the profile that the store holds now, unread where it is the one that is kept here."""
        version = self._store.profile_version(user_id)
        with self._lock:
            kept = self._kept.get(user_id)
            if kept is not None and kept.version == version:
                self._kept.move_to_end(user_id)
                return kept
        stored = self._store.profile(user_id)
        if stored is not None:
            self._keep(stored)
        return stored

    def _save(self, profile: Profile, replacing: ProfileVersion | None) -> bool:
        is_saved = self._store.save_profile(profile, replacing=replacing)
        if is_saved:
            self._keep(profile)
        return is_saved

    def _keep(self, profile: Profile) -> None:
        with self._lock:
            self._forget(profile.user_id)
            self._kept[profile.user_id] = profile
            self._kept_tracks += _size(profile)
            while self._kept_tracks > _MAX_KEPT_TRACKS and len(self._kept) > 1:
                self._forget(next(iter(self._kept)))

    def _forget(self, user_id: UserId) -> None:
        gone = self._kept.pop(user_id, None)
        if gone is not None:
            self._kept_tracks -= _size(gone)

    def _turn(self, user_id: UserId) -> threading.RLock:
        return self._turns[hash(user_id) % _TURNS]


def _size(profile: Profile) -> int:
    return 1 + len(profile.taste.tracks) + len(profile.recent)


def _contended(user_id: UserId) -> StoreBusyError:
    msg = f"the profile of {user_id!r} is being saved by other processes all the time; try again"
    return StoreBusyError(msg)
