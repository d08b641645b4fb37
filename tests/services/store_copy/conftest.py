"""Stores to copy from and into."""

import pytest

from fakes import MemoryStore
from filled_store import fill
from services.store_copy.watching import (
    leave_half,
)


@pytest.fixture
def source() -> MemoryStore:
    store = MemoryStore()
    fill(store)
    return store


@pytest.fixture
def target() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def half(source: MemoryStore, target: MemoryStore) -> MemoryStore:
    """All of the source but its roots, as left by a copy that was killed at the end."""
    leave_half(source, target)
    return target
