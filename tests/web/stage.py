"""A small library on disk with all that a player needs, as the fixture of web and browser tests."""

import itertools
import os
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from fakes_log import LaterLog, Topic
from making import file_of, make_schema, make_track
from soundalike.domain.files import Root
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.ports.audio import Cover
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import Track
from soundalike.domain.types import (
    EventId,
    RootName,
    TrackId,
    UserId,
)
from soundalike.domain.users import User
from soundalike.events.embedded import StoredLog
from soundalike.services import Services
from soundalike.services.library.browse import Library
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.library.entries import Entries
from soundalike.services.library.media import Media
from soundalike.services.library.roots import RootMap
from soundalike.services.library.scan_control import ScanControl
from soundalike.services.listeners.accounts import Accounts
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.ingest import ListenIngest
from soundalike.services.listeners.personal_data import PersonalData
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.web.app import create_app
from soundalike.web.errors.circuit_breaker import make_store_breaker
from soundalike.web.security.client_address import Proxies
from soundalike.web.security.rate_limit import RateLimits
from web.clients import LOCAL, PASSWORD, send_form
from web.description import DescribedClient
from web.fakes_web import FailingStore, OneArtefact, QuickHasher, RecordingFiles, make_artefact, make_vectors

SCHEMA = make_schema(2)
SESSION_KEY = b"a session key for tests alone"
LATENESS_MS = 7 * 24 * 3600 * 1000


OpenLog = Callable[[Store, Profiles], EventLog]
"""Opens the event log of a process; an embedded log folds into these profiles."""


def embedded_log(store: Store, profiles: Profiles) -> EventLog:
    return StoredLog(store, on_append=profiles.fold)


