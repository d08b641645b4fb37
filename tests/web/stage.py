"""A small library on disk, with everything that a player needs around it."""

import hashlib
import itertools
import os
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fakes import MemoryStore
from fakes_log import LaterLog, Topic
from making import make_schema, make_track
from soundalike.domain.errors import NoArtefactError, TrackGoneError
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import FileStamp, Root
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.ports.audio import Cover
from soundalike.domain.ports.library import Store as StorePort
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.similarity.space import (
    Artefact,
    ArtefactDraft,
    Neighbours,
    SimilaritySpace,
    SpaceRecipe,
)
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import Track
from soundalike.domain.types import (
    ArtefactVersion,
    EventId,
    FloatArray,
    IndexArray,
    RootName,
    TrackId,
    UserId,
)
from soundalike.domain.users import User
from soundalike.events.embedded import StoredLog
from soundalike.services import Services
from soundalike.services.library.browse import Library
from soundalike.services.library.media import Listening
from soundalike.services.library.roots import RootMap
from soundalike.services.listeners.accounts import Accounts
from soundalike.services.listeners.fold_log import Consuming
from soundalike.services.listeners.ingest import Listens
from soundalike.services.listeners.personal_data import PersonalData
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.web.app import create_app
from soundalike.web.errors.circuit_breaker import make_store_breaker
from soundalike.web.security.rate_limit import RateLimits

SCHEMA = make_schema(2)
LOCAL = {"Host": "localhost"}
SESSION_KEY = b"a session key for tests alone"
PASSWORD = "correct horse"  # noqa: S105 - of nobody
LATENESS_MS = 7 * 24 * 3600 * 1000


class QuickHasher:
    """Salts nothing and takes no time; remembers what was compared."""

    def __init__(self) -> None:
        self.compared: list[tuple[str, str]] = []

    def hash(self, password: str) -> str:
        return hashlib.sha256(password.encode(errors="surrogatepass")).hexdigest()

    def is_right(self, password: str, password_hash: str) -> bool:
        self.compared.append((password, password_hash))
        return self.hash(password) == password_hash


