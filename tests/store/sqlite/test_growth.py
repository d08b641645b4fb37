"""What a change costs does not grow with the library."""

import sqlite3
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from soundalike.domain.types import TrackId
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.store.sqlite.store import SqliteStore
from store.contract_places import tagged

_STEPS = 10  # SQLite's virtual machine calls back once in so many


def work_of_removal(path: Path, tracks: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how much work SQLite does to remove twenty of so many tracks, each of an album of its own."""
    done: Counter[str] = Counter()

    class Counting(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.set_progress_handler(lambda: done.update(["calls"]), _STEPS)

    with monkeypatch.context() as patched, closing(SqliteStore(path)) as store:
        store.save_stored_tracks(
            [tagged(f"t{number}", artists=("A",), album=f"B{number}") for number in range(tracks)]
        )
        settle_catalogue(store)
        patched.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Counting))
        with closing(SqliteStore(path)) as counted:
            before = done["calls"]
            assert counted.remove_tracks([TrackId(f"t{number}") for number in range(20)]) == 20
            return done["calls"] - before


def test_removing_tracks_reads_nothing_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = work_of_removal(tmp_path / "few.sqlite", 40, monkeypatch)
    many = work_of_removal(tmp_path / "many.sqlite", 640, monkeypatch)
    assert many < 2 * few
