"""A listener's profile: a pure fold over all their listens, cheap for those that come nearly in order.

Listens may arrive in any order, any number of times. Those at least `lateness_ms` older than the newest are
folded once (`settled`); the rest (`recent`) stays, sorted, and is folded on top. So the same listens give
the same taste to the bit, in whatever order they came. A listen that arrives later than that needs a refold.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from soundalike.domain.listens import NOTHING_ERASED, Erased, Listen
from soundalike.domain.taste import FOLD_VERSION, NO_TASTE, Taste, fold_taste
from soundalike.domain.types import EventId, ProfileVersion, UserId

LATENESS_MS = 7 * 24 * 3600 * 1000

_ORDER = attrgetter("at_ms", "id")
_AT = attrgetter("at_ms")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What one user listened to, and how much they like it.

    Parameters
    ----------
    user_id : UserId
        The user.
    lateness_ms : int
        A listen older than the newest by less than this is folded without a refold.
    erased : Erased
        What is erased of the user, and stays so where it arrives later.
    settled : Taste
        Of the listens that are final.
    recent : tuple of Listen
        The others, by (`at_ms`, `id`).
    taste : Taste
        Of all of them.
    """

    user_id: UserId
    lateness_ms: int
    erased: Erased
    settled: Taste
    recent: tuple[Listen, ...]
    taste: Taste

    @cached_property
    def version(self) -> ProfileVersion:
        """Hex digest of the taste and the erasure: the same listens, the same version."""
        rows = [
            [
                track_id,
                known.leaning,
                known.leaning_ms,
                known.liked_ms,
                known.disliked_ms,
                known.played_ms,
                [(one.kind, one.at_ms) for one in known.evidence],
            ]
            for track_id, known in sorted(self.taste.tracks.items())
        ]
        text = json.dumps([FOLD_VERSION, self.erased.until_ms, self.taste.count, self.taste.newest_ms, rows])
        return ProfileVersion(hashlib.blake2b(text.encode(), digest_size=8).hexdigest())

    @property
    def horizon_ms(self) -> int | None:
        """Listens up to this time are settled; None if there are none yet."""
        newest_ms = self.taste.newest_ms
        return None if newest_ms is None else newest_ms - self.lateness_ms


@dataclass(frozen=True, slots=True)
class Folded:
    """A profile with more listens, and those that came too late to be folded cheaply."""

    profile: Profile
    late: tuple[Listen, ...]


def new_profile(
    user_id: UserId, *, lateness_ms: int = LATENESS_MS, erased: Erased = NOTHING_ERASED
) -> Profile:
    """Return the profile of a user without listens.

    Parameters
    ----------
    user_id : UserId
        The user.
    lateness_ms : int
        See `Profile`.
    erased : Erased
        See `Profile`.
    """
    return Profile(
        user_id=user_id,
        lateness_ms=lateness_ms,
        erased=erased,
        settled=NO_TASTE,
        recent=(),
        taste=NO_TASTE,
    )


def fold(profile: Profile, listens: Iterable[Listen]) -> Folded:
    """Fold listens, in any order, into the profile of their user.

    Erased listens do not count, and those that are still `recent` count once. Settled listens are not
    stored: a late one may be new or folded already, and one with the id of a settled listen but another
    time would count twice. Only the store of all listens can tell, so the caller passes listens with
    the content that is stored.

    Parameters
    ----------
    profile : Profile
        Of the user.
    listens : iterable of Listen
        Of the user, in any order.
    """
    known = {listen.id for listen in profile.recent}
    horizon_ms = profile.horizon_ms
    fresh: list[Listen] = []
    late: list[Listen] = []
    for listen in _once(listens, known):
        if not profile.erased.hides(listen):
            is_late = horizon_ms is not None and listen.at_ms <= horizon_ms
            (late if is_late else fresh).append(listen)
    fresh.sort(key=_ORDER)
    return Folded(_with(profile, fresh) if fresh else profile, tuple(late))


def refold(
    user_id: UserId,
    listens: Iterable[Listen],
    *,
    lateness_ms: int = LATENESS_MS,
    erased: Erased = NOTHING_ERASED,
) -> Profile:
    """Fold all listens of a user from scratch, in any order.

    Parameters
    ----------
    user_id : UserId
        The user.
    listens : iterable of Listen
        All of the user's, in any order.
    lateness_ms : int
        See `Profile`.
    erased : Erased
        See `Profile`.
    """
    return fold(new_profile(user_id, lateness_ms=lateness_ms, erased=erased), listens).profile


def _with(profile: Profile, fresh: list[Listen]) -> Profile:
    """Return a profile with listens that are sorted, new and not late."""
    is_in_order = not profile.recent or fresh[0].order > profile.recent[-1].order
    recent = [*profile.recent, *fresh]
    if not is_in_order:
        recent.sort(key=_ORDER)
    horizon_ms = recent[-1].at_ms - profile.lateness_ms
    final = bisect_right(recent, horizon_ms, key=_AT)
    settled = fold_taste(profile.settled, recent[:final]) if final else profile.settled
    rest = tuple(recent[final:])
    # Both ways fold the same listens in the same order; this takes the shorter.
    is_short = is_in_order and len(fresh) < len(rest)
    return Profile(
        user_id=profile.user_id,
        lateness_ms=profile.lateness_ms,
        erased=profile.erased,
        settled=settled,
        recent=rest,
        taste=fold_taste(profile.taste, fresh) if is_short else fold_taste(settled, rest),
    )


def _once(listens: Iterable[Listen], known: set[EventId]) -> Iterator[Listen]:
    """Yield each listen that is not known; of several with one id, the first."""
    for listen in listens:
        if listen.id not in known:
            known.add(listen.id)
            yield listen