class Stage:
    """A library in a folder; `add` puts a track there, `build` learns from all of them.

    `add_user` adds an account, `log_in` returns a browser with a session, `pass_time` moves the clocks.

    Parameters
    ----------
    folder : Path
        The folder of the files.
    store : Store or None
        None makes one in memory.
    open_log : callable
        Opens the event log of a process.
    """

    def __init__(self, folder: Path, *, store: Store | None = None, open_log: OpenLog = embedded_log) -> None:
        self.folder = folder
        self.store: Store = FailingStore() if store is None else store
        self._open_log = open_log
        self._logs: list[EventLog] = []
        self.hasher = QuickHasher()
        self._ahead = timedelta(0)
        self._apps: dict[tuple[frozenset[str], bool, Proxies], Flask] = {}
        self.is_exposed = False
        self.proxies = Proxies()
        self.store.save_root(Root(RootName("music"), folder))
        self.artefacts = OneArtefact()
        self.files = RecordingFiles()
        self.allowed_hosts: frozenset[str] = frozenset()

        self._numbers = itertools.count(1)
        self.wanted = threading.Event()
        self.services = self._process()

    @property
    def memory(self) -> FailingStore:
        """The store, where it is one in memory."""
        assert isinstance(self.store, FailingStore)
        return self.store

    def lose(self, track_id: str) -> None:
        """Remove a track from the store, which no program does."""
        self.memory.lose(TrackId(track_id))

    def settle(self) -> None:
        """Wait until the events of `listen` are stored and folded, which an embedded log does at once."""

    def close(self) -> None:
        """Close what was opened."""
        for log in self._logs:
            log.close()

    def _process(self) -> Services:
        """Make the services of one process, over the store, files and artefacts of all."""
        roots = RootMap(self.store, {})
        library = Library(self.store, roots)
        profiles = Profiles(self.store, lateness_ms=LATENESS_MS)
        self._logs.append(log := self._open_log(self.store, profiles))
        return Services(
            library=library,
            entries=Entries(self.store),
            media=Media(library, roots, self.files),
            neighbours=NeighbourFinder(self.store, self.artefacts, library),
            profiles=profiles,
            recommender=Recommender(self.store, self.artefacts, library, profiles, clock=self.now),
            listens=ListenIngest(self.store, log, clock=self.now),
            accounts=Accounts(
                self.store,
                self.store,
                self.hasher,
                clock=self.now,
                new_secret=lambda: f"{next(self._numbers):043d}",
                new_id=lambda: f"id{next(self._numbers)}",
            ),
            personal_data=PersonalData(self.store, log, profiles, clock=self.now),
            scans=ScanControl(self.store, clock=self.monotonic_s, on_wanted=self.wanted.set),
        )

    def _make_app(self, services: Services, *, session_key: bytes = SESSION_KEY, **more: Any) -> Flask:
        app = create_app(services, session_key=session_key, limits=RateLimits(self.monotonic_s), **more)
        app.test_client_class = DescribedClient
        return app

    def app(self) -> Flask:
        """Return the player; another one only where hosts or exposure have changed."""
        how = (self.allowed_hosts, self.is_exposed, self.proxies)
        if how not in self._apps:
            self._apps[how] = self._make_app(
                self.services,
                allowed_hosts=self.allowed_hosts,
                is_exposed=self.is_exposed,
                proxies=self.proxies,
                breaker=make_store_breaker(self.monotonic_s),
            )
        return self._apps[how]

    def beside(self, *, session_key: bytes = SESSION_KEY) -> Flask:
        """Return the player of another process, which has only store, log and artefacts in common."""
        return self._make_app(self._process(), session_key=session_key)

    def client(self) -> FlaskClient:
        return self.app().test_client()

    def now(self) -> datetime:
        """Return the time, in whole milliseconds as stores keep it."""
        exact = datetime.now(UTC) + self._ahead
        return exact.replace(microsecond=exact.microsecond // 1000 * 1000)

    def monotonic_s(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    def pass_time(self, seconds: float) -> None:
        """Move the clocks forward."""
        self._ahead += timedelta(seconds=seconds)

    def add_user(self, name: str, password: str = PASSWORD) -> User:
        return self.services.accounts.add(name, password)

    def token_of(self, name: str) -> str:
        """Make a token of an account."""
        accounts = self.services.accounts
        return accounts.make_token(accounts.named(name).id, "test").secret

    def bearer(self, name: str) -> dict[str, str]:
        """Return the headers of a script with a token of an account."""
        return {**LOCAL, "Authorization": f"Bearer {self.token_of(name)}"}

    def log_in(self, name: str, password: str = PASSWORD) -> FlaskClient:
        """Return a browser that has logged in."""
        client = self.client()
        answer = send_form(client, "/login", "/login", {"name": name, "password": password})
        assert answer.status_code == 303, answer.text
        return client

    def listen(self, user_id: str, number: int = 1, *, track_id: str = "a", kind: str = "finished") -> Listen:
        """Record an event of a user, `number` seconds ago; each number is an event of its own."""
        listen = self.make_listen(user_id, number, track_id=track_id, kind=kind)
        self.services.listens.ingest(listen.user_id, [listen])
        self.settle()
        return listen

    def make_listen(
        self, user_id: str, number: int, *, track_id: str = "a", kind: str = "finished"
    ) -> Listen:
        """Return the event that `listen` records."""
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
        name = file_of(track).location.path.decode()
        (self.folder / name).write_bytes(data)
        os.truncate(self.folder / name, size_bytes)
        if cover is not None:
            self.files.covers[name] = cover
        self.store.save_track(track, *([] if point is None else [make_vectors(SCHEMA, point)]))
        return track

    def add_tagged(self, track_id: str, **how: Any) -> Track:
        """Add a track of a file with these tags and other properties, or without a file."""
        track = make_track(track_id, **how)
        if track.file is not None:
            (self.folder / track.file.location.path.decode()).write_bytes(b"x" * track.file.stamp.size_bytes)
        self.store.save_track(track)
        return track

    def settle_catalogue(self) -> None:
        """Derive artists, albums and genres from the tracks."""
        settle_catalogue(self.store)

    def build(self, version: str = "v1", *, k: int = 2) -> None:
        """Publish an artefact of all tracks that have a vector."""
        vectors = list(self.store.track_vectors(SCHEMA))
        self.artefacts.artefact = make_artefact(version, SCHEMA, vectors, k=k)


class LaterStage(Stage):
    """A stage whose log folds on demand: events wait in `log` until `settle` or `log.fold`."""

    def __init__(self, folder: Path) -> None:
        topic = Topic()

        def open_log(store: Store, _profiles: Profiles) -> EventLog:
            # The consumer is a process of its own.
            projector = LogProjector(store, Profiles(store, lateness_ms=LATENESS_MS))
            self.log = LaterLog(projector.apply, topic)
            return self.log

        super().__init__(folder, open_log=open_log)

    def settle(self) -> None:
        self.log.fold()