class Store(MemoryStore):
    """A store in memory that can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None

    def track(self, track_id: TrackId) -> Track | None:
        if self.failure:
            raise self.failure
        return super().track(track_id)

    def lose(self, track_id: TrackId) -> None:
        """Forget a track, as the port never does."""
        del self._tracks[track_id]


class OneArtefact:
    """Holds one artefact, or none, and can be made to fail."""

    def __init__(self) -> None:
        self.artefact: Artefact | None = None
        self.failure: Exception | None = None

    def current(self) -> Artefact:
        if self.failure:
            raise self.failure
        if self.artefact is None:
            msg = "nothing has been built yet; run 'soundalike build'"
            raise NoArtefactError(msg)
        return self.artefact

    def publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        raise NotImplementedError


class Files:
    """Opens files as they are, and remembers what it opened."""

    def __init__(self) -> None:
        self.covers: dict[str, Cover] = {}
        self.opened: list[BinaryIO] = []

    def open(self, real_path: Path, stamp: FileStamp) -> BinaryIO:
        try:
            file = real_path.open("rb")
        except OSError as error:
            msg = f"{real_path.name} is gone"
            raise TrackGoneError(msg) from error
        self.opened.append(file)
        assert real_path.stat().st_size == stamp.size_bytes
        return file

    def cover(self, file: BinaryIO) -> Cover | None:
        return self.covers.get(Path(file.name).name)


OpenLog = Callable[[StorePort, Profiles], EventLog]
"""Opens the event log of one process, which folds with these profiles where the log is the one that folds."""


def embedded_log(store: StorePort, profiles: Profiles) -> EventLog:
    return StoredLog(store, on_append=profiles.fold)


class Stage:
    """A library in a folder; `add` puts a track there, `build` learns from all of them.

    `add_user` adds an account, `log_in` is a browser that has logged in, `pass_time` puts the clocks on.

    Parameters
    ----------
    folder : Path
        Where the files are.
    store : Store or None
        The store of whoever asks for it; None takes one in memory.
    open_log : callable
        Opens the event log of a process.
    """

    def __init__(
        self, folder: Path, *, store: StorePort | None = None, open_log: OpenLog = embedded_log
    ) -> None:
        self.folder = folder
        self.store: StorePort = Store() if store is None else store
        self._open_log = open_log
        self._logs: list[EventLog] = []
        self.hasher = QuickHasher()
        self._ahead = timedelta(0)
        self._apps: dict[tuple[frozenset[str], bool], Flask] = {}
        self.is_exposed = False
        self.store.save_root(Root(RootName("music"), folder))
        self.artefacts = OneArtefact()
        self.files = Files()
        self.allowed_hosts: frozenset[str] = frozenset()

        self._numbers = itertools.count(1)
        self.services = self._process()

    @property
    def memory(self) -> Store:
        """The store, where it is one in memory."""
        assert isinstance(self.store, Store)
        return self.store

    def lose(self, track_id: str) -> None:
        """Let the store forget a track, as no program does."""
        self.memory.lose(TrackId(track_id))

    def settle(self) -> None:
        """Wait until what `listen` took is stored and folded; here it is when it was taken."""

    def close(self) -> None:
        """Let go of what was opened."""
        for log in self._logs:
            log.close()

    def _process(self) -> Services:
        """Wire what one process has of its own, over what all have in common."""
        roots = RootMap(self.store, {})
        library = Library(self.store, roots)
        profiles = Profiles(self.store, lateness_ms=LATENESS_MS)
        self._logs.append(log := self._open_log(self.store, profiles))
        return Services(
            library=library,
            listening=Listening(library, roots, self.files),
            neighbours=NeighbourFinder(self.store, self.artefacts, library),
            profiles=profiles,
            recommender=Recommender(self.store, self.artefacts, library, profiles, clock=self.now),
            listens=Listens(self.store, self.store, log, clock=self.now),
            accounts=Accounts(
                self.store,
                self.store,
                self.hasher,
                clock=self.now,
                new_secret=lambda: f"{next(self._numbers):043d}",
                new_id=lambda: f"id{next(self._numbers)}",
            ),
            personal_data=PersonalData(self.store, log, profiles, clock=self.now),
        )

    def app(self) -> Flask:
        """Return the player, the same one until it is to serve other names."""
        how = (self.allowed_hosts, self.is_exposed)
        if how not in self._apps:
            self._apps[how] = create_app(
                self.services,
                session_key=SESSION_KEY,
                allowed_hosts=self.allowed_hosts,
                is_exposed=self.is_exposed,
                limits=RateLimits(self.monotonic_s),
                breaker=make_store_breaker(self.monotonic_s),
            )
        return self._apps[how]

    def beside(self, *, session_key: bytes = SESSION_KEY) -> Flask:
        """Return the player of another process: store, log and artefacts are the same, and nothing else."""
        return create_app(self._process(), session_key=session_key, limits=RateLimits(self.monotonic_s))

    def client(self) -> FlaskClient:
        return self.app().test_client()

    def now(self) -> datetime:
        """Return the time, to the millisecond as stores keep it."""
        exact = datetime.now(UTC) + self._ahead
        return exact.replace(microsecond=exact.microsecond // 1000 * 1000)

    def monotonic_s(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    def pass_time(self, seconds: float) -> None:
        """Put the clocks on, as if so much time had passed."""
        self._ahead += timedelta(seconds=seconds)

    def add_user(self, name: str, password: str = PASSWORD) -> User:
        return self.services.accounts.add(name, password)

    def token_of(self, name: str) -> str:
        """Make a token of an account."""
        accounts = self.services.accounts
        return accounts.make_token(accounts.named(name).id, "test").secret

    def bearer(self, name: str) -> dict[str, str]:
        """Return the headers of a script that has a token."""
        return {**LOCAL, "Authorization": f"Bearer {self.token_of(name)}"}

    def log_in(self, name: str, password: str = PASSWORD) -> FlaskClient:
        """Return a browser in which somebody has logged in."""
        client = self.client()
        answer = send_form(client, "/login", "/login", {"name": name, "password": password})
        assert answer.status_code == 303, answer.text
        return client

    def listen(self, user_id: str, number: int = 1, *, track_id: str = "a", kind: str = "finished") -> Listen:
        """Let somebody have heard something, `number` seconds ago; each number is an event of its own."""
        listen = self.make_listen(user_id, number, track_id=track_id, kind=kind)
        self.services.listens.take([listen])
        self.settle()
        return listen

    def make_listen(
        self, user_id: str, number: int, *, track_id: str = "a", kind: str = "finished"
    ) -> Listen:
        """Make what `listen` takes."""
        return Listen(
            id=EventId(str(uuid.UUID(int=number))),
            user_id=UserId(user_id),
            track_id=TrackId(track_id),
            kind=ListenKind(kind),
            position_ms=None,
            at_ms=to_ms(self.now()) - 1000 * number,
        )

    def add(
        self,
        track_id: str,
        *,
        data: bytes = b"sound",
        size_bytes: int | None = None,
        point: tuple[float, float] | None = (0.0, 0.0),
        cover: Cover | None = None,
        **tags: Any,
    ) -> Track:
        size_bytes = len(data) if size_bytes is None else size_bytes
        track = make_track(track_id, size_bytes=size_bytes, **tags)
        name = track.location.path.decode()
        (self.folder / name).write_bytes(data)
        os.truncate(self.folder / name, size_bytes)
        if cover is not None:
            self.files.covers[name] = cover
        self.store.save_track(track, None if point is None else _vectors(point))
        return track

    def build(self, version: str = "v1", *, k: int = 2) -> None:
        known = list(self.store.track_vectors(SCHEMA))
        points = np.stack([one.vectors.whole for one in known])
        self.artefacts.artefact = Artefact(
            version=ArtefactVersion(version),
            schema=SCHEMA,
            recipe=SpaceRecipe(),
            space=_plain_space(),
            track_ids=tuple(one.track_id for one in known),
            coordinates=points,
            neighbours=_exact(points, min(k, len(points) - 1)),
        )


class LaterStage(Stage):
    """A stage whose log folds on demand: what is taken waits in `log` until `settle` or `log.fold`."""

    def __init__(self, folder: Path) -> None:
        topic = Topic()

        def open_log(store: StorePort, _profiles: Profiles) -> EventLog:
            # Whoever consumes is a process of its own.
            consuming = Consuming(store, Profiles(store, lateness_ms=LATENESS_MS))
            self.log = LaterLog(consuming.take, topic)
            return self.log

        super().__init__(folder, open_log=open_log)

    def settle(self) -> None:
        self.log.fold()


def form_token(client: FlaskClient, page: str) -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, headers=LOCAL).text)
    assert found is not None, f"{page} has no form"
    return found[1]


def send_form(
    client: FlaskClient,
    page: str,
    action: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str] = LOCAL,
) -> TestResponse:
    """Send a form as the page has it."""
    return client.post(action, data={"csrf_token": form_token(client, page), **fields}, headers=headers)


def _vectors(point: tuple[float, float]) -> FeatureVectors:
    whole, first, second = np.tile(np.array(point, dtype=np.float32), (3, 1))
    return FeatureVectors(SCHEMA, whole, first, second)


def _plain_space() -> SimilaritySpace:
    zeros, ones = np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32)
    weights = np.eye(2, dtype=np.float32)
    return SimilaritySpace(
        mean=zeros, scale=ones, clip=None, weights=weights, offset=zeros, is_unit_length=False
    )


def _exact(points: FloatArray, k: int) -> Neighbours:
    away = np.linalg.norm(points[:, np.newaxis] - points[np.newaxis], axis=2)
    np.fill_diagonal(away, np.inf)
    rows: IndexArray = np.argsort(away, axis=1, kind="stable")[:, :k].astype(np.int32)
    return Neighbours(rows, np.take_along_axis(away, rows, axis=1).astype(np.float32))
