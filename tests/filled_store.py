"""A store with some of everything, also hostile values, and its checksums."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np

from making import (
    SOME_TIME,
    make_listen,
    make_location,
    make_schema,
    make_track,
    make_vectors,
)
from soundalike.domain.features import whole_and_halves
from soundalike.domain.files import FileProblem, FileStamp, Part, ProblemReason, Root
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import OnProgress, Store
from soundalike.domain.profiles import refold
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags
from soundalike.domain.types import DurationMs, RootName, UserId
from soundalike.domain.users import YOU, Credential, CredentialKind, EndedSession, User
from soundalike.services.entities import ENTITIES
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.store_copy.checksums import Checksum

MUSIC, DISK = Root(RootName("music"), Path("/m")), Root(RootName("disk"), Path("/d/\udcff ó"))
BOB, GONE = UserId("bob"), UserId("gone")
ERASED_MS = 5_000

HOSTILE = ["", "\x00", "\ud800", "a\udcffb", "');--", "$where", "\U0010ffff", "é" * 2_000]


def fill(store: Store, *, tracks: int = 40, listens: int = 60) -> None:
    for user_id, name in ((YOU, "Ada"), (BOB, "bób")):
        password_hash = f"$argon2id$v=19$of {name}"
        store.add_user(
            User(
                id=user_id,
                name=name,
                password_hash=password_hash,
                created_at=SOME_TIME,
                is_admin=user_id == YOU,
                is_advised=user_id == BOB,
            )
        )
        digest = f"digest of a session of {user_id}"
        store.add_ended_session(EndedSession(digest=digest, user_id=user_id, expires_at=SOME_TIME))
    for number, label in enumerate(["", "a script", "\x00\ud800"]):
        store.add_credential(
            Credential(
                kind=CredentialKind.TOKEN,
                id=f"k{number}",
                user_id=BOB,
                label=label,
                secret_hash=f"hash of secret {number}",
                created_at=SOME_TIME + timedelta(seconds=number),
            )
        )
    fill_library(store, tracks)
    fill_listens(store, listens)


TAGS = Tags(
    title="All of it",
    artists=tuple(HOSTILE[:3]),
    album=HOSTILE[0],
    album_artist=HOSTILE[1],
    genres=tuple(HOSTILE[:2]),
    genre_parents={HOSTILE[0]: HOSTILE[1]},
    track_number=3,
    disc_number=2,
    gains=Gains(track_db=-7.5),
    external_ids=(ExternalId(ExternalIdKind.ISRC, HOSTILE[0]),),
)


def fill_library(store: Store, tracks: int) -> None:
    known, other = make_schema(8), make_schema(3, name="other", version=12)
    unknown = np.array([-0.0, np.nan, np.inf, 1e-45], dtype=np.float32)
    for root in (MUSIC, DISK):
        store.save_root(root)
    for number in range(tracks):
        text = HOSTILE[number % len(HOSTILE)]
        track = make_track(
            f"t{number:05}",
            title=text,
            artist=None if number % 3 == 0 else text,
            root="music" if number % 2 == 0 else "disk",
            path=b"a/\xff%d" % number,
            target=Path("/else/where\udcff.mp3") if number % 7 == 0 else None,
            mtime_ns=2**70 + number,
            vanished_at=SOME_TIME if number % 4 == 0 else None,
            part=Part(number, number + 100, 75) if number % 11 == 5 else None,
            has_file=number % 13 != 6,
            tags=TAGS if number % 13 == 6 else None,
        )
        vectors = [
            StoredVectors.of(track.id, make_vectors(known, number)),
            StoredVectors.of(track.id, make_vectors(other, number)),
        ]
        if number % 5 == 0:
            vectors.append(
                StoredVectors(
                    track_id=track.id,
                    feature_set="to come",
                    version=1,
                    fingerprint="not known here",
                    patches=whole_and_halves(0, 30_000),
                    values=np.stack([unknown, unknown[::-1], unknown * 2]),
                )
            )
        store.save_stored_tracks([track])
        store.save_stored_vectors(vectors[: number % 4])
    store.save_track(make_track("t00001", artist="was called otherwise", root="disk", path=b"a/\xff1"))
    settle_catalogue(store)
    for number, reason in enumerate(ProblemReason):
        store.save_problem(
            FileProblem(
                location=make_location(b"bad/\xff%d" % number, "disk" if number % 2 else "music"),
                reason=reason,
                analysed_ms=DurationMs(number),
                detail=HOSTILE[number % len(HOSTILE)],
                is_used=number % 3 == 0,
                stamp=FileStamp(number, 2**70) if number % 2 else None,
            )
        )


def fill_listens(store: Store, listens: int) -> None:
    """You and Bob listened; Bob was erased up to a time, and a third one for good."""
    for user_id in (BOB, GONE):
        store.erase_listens(Erasure(user_id, ERASED_MS))
    for user_id in (YOU, BOB):
        heard = [
            make_listen(n, user_id=user_id, track_id=f"t{n % 40:05}", at_ms=ERASED_MS + 1 + n // 3)
            for n in range(listens)
        ]
        store.add_listens(heard)
        profile = refold(user_id, heard, erased=store.erased(user_id))
        assert store.save_profile(profile, replacing=None)


@contextmanager
def no_progress(_what: str) -> Iterator[OnProgress]:
    yield _nowhere


def _nowhere(_done: int, _total: int) -> None:
    pass


def checksums_of(store: Store) -> dict[str, tuple[int, str]]:
    """Return how many records of each kind there are, and their checksum."""
    checksums = {entity.kind: Checksum() for entity in ENTITIES}
    for entity in ENTITIES:
        for one in entity.read(store):
            checksums[entity.kind].add(entity.record(one))
    return {kind: (checksum.count, checksum.hex) for kind, checksum in checksums.items()}
