"""Stores of listens in memory and in SQLite, and the profiles in them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes import MemoryStore
from services.listeners.folding import LATENESS_MS
from soundalike.domain.ports.listening import ListenStore
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.sqlite.store import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ListenStore]:
    opened = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "library.sqlite")
    with closing(opened):
        yield opened


@pytest.fixture
def profiles(store: ListenStore) -> Profiles:
    return Profiles(store, lateness_ms=LATENESS_MS)
