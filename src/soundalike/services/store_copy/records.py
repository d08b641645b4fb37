"""Each thing that a store holds, as bytes that are the same whatever keeps it."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from soundalike.domain.copying import KeptTrack
from soundalike.domain.files import FileProblem, Location, Root
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.profiles import Profile
from soundalike.domain.times import to_ms
from soundalike.domain.users import Token, User
from soundalike.wire.profiles import profile_body

DIGEST_BYTES = 32


class Kind(StrEnum):
    """What a store holds, in the order in which it is copied."""

    ACCOUNTS = "accounts"
    TOKENS = "tokens"
    TRACKS = "tracks"
    VECTORS = "vectors"
    PROBLEMS = "problems"
    ERASURES = "erasures"
    LISTENS = "listens"
    PROFILES = "profiles"
    ROOTS = "roots"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a store: its name for people, without secrets, and all of it as bytes."""

    kind: Kind
    name: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """Digest of all of it."""
        name = self.name.encode(errors="surrogatepass")
        return hashlib.blake2b(name + b"\0" + self.content, digest_size=DIGEST_BYTES).digest()

    @property
    def bucket(self) -> int:
        """In which part of its kind it is counted; told from its name alone."""
        return hashlib.blake2b(self.name.encode(errors="surrogatepass"), digest_size=1).digest()[0]


def account_item(user: User) -> Item:
    """Tell an account."""
    return _item(
        Kind.ACCOUNTS,
        f"account {user.name!r}",
        user.id,
        user.name,
        user.password_hash,
        to_ms(user.created_at),
    )


def token_item(token: Token) -> Item:
    """Tell a token."""
    name = f"token {token.id!r} of {token.user_id!r}"
    return _item(
        Kind.TOKENS, name, token.id, token.user_id, token.label, token.secret_hash, to_ms(token.created_at)
    )


def root_item(root: Root) -> Item:
    """Tell a root."""
    return _item(Kind.ROOTS, f"root {root.name!r}", root.name, bytes(root.location))


def track_items(kept: KeptTrack) -> tuple[Item, ...]:
    """Tell a track, and after it its vectors of each feature set."""
    track = kept.track
    about = _item(
        Kind.TRACKS,
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
    of_track = []
    for vectors in kept.vectors:
        name = f"vectors {vectors.feature_set}-v{vectors.version} of track {track.id!r}"
        parts = (vectors.whole, vectors.first_half, vectors.second_half)
        numbers = [part.astype("<f4").tobytes() for part in parts]
        what = (vectors.feature_set, vectors.version, vectors.fingerprint, len(numbers[0]), len(numbers[1]))
        of_track.append(Item(Kind.VECTORS, name, ascii(what).encode() + b"".join(numbers)))
    return (about, *of_track)


def problem_item(problem: FileProblem) -> Item:
    """Tell the line about a file."""
    stamp = problem.stamp
    return _item(
        Kind.PROBLEMS,
        f"problem of {shown(problem.location)}",
        problem.location.root,
        problem.location.path,
        problem.reason.value,
        problem.analysed_ms,
        problem.detail,
        problem.is_used,
        None if stamp is None else (stamp.size_bytes, stamp.mtime_ns),
    )


def erasure_item(erasure: Erasure) -> Item:
    """Tell an erasure."""
    return _item(Kind.ERASURES, f"erasure of {erasure.user_id!r}", erasure.user_id, erasure.at_ms)


def listen_item(listen: Listen) -> Item:
    """Tell a listen."""
    return _item(
        Kind.LISTENS,
        f"listen {listen.id!r} of {listen.user_id!r}",
        listen.id,
        listen.user_id,
        listen.track_id,
        listen.kind.value,
        listen.position_ms,
        listen.at_ms,
    )


def profile_item(profile: Profile) -> Item:
    """Tell a profile."""
    body = json.dumps(profile_body(profile), sort_keys=True)
    return Item(Kind.PROFILES, f"profile of {profile.user_id!r}", body.encode())


def _item(kind: Kind, name: str, *values: object) -> Item:
    # Text, bytes, whole numbers and None, written so that no two of them read alike.
    return Item(kind, name, ascii(values).encode())


def shown(location: Location) -> str:
    """Return a location for people."""
    return repr(f"{location.root}:{location.path.decode(errors='replace')}")
