"""A listener's profile: a pure fold over all their listens, cheap for those that come nearly in order.

Listens may arrive in any order, any number of times. What is at least `lateness_ms` older than the newest
is folded for good (`settled`); the rest (`recent`) is kept, sorted, and folded on top. So the same listens
give the same taste to the bit, whatever way they came, and one that is later than that asks for a refold.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from soundalike.domain.listens import Listen
from soundalike.domain.taste import FOLD_VERSION, NO_TASTE, Taste, fold_taste
from soundalike.domain.types import EventId, ProfileVersion, UserId

LATENESS_MS = 7 * 24 * 3600 * 1000

_ORDER = attrgetter("at_ms", "id")
_AT = attrgetter("at_ms")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What was heard by one user, and what they make of it.

    Parameters
    ----------
    user_id : UserId
        Whose it is.
    lateness_ms : int
        What is later than the newest listen by less than this is folded cheaply.
    erased_ms : int or None
        Up to when everything is forgotten, and whatever comes late with it.
    settled : Taste
        Of the listens that are final.
    recent : tuple of Listen
        The others, by (`at_ms`, `id`).
    taste : Taste
        Of all of them.
    """

    user_id: UserId
    lateness_ms: int
    erased_ms: int | None
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
        text = json.dumps([FOLD_VERSION, self.erased_ms, self.taste.count, self.taste.newest_ms, rows])
        return ProfileVersion(hashlib.blake2b(text.encode(), digest_size=8).hexdigest())

    @property
    def horizon_ms(self) -> int | None:
        """Up to when listens are settled; None where there are none yet."""
        newest_ms = self.taste.newest_ms
        return None if newest_ms is None else newest_ms - self.lateness_ms


@dataclass(frozen=True, slots=True)
class Folded:
    """A profile with more listens, and those that came too late to be folded cheaply."""

    profile: Profile
    late: tuple[Listen, ...]


def new_profile(user_id: UserId, *, lateness_ms: int = LATENESS_MS, erased_ms: int | None = None) -> Profile:
    """Return the profile of somebody of whom nothing is known."""
    return Profile(
        user_id=user_id,
        lateness_ms=lateness_ms,
        erased_ms=erased_ms,
        settled=NO_TASTE,
        recent=(),
        taste=NO_TASTE,
    )


def fold(profile: Profile, listens: Iterable[Listen]) -> Folded:
    """Fold listens, in any order, into the profile of their user.

    Erased ones do not count, and those that are still `recent` count once. Of the settled ones nothing
    is known but what they came to: a listen that is late may be new or folded already, and one with the
    id of a settled one but another time would count again. Only whoever keeps all listens can tell,
    and gives no listen here but with the content that was kept of it.
    """
    known = {listen.id for listen in profile.recent}
    horizon_ms = profile.horizon_ms
    fresh: list[Listen] = []
    late: list[Listen] = []
    for listen in _once(listens, known):
        if profile.erased_ms is None or listen.at_ms > profile.erased_ms:
            is_late = horizon_ms is not None and listen.at_ms <= horizon_ms
            (late if is_late else fresh).append(listen)
    fresh.sort(key=_ORDER)
    return Folded(_with(profile, fresh) if fresh else profile, tuple(late))


def refold(
    user_id: UserId,
    listens: Iterable[Listen],
    *,
    lateness_ms: int = LATENESS_MS,
    erased_ms: int | None = None,
) -> Profile:
    """Fold all listens of a user anew, given in any order."""
    return fold(new_profile(user_id, lateness_ms=lateness_ms, erased_ms=erased_ms), listens).profile


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
    # Either way folds the same listens in the same order; the shorter is taken.
    is_short = is_in_order and len(fresh) < len(rest)
    return Profile(
        user_id=profile.user_id,
        lateness_ms=profile.lateness_ms,
        erased_ms=profile.erased_ms,
        settled=settled,
        recent=rest,
        taste=fold_taste(profile.taste, fresh) if is_short else fold_taste(settled, rest),
    )


def _once(listens: Iterable[Listen], known: set[EventId]) -> Iterator[Listen]:
    """Yield each listen that is not known, the first content of an id only."""
    for listen in listens:
        if listen.id not in known:
            known.add(listen.id)
            yield listen
