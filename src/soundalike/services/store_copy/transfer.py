"""Writing into one store what another holds and it does not."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import ParamSpec, TypeVar

from soundalike.domain.copying import KeptTrack
from soundalike.domain.errors import StoreBusyError, TrackConflictError
from soundalike.domain.files import Location
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.library import Progress, Store
from soundalike.domain.types import RelativePath, TrackId
from soundalike.domain.users import User
from soundalike.services.store_copy.checksums import Stage, new_stock, telling
from soundalike.services.store_copy.records import (
    Item,
    Kind,
    account_item,
    erasure_item,
    listen_item,
    problem_item,
    profile_item,
    token_item,
    track_items,
)

_TRACKS_AT_ONCE = 200
_LISTENS_AT_ONCE = 2_000
_STEP = 200
_ATTEMPTS = 4

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Transfer:
    """Copies everything but roots into a store that holds nothing, or an earlier state of the source.

    Parameters
    ----------
    source, target : Store
        From where, and to where.
    """

    def __init__(self, source: Store, target: Store) -> None:
        self._source = source
        self._target = target
        self.read = new_stock()
        """What was read of the source."""
        self.written = dict.fromkeys(Kind, 0)
        """How many items were written."""

    def copy(self, stage: Stage) -> None:
        """Write what is not there, in the order in which a store may be half copied."""
        for what, copy in (
            ("accounts", self._copy_accounts),
            ("tracks", self._copy_tracks),
            ("problems", self._copy_problems),
            ("erasures", self._copy_erasures),
            ("listens", self._copy_listens),
            ("profiles", self._copy_profiles),
        ):
            with stage(f"Copying {what}") as progress:
                copy(progress)

    def _note(self, *items: Item) -> None:
        for item in items:
            self.read[item.kind].add(item)

    def _write(self, write: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Write, however long what was killed before us is still in the way.

        A server keeps the transaction of a client that is gone for a minute (MongoDB's
        ``transactionLifetimeLimitSeconds``), which is longer than a store waits.
        """
        for _ in range(_ATTEMPTS - 1):
            with suppress(StoreBusyError):
                return write(*args, **kwargs)
        return write(*args, **kwargs)

    # Accounts

    def _copy_accounts(self, _progress: Progress) -> None:
        for user in self._target.users():
            if self._source.user(user.id) is None:
                self._forget(user)
        for user in self._source.users():
            self._note(account_item(user))
            copied = self._target.user(user.id)
            if copied is None:
                self._write(self._target.add_user, user)
            elif copied.password_hash != user.password_hash:
                self._write(self._target.save_password, user.id, user.password_hash)
            self.written[Kind.ACCOUNTS] += copied is None or copied.password_hash != user.password_hash
            self._copy_tokens(user)

    def _forget(self, user: User) -> None:
        """Remove an account that the source removed since it was copied."""
        erased_ms = self._source.erased_ms(user.id)
        if erased_ms is not None:
            self._write(self._target.erase_listens, Erasure(user.id, erased_ms), is_total=True)
            self._write(self._target.remove_user, user.id)

    def _copy_tokens(self, user: User) -> None:
        tokens = self._source.tokens_of(user.id)
        copied = self._target.tokens_of(user.id)
        for token in copied:
            if token not in tokens:
                self._write(self._target.remove_token, user.id, token.id)
        for token in tokens:
            self._note(token_item(token))
            if token not in copied:
                self._write(self._target.add_token, token)
                self.written[Kind.TOKENS] += 1

    # Tracks

    def _copy_tracks(self, progress: Progress) -> None:
        total = self._source.count_tracks()
        copied = _Copied(self._target.kept_tracks())
        batch: list[KeptTrack] = []
        for done, kept in enumerate(self._source.kept_tracks(), start=1):
            items = track_items(kept)
            self._note(*items)
            if copied.items(kept.track.id) != items:
                batch.append(kept)
            if len(batch) == _TRACKS_AT_ONCE:
                self._keep(batch)
                batch = []
            if done % _STEP == 0:
                progress(done, max(done, total))
        self._keep(batch)

    def _keep(self, batch: Sequence[KeptTrack]) -> None:
        if not batch:
            return
        try:
            self._write(self._target.keep_tracks, batch)
        except TrackConflictError:
            # Tracks have moved since they were copied, maybe into each other's places.
            for kept in batch:
                self._make_way(kept)
                self._write(self._target.keep_tracks, [kept])
        self.written[Kind.TRACKS] += len(batch)
        self.written[Kind.VECTORS] += sum(len(kept.vectors) for kept in batch)

    def _make_way(self, kept: KeptTrack) -> None:
        """Put another track that has the location aside, where no file can be; its own turn mends it."""
        other = self._target.track_at(kept.track.location)
        if other is not None and other.id != kept.track.id:
            aside = RelativePath(b"//" + other.id.encode(errors="surrogatepass"))
            self._write(
                self._target.save_track, replace(other, location=Location(other.location.root, aside))
            )

    # Problems

    def _copy_problems(self, _progress: Progress) -> None:
        for problem in self._target.problems():
            if problem.location not in _problems_at(self._source, problem.location):
                self._write(self._target.remove_problems, [problem.location])
        for problem in self._source.problems():
            self._note(problem_item(problem))
            if _problems_at(self._target, problem.location).get(problem.location) != problem:
                self._write(self._target.save_problem, problem)
                self.written[Kind.PROBLEMS] += 1

    # Listens

    def _copy_erasures(self, _progress: Progress) -> None:
        counts = self._source.listen_counts()
        copied = self._target.listen_counts().keys() | self._target.profile_counts().keys()
        for erasure in self._source.erasures():
            self._note(erasure_item(erasure))
            user_id = erasure.user_id
            is_new = self._target.erased_ms(user_id) != erasure.at_ms
            is_total = user_id not in counts and user_id in copied
            if is_new or is_total:
                self._write(self._target.erase_listens, erasure, is_total=is_total)
            self.written[Kind.ERASURES] += is_new

    def _copy_listens(self, progress: Progress) -> None:
        counts = self._source.listen_counts()
        copied = self._target.listen_counts()
        total = sum(counts.values())
        batch: list[Listen] = []
        done = 0
        for user_id, count in counts.items():
            is_copied = copied.get(user_id, 0) == count
            for listen in telling(f"the listens of {user_id!r}", self._source.listens_of(user_id)):
                self._note(listen_item(listen))
                done += 1
                if not is_copied:
                    batch.append(listen)
                if len(batch) == _LISTENS_AT_ONCE:
                    self._add(batch)
                    batch = []
                    progress(done, total)
        self._add(batch)

    def _add(self, batch: Sequence[Listen]) -> None:
        self.written[Kind.LISTENS] += len(self._write(self._target.add_listens, batch))

    def _copy_profiles(self, progress: Progress) -> None:
        users = self._source.profile_counts()
        for done, user_id in enumerate(users, start=1):
            profile = self._source.profile(user_id)
            if profile is None:
                continue
            item = profile_item(profile)
            self._note(item)
            copied = self._target.profile(user_id)
            if copied is None or profile_item(copied) != item:
                version = None if copied is None else copied.version
                self.written[Kind.PROFILES] += self._write(
                    self._target.save_profile, profile, replacing=version
                )
            if done % _STEP == 0:
                progress(done, len(users))


class _Copied:
    """What was copied before of tracks that are asked for by ascending id."""

    def __init__(self, tracks: Iterator[KeptTrack]) -> None:
        self._tracks = tracks
        self._next = next(tracks, None)

    def items(self, track_id: TrackId) -> tuple[Item, ...] | None:
        """Return all that was copied of a track, None where it was not (or comes out of turn)."""
        while self._next is not None and self._next.track.id < track_id:
            self._next = next(self._tracks, None)
        if self._next is None or self._next.track.id != track_id:
            return None
        return track_items(self._next)


def _problems_at(store: Store, location: Location) -> dict[Location, object]:
    """Return the line about a file: it comes before those about what is below it."""
    first = islice(store.problems_under(location.root, location.path), 1)
    return {problem.location: problem for problem in first}
