"""Stores of listens in memory and in SQLite, the profiles in them, and what takes listens."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes import MemoryStore
from making import make_track
from services.listeners.folding import LATENESS_MS, Clock
from soundalike.domain.ports.library import Store
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.ingest import ListenIngest
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.sqlite.store import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "library.sqlite")
    with closing(opened):
        yield opened


@pytest.fixture
def profiles(store: Store) -> Profiles:
    return Profiles(store, lateness_ms=LATENESS_MS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listens(store: Store, profiles: Profiles, clock: Clock) -> ListenIngest:
    """Return what takes listens to two tracks."""
    for track_id in ("t1", "t2"):
        store.save_track(make_track(track_id))
    return ListenIngest(store, StoredLog(store, on_append=profiles.fold), clock=clock)
