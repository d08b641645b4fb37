"""Whether what a store holds came from another: what an interrupted copy left, or somebody else's."""

from collections.abc import Iterator
from itertools import islice

from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.types import UserId
from soundalike.services.store_copy.checksums import telling
from soundalike.services.store_copy.records import shown

_BATCH = 500


def strangers(source: Store, target: Store) -> Iterator[str]:
    """Name what a target without roots holds and no copy of the source can have left there.

    What the source held once may be left: it has another password, other tags, vectors or problems by
    now, or erased a listener. Tracks are never removed, so each must be known.
    """
    yield from _accounts(source, target)
    yield from _tracks(source, target)
    yield from _problems(source, target)
    yield from _erasures(source, target)
    yield from _listens(source, target)
    yield from _profiles(source, target)


def is_empty(store: Store) -> bool:
    """Whether a store holds nothing at all."""
    return not (
        store.roots()
        or store.has_users()
        or any(True for _ in islice(store.kept_tracks(), 1))
        or any(True for _ in islice(store.problems(), 1))
        or store.erasures()
        or store.listen_counts()
        or store.profile_counts()
    )


def _accounts(source: Store, target: Store) -> Iterator[str]:
    for user in target.users():
        known = source.user(user.id)
        if known is None:
            is_known = source.erased_ms(user.id) is not None  # an account goes with an erasure
        else:
            is_known = (known.name, known.created_at) == (user.name, user.created_at)
        if not is_known:
            yield f"account {user.name!r}"


def _tracks(source: Store, target: Store) -> Iterator[str]:
    kept = target.kept_tracks()
    while batch := [one.track.id for one in islice(kept, _BATCH)]:
        known = source.tracks(batch)
        yield from (f"track {track_id!r}" for track_id in batch if track_id not in known)


def _problems(source: Store, target: Store) -> Iterator[str]:
    roots = {root.name for root in source.roots()}
    for problem in target.problems():
        if problem.location.root not in roots:
            yield f"problem of {shown(problem.location)}"


def _erasures(source: Store, target: Store) -> Iterator[str]:
    for erasure in target.erasures():
        erased_ms = source.erased_ms(erasure.user_id)
        if erased_ms is None or erased_ms < erasure.at_ms:
            yield f"erasure of {erasure.user_id!r}"


def _listens(source: Store, target: Store) -> Iterator[str]:
    counts = source.listen_counts()
    for user_id in sorted(target.listen_counts()):
        if user_id in counts or source.erased_ms(user_id) is None:
            for listen in _strange_listens(source, target, user_id):
                yield f"listen {listen.id!r} of {user_id!r}"


def _strange_listens(source: Store, target: Store, user_id: UserId) -> Iterator[Listen]:
    """Yield the listens that the source has neither now nor in what it erased."""
    erased_ms = source.erased_ms(user_id)
    known = _by_time(telling(f"the listens of {user_id!r}", source.listens_of(user_id)))
    now_ms, of_now = next(known, (None, set[Listen]()))
    for at_ms, listens in _by_time(target.listens_of(user_id)):
        if erased_ms is not None and at_ms <= erased_ms:
            continue
        while now_ms is not None and now_ms < at_ms:
            now_ms, of_now = next(known, (None, set[Listen]()))
        yield from sorted(listens - of_now if now_ms == at_ms else listens, key=lambda one: one.id)


def _by_time(listens: Iterator[Listen]) -> Iterator[tuple[int, set[Listen]]]:
    """Yield the listens of each millisecond: stores agree on the order of times, whatever the ids."""
    of_now: set[Listen] = set()
    now_ms = 0
    for listen in listens:
        if of_now and listen.at_ms != now_ms:
            yield now_ms, of_now
            of_now = set()
        now_ms = listen.at_ms
        of_now.add(listen)
    if of_now:
        yield now_ms, of_now


def _profiles(source: Store, target: Store) -> Iterator[str]:
    counts = source.listen_counts()
    for user_id in sorted(target.profile_counts()):
        is_forgotten = user_id not in counts and source.erased_ms(user_id) is not None
        if source.profile_version(user_id) is None and not is_forgotten:
            yield f"profile of {user_id!r}"
