"""Every kind of thing that a store keeps, each declared in one place.

`store copy`, the export of a user's data and its erasure are loops over `ENTITIES`: what is added to the
table is copied, exported and erased with all else.
"""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from soundalike.domain.errors import (
    CopyError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    TrackConflictError,
)
from soundalike.domain.files import FileProblem, Location, Root
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import Profile
from soundalike.domain.stored_tracks import StoredTrack
from soundalike.domain.times import to_ms
from soundalike.domain.types import RelativePath, UserId
from soundalike.domain.users import Token, User, name_key
from soundalike.wire.accounts import account_body, token_body
from soundalike.wire.listens import listen_body
from soundalike.wire.profiles import profile_body

DIGEST_BYTES = 32

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Record:
    """One thing in a store, the same whatever keeps it.

    Parameters
    ----------
    kind : str
        Under which it is counted and reported.
    name : str
        For people, without secrets.
    content : bytes
        All of it.
    """

    kind: str
    name: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """BLAKE2b of name and content."""
        name = self.name.encode(errors="surrogatepass")
        return hashlib.blake2b(name + b"\0" + self.content, digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserData:
    """One user's data: where it is stored, and their profile as it is now."""

    store: Store
    user_id: UserId
    profile: Profile


@dataclass(frozen=True, slots=True)
class Export:
    """What a user's export has of an entity.

    Parameters
    ----------
    member : str
        Its member in the exported JSON object.
    body : callable
        Returns it as JSON values; an iterator becomes a list that is written as it is read.
    """

    member: str
    body: Callable[[UserData], object]


def _nothing(*_: object) -> None:
    """Do nothing: there is never one to remove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity(Generic[_T]):
    """How one kind of thing is read, named, digested, compared, written, exported and erased.

    Parameters
    ----------
    kinds : tuple of str
        The kinds of its records; the first also names it in progress messages.
    read : callable
        Yields every one in a store, in bounded memory, ascending by `order`.
    order : callable
        Returns by what all stores order them; few have the same value, and these come in any order.
    key : callable
        Returns what tells one from the others: one with the same key is replaced, not added.
    records : callable
        Returns one as records.
    write : callable
        Writes several into a store, each new or in place of the one with its key.
    batch : int
        How many are written at once.
    remove : callable
        Removes from the second store one that the first no longer has.
    is_from : callable
        Whether an interrupted copy of a store can have left this one, which the store does not have (now).
    count : callable
        Returns about how many there are, for progress; 0 for unknown.
    export : Export, optional
        What a user's export has of it.
    erase : callable, optional
        Removes what a store has of a user, when they ask to be forgotten.
    """

    kinds: tuple[str, ...]
    read: Callable[[Store], Iterable[_T]]
    order: Callable[[_T], Any]
    key: Callable[[_T], Hashable]
    records: Callable[[_T], tuple[Record, ...]]
    write: Callable[[Store, Sequence[_T]], object]
    batch: int = 1
    remove: Callable[[Store, Store, _T], object] = _nothing
    is_from: Callable[[Store, _T], bool]
    count: Callable[[Store], int] = lambda _store: 0
    export: Export | None = None
    erase: Callable[[Store, Erasure], object] | None = None


def _record(kind: str, name: str, *values: object) -> Record:
    # Text, bytes, whole numbers and None, written so that no two of them are alike.
    return Record(kind, name, ascii(values).encode())


def _each(save: Callable[[Store, _T], object]) -> Callable[[Store, Sequence[_T]], object]:
    """Write things one by one."""
    return lambda store, found: [save(store, one) for one in found]


# Accounts and tokens


def _account_records(user: User) -> tuple[Record, ...]:
    values = (user.id, user.name, user.password_hash, to_ms(user.created_at))
    return (_record("accounts", f"account {user.name!r}", *values),)


def _save_account(store: Store, user: User) -> None:
    if store.user(user.id) is None:
        store.add_user(user)
    else:
        store.save_password(user.id, user.password_hash)


def _remove_account(source: Store, target: Store, user: User) -> None:
    if source.erased_ms(user.id) is not None:
        target.remove_user(user.id)


def _is_account_from(source: Store, user: User) -> bool:
    known = source.user(user.id)
    if known is None:
        return source.erased_ms(user.id) is not None  # an account goes with an erasure
    return (known.name, known.created_at) == (user.name, user.created_at)


# First, so that half a copy never looks like a store without accounts, which anybody may use. An account
# is removed with its tokens by `Accounts.remove`, after everything else of its user.
ACCOUNTS: Entity[User] = Entity(
    kinds=("accounts",),
    read=lambda store: store.users(),
    order=lambda user: name_key(user.name),
    key=lambda user: user.id,
    records=_account_records,
    write=_each(_save_account),
    remove=_remove_account,
    is_from=_is_account_from,
    export=Export("account", lambda data: account_body(data.user_id, data.store.user(data.user_id))),
)


def _tokens(store: Store) -> Iterator[Token]:
    for user_id in sorted(user.id for user in store.users()):
        yield from store.tokens_of(user_id)


def _token_records(token: Token) -> tuple[Record, ...]:
    values = (token.id, token.user_id, token.label, token.secret_hash, to_ms(token.created_at))
    return (_record("tokens", f"token {token.id!r} of {token.user_id!r}", *values),)


TOKENS: Entity[Token] = Entity(
    kinds=("tokens",),
    read=_tokens,
    order=lambda token: token.user_id,
    key=lambda token: token,
    records=_token_records,
    write=_each(lambda store, token: store.add_token(token)),
    remove=lambda _source, target, token: target.remove_token(token.user_id, token.id),
    is_from=lambda _source, _token: True,
    export=Export("tokens", lambda data: list(map(token_body, data.store.tokens_of(data.user_id)))),
)


# Tracks and problems


def _track_records(stored: StoredTrack) -> tuple[Record, ...]:
    """Return a track, and after it its vectors of each feature set."""
    track = stored.track
    records = [
        _record(
            "tracks",
            f"track {track.id!r}",
            track.id,
            track.location.root,
            track.location.path,
            None if track.target is None else bytes(track.target),
            track.stamp.size_bytes,
            track.stamp.mtime_ns,
            track.audio_hash,
            track.title,
            track.artist,
            track.album,
            track.genre,
            track.year,
            track.duration_ms,
            track.media_type,
            to_ms(track.added_at),
            None if track.vanished_at is None else to_ms(track.vanished_at),
        )
    ]
    for one in stored.vectors:
        name = f"vectors {one.feature_set}-v{one.version} of track {track.id!r}"
        numbers = [part.astype("<f4").tobytes() for part in (one.whole, one.first_half, one.second_half)]
        about = (one.feature_set, one.version, one.fingerprint, len(numbers[0]), len(numbers[1]))
        records.append(Record("vectors", name, ascii(about).encode() + b"".join(numbers)))
    return tuple(records)


def _write_tracks(store: Store, tracks: Sequence[StoredTrack]) -> None:
    try:
        store.save_stored_tracks(tracks)
    except TrackConflictError:
        # Tracks have moved since they were copied, maybe into each other's places.
        for stored in tracks:
            _make_way(store, stored)
            store.save_stored_tracks([stored])


def _make_way(store: Store, stored: StoredTrack) -> None:
    """Move another track from the location to one where no file can be, until it is written itself."""
    other = store.track_at(stored.track.location)
    if other is not None and other.id != stored.track.id:
        aside = RelativePath(b"//" + other.id.encode(errors="surrogatepass"))
        store.save_track(replace(other, location=Location(other.location.root, aside)))


TRACKS: Entity[StoredTrack] = Entity(
    kinds=("tracks", "vectors"),
    read=lambda store: store.stored_tracks(),
    order=lambda stored: stored.track.id,
    key=lambda stored: stored.track.id,
    records=_track_records,
    write=_write_tracks,
    batch=200,
    is_from=lambda source, stored: source.track(stored.track.id) is not None,
    count=lambda store: store.count_tracks(),
)


def _problem_records(problem: FileProblem) -> tuple[Record, ...]:
    where, stamp = problem.location, problem.stamp
    shown = f"{where.root}:{where.path.decode(errors='replace')}"
    return (
        _record(
            "problems",
            f"problem of {shown!r}",
            where.root,
            where.path,
            problem.reason.value,
            problem.analysed_ms,
            problem.detail,
            problem.is_used,
            None if stamp is None else (stamp.size_bytes, stamp.mtime_ns),
        ),
    )


PROBLEMS: Entity[FileProblem] = Entity(
    kinds=("problems",),
    read=lambda store: store.problems(),
    order=lambda problem: problem.location,
    key=lambda problem: problem.location,
    records=_problem_records,
    write=_each(lambda store, problem: store.save_problem(problem)),
    remove=lambda _source, target, problem: target.remove_problems([problem.location]),
    is_from=lambda source, problem: problem.location.root in {root.name for root in source.roots()},
)


# Erasures, listens and profiles


def _is_erasure_from(source: Store, erasure: Erasure) -> bool:
    erased_ms = source.erased_ms(erasure.user_id)
    return erased_ms is not None and erased_ms >= erasure.at_ms


ERASURES: Entity[Erasure] = Entity(
    kinds=("erasures",),
    read=lambda store: store.erasures(),
    order=lambda erasure: erasure.user_id,
    key=lambda erasure: erasure.user_id,
    records=lambda erasure: (
        _record("erasures", f"erasure of {erasure.user_id!r}", erasure.user_id, erasure.at_ms),
    ),
    write=_each(lambda store, erasure: store.erase_listens(erasure)),
    is_from=_is_erasure_from,
)


def _listens(store: Store) -> Iterator[Listen]:
    for user_id in sorted(store.listen_counts()):
        try:
            yield from store.listens_of(user_id)
        except (StoreBusyError, StoreUnavailableError):
            raise
        except StoreError as error:
            msg = f"the listens of {user_id!r}: {error}"
            raise CopyError(msg) from error


def _listen_records(listen: Listen) -> tuple[Record, ...]:
    values = (listen.id, listen.user_id, listen.track_id, listen.kind.value, listen.position_ms, listen.at_ms)
    return (_record("listens", f"listen {listen.id!r} of {listen.user_id!r}", *values),)


def _is_listen_from(source: Store, listen: Listen) -> bool:
    erased_ms = source.erased_ms(listen.user_id)
    return erased_ms is not None and (listen.at_ms <= erased_ms or source.count_listens(listen.user_id) == 0)


def _profiles(store: Store) -> Iterator[Profile]:
    found = (store.profile(user_id) for user_id in sorted(store.profile_counts()))
    return (profile for profile in found if profile is not None)


def _profile_records(profile: Profile) -> tuple[Record, ...]:
    content = json.dumps(profile_body(profile), sort_keys=True).encode()
    return (Record("profiles", f"profile of {profile.user_id!r}", content),)


def _save_profile(store: Store, profile: Profile) -> None:
    store.save_profile(profile, replacing=store.profile_version(profile.user_id))


def _is_profile_from(source: Store, profile: Profile) -> bool:
    return source.profile_version(profile.user_id) is not None or _is_forgotten(source, profile.user_id)


def _is_forgotten(store: Store, user_id: UserId) -> bool:
    return store.erased_ms(user_id) is not None and store.count_listens(user_id) == 0


def _forget(source: Store, target: Store, one: Listen | Profile) -> None:
    """Erase all of a user who was forgotten since they were copied, however their listens are dated."""
    erased_ms = source.erased_ms(one.user_id)
    is_left = target.count_listens(one.user_id) or target.profile_version(one.user_id) is not None
    if erased_ms is not None and is_left and _is_forgotten(source, one.user_id):
        target.erase_listens(Erasure(one.user_id, erased_ms), is_total=True)


# Roots


LISTENS: Entity[Listen] = Entity(
    kinds=("listens",),
    read=_listens,
    order=lambda listen: (listen.user_id, listen.at_ms),
    key=lambda listen: listen,
    records=_listen_records,
    write=lambda store, listens: store.add_listens(listens),
    batch=2_000,
    remove=_forget,
    is_from=_is_listen_from,
    count=lambda store: sum(store.listen_counts().values()),
    export=Export("listens", lambda data: map(listen_body, data.store.listens_of(data.user_id))),
    erase=lambda store, erasure: store.erase_listens(erasure),  # with the profile
)

PROFILES: Entity[Profile] = Entity(
    kinds=("profiles",),
    read=_profiles,
    order=lambda profile: profile.user_id,
    key=lambda profile: profile.user_id,
    records=_profile_records,
    write=_each(_save_profile),
    remove=_forget,
    is_from=_is_profile_from,
    count=lambda store: len(store.profile_counts()),
    export=Export("profile", lambda data: profile_body(data.profile)),
)

# Last, as the seal: a store with roots is whole.
ROOTS: Entity[Root] = Entity(
    kinds=("roots",),
    read=lambda store: sorted(store.roots(), key=lambda root: root.name),
    order=lambda root: root.name,
    key=lambda root: root.name,
    records=lambda root: (_record("roots", f"root {root.name!r}", root.name, bytes(root.location)),),
    write=_each(lambda store, root: store.save_root(root)),
    is_from=lambda _source, _root: False,
)

ENTITIES: tuple[Entity[Any], ...] = (
    ACCOUNTS,
    TOKENS,
    TRACKS,
    PROBLEMS,
    ERASURES,
    LISTENS,
    PROFILES,
    ROOTS,
)
"""In the order in which they are copied."""
