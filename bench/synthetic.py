"""A synthetic library of FMA's size with listeners, for measurements over HTTP."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from soundalike.app import open_app
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.catalogue import own_entry
from soundalike.domain.files import FileStamp, Location, TrackFile
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import Store
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE
from soundalike.domain.similarity.space import AffineMap, ArtefactDraft, Neighbours, SimilaritySpace
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import (
    AudioHash,
    DurationMs,
    EventId,
    FloatArray,
    RelativePath,
    RootName,
    TrackId,
    UserId,
)
from soundalike.domain.users import Credential, CredentialKind, User
from soundalike.settings import load_settings
from soundalike.store.sqlite.store import SqliteStore

TRACKS, CLUSTER, DIMENSIONS, K = 106_574, 186, 44, 50
USERS, LISTENS_EACH = 1_000, 200
DAY_MS = 24 * 3600 * 1000
NOW_MS = int(time.time() * 1000)


def fill(data: Path, *, tracks: int = TRACKS, users: int = USERS) -> FloatArray:
    """Write tracks, an artefact, accounts and listens; fold them, and print how fast."""
    rng = np.random.default_rng(0)
    store = SqliteStore(data / "library.sqlite")
    start = time.perf_counter()
    ids = [TrackId(f"t{number:06d}") for number in range(tracks)]
    for number, track_id in enumerate(ids):
        store.save_track(made_track(number, track_id))
    print(f"{tracks:,} tracks written in {time.perf_counter() - start:.0f} s")
    with open_app(load_settings({"data": data}, {})) as app:
        coordinates = publish(app.artefacts, ids, rng)
    add_users(store, users)
    listens = [listen for user in range(users) for listen in made_listens(user, ids, rng)]
    start = time.perf_counter()
    for first in range(0, len(listens), 500):
        store.add_listens(listens[first : first + 500])
    stored_s = time.perf_counter() - start
    store.close()
    with open_app(load_settings({"data": data}, {})) as app:
        start = time.perf_counter()
        app.services.profiles.replay()
        folded_s = time.perf_counter() - start
    print(f"{len(listens):,} listens stored at {len(listens) / stored_s:,.0f}/s, durably, 500 at a time")
    print(
        f"{len(listens):,} listens folded at {len(listens) / folded_s:,.0f}/s into {users:,} stored profiles"
    )
    return coordinates


def made_track(number: int, track_id: TrackId) -> Track:
    """Return a synthetic track: 16 by each artist, 12 on each album."""
    tags = Tags(title=f"Title {number}", artists=(f"Artist {number // 16}",), album=f"Album {number // 12}")
    return Track(
        id=track_id,
        file=TrackFile(
            location=Location(RootName("music"), RelativePath(b"%03d/%06d.mp3" % (number // 1000, number))),
            stamp=FileStamp(1_000_000, 1_700_000_000_000_000_000),
            audio_hash=AudioHash(f"{number:032x}"),
            media_type="audio/mpeg",
        ),
        tags=tags,
        entry=own_entry(tags),
        title=f"Title {number}",
        duration_ms=DurationMs(200_000),
        added_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def publish(artefacts: ArtefactStore, ids: list[TrackId], rng: np.random.Generator) -> FloatArray:
    """Publish an artefact of tight clusters, in which neighbours are quickly found."""
    count = len(ids) // CLUSTER + 1
    centres = rng.normal(size=(count, DIMENSIONS))
    points = np.repeat(centres, CLUSTER, axis=0)[: len(ids)]
    points = points + 0.4 * rng.normal(size=points.shape)
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    rows = np.zeros((len(ids), K), dtype=np.int32)
    distances = np.zeros((len(ids), K), dtype=np.float32)
    for first in range(0, len(ids), CLUSTER):
        part = points[first : first + CLUSTER]
        away = np.linalg.norm(part[:, None] - part[None], axis=2)
        np.fill_diagonal(away, np.inf)
        k = min(K, len(part) - 1)
        order = np.argsort(away, axis=1, kind="stable")[:, :k]
        rows[first : first + len(part), :k] = order + first
        distances[first : first + len(part), :k] = np.take_along_axis(away, order, axis=1)
        rows[first : first + len(part), k:] = -1
        distances[first : first + len(part), k:] = np.inf
    points.setflags(write=False)
    plain = AffineMap(
        columns=np.arange(DIMENSIONS),
        mean=np.zeros(DIMENSIONS, dtype=np.float32),
        scale=np.ones(DIMENSIONS, dtype=np.float32),
        clip=None,
        weights=np.eye(DIMENSIONS, dtype=np.float32),
        offset=np.zeros(DIMENSIONS, dtype=np.float32),
        is_unit_length=True,
    )
    space = SimilaritySpace((plain,))
    artefacts.publish(
        ArtefactDraft(
            schemas=(Timbre().schema,),
            recipe=DEFAULT_RECIPE,
            space=space,
            track_ids=tuple(ids),
            coordinates=points,
            neighbours=Neighbours(rows, distances),
            groups=space.group_vectors([Timbre().schema], points),
        )
    )
    coordinates: FloatArray = points
    return coordinates


def add_users(store: Store, count: int) -> None:
    """Add accounts, each with a token."""
    for user in range(count):
        created = datetime(2026, 1, 1, tzinfo=UTC)
        name = f"user{user}"
        store.add_user(User(id=user_id(user), name=name, password_hash="", created_at=created))
        secret_hash = hashlib.sha256(secret_of(user).encode()).hexdigest()
        store.add_credential(
            Credential(
                kind=CredentialKind.TOKEN,
                id=f"k{user}",
                user_id=user_id(user),
                label="bench",
                secret_hash=secret_hash,
                created_at=created,
            )
        )


def made_listens(user: int, ids: list[TrackId], rng: np.random.Generator) -> Iterator[Listen]:
    """Yield a month of listens: two thirds finished in a few clusters, the rest skipped anywhere."""
    homes = rng.integers(0, len(ids) // CLUSTER, size=3)
    times = np.sort(rng.integers(NOW_MS - 30 * DAY_MS, NOW_MS - DAY_MS, size=LISTENS_EACH))
    for at_ms in times:
        is_home = rng.random() < 2 / 3
        row = (
            int(rng.choice(homes)) * CLUSTER + int(rng.integers(CLUSTER))
            if is_home
            else int(rng.integers(len(ids)))
        )
        yield Listen(
            id=EventId(str(uuid.UUID(bytes=rng.bytes(16), version=4))),
            user_id=user_id(user),
            track_id=ids[row],
            kind=ListenKind.FINISHED if is_home else ListenKind.SKIPPED,
            position_ms=None if is_home else int(rng.integers(60_000)),
            at_ms=int(at_ms),
        )


def user_id(user: int) -> UserId:
    """Return the id of a synthetic listener."""
    return UserId(f"u{user:04d}")


def secret_of(user: int) -> str:
    """Return the token of a synthetic listener."""
    return f"sndl_{user:043d}"
