"""A user with a folder of music."""

import itertools
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes import MemoryStore
from services.library.folder import FolderScanner, HonestAnalyser
from soundalike.domain.tracks import Sort, Track
from soundalike.domain.types import RootName, TrackId
from soundalike.services.library.identity import Identity
from soundalike.services.library.roots import RootMap
from soundalike.services.library.sync import LibrarySync, SyncReport


class Listener:
    """A user at one machine: a folder of music, a store, and the extract command."""

    def __init__(self, folder: Path, overrides: dict[RootName, Path] | None = None) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.analyser = HonestAnalyser()
        self.scanner = FolderScanner()
        self.roots = RootMap(self.store, overrides or {})
        numbers = itertools.count(1)
        times = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in itertools.count())
        identity = Identity(
            self.store,
            self.roots,
            is_gone=lambda path: not os.path.lexists(path),
            new_id=lambda: TrackId(f"id{next(numbers)}"),
        )
        self.library_sync = LibrarySync(
            self.store,
            self.scanner,
            self.analyser,
            roots=self.roots,
            identity=identity,
            clock=lambda: next(times),
        )

    def extract(
        self, folder: Path | None = None, *, emptied: bool = False, again: Path | None = None
    ) -> SyncReport:
        self.analyser.heard.clear()
        self.analyser.computed.clear()
        self.analyser.extracted.clear()
        return self.library_sync.sync(
            (folder or self.folder).resolve(),
            progress=lambda *_: None,
            is_emptying_allowed=emptied,
            again=again and again.resolve(),
        )

    def titles(self) -> list[str]:
        return [track.title for track in self.tracks()]

    def tracks(self) -> tuple[Track, ...]:
        return self.store.find_tracks((), sort=Sort(), limit=100).tracks

    def track(self, title: str) -> Track:
        return next(track for track in self.tracks() if track.title == title)
