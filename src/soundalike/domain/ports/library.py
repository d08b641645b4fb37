"""The port of the library's store."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import (
    FileProblem,
    Location,
    Part,
    Place,
    Root,
)
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.ports.catalogue import CatalogueStore
from soundalike.domain.ports.features import FeatureStore
from soundalike.domain.ports.listening import AccountStore, ListenStore
from soundalike.domain.ports.scans import ScanStore
from soundalike.domain.tracks import EVERY_TRACK, Position, Sort, Track, TrackFilter, TrackPage
from soundalike.domain.types import (
    AudioHash,
    RelativePath,
    RootName,
    TrackId,
)

OnProgress = Callable[[int, int], None]
"""Called with (done, total) during long work; total is 0 while unknown."""


class LibraryStore(FeatureStore, Protocol):
    """Stores roots, tracks, vectors and file problems; safe for several processes and threads at once.

    Every method but those that say so is atomic: after a crash it has happened completely or not at all.
    Methods raise `StoreBusyError` if another process holds the store for too long, and
    `StoreUnavailableError` if the store's server does not answer.
    """

    def close(self) -> None:
        """Close files and connections; the store is not used afterwards."""

    # Roots

    def roots(self) -> tuple[Root, ...]:
        """Return every root, by name."""

    def save_root(self, root: Root) -> None:
        """Insert a root, or update the location of the one with this name."""

    # Tracks

    def save_track(self, track: Track, *vectors: FeatureVectors, moved_from: Location | None = None) -> None:
        """Insert a track, or replace the one with this id.

        Search words and sort keys are updated too. A problem of its file or part is removed. `vectors`
        replace those of the same feature sets; others stay as they are, except that a changed
        `audio_hash` removes all vectors of the track (one that had none keeps its vectors).

        Raises
        ------
        TrackConflictError
            If another track has this file, or this part of it, or if the stored track is no longer at
            `moved_from`, or had a file where that is `NOWHERE`. Nothing is changed then.
        """

    def mark_vanished(self, track_ids: Collection[TrackId], at_ms: int) -> int:
        """Mark tracks as vanished at a time (ms since 1970, UTC); return how many were not before."""

    def remove_tracks(self, track_ids: Collection[TrackId]) -> int:
        """Remove tracks and their vectors, as if they had never been there; return how many there were.

        Listens of them stay, and so do problems of files. `changed_since` does not name them.
        """

    def track(self, track_id: TrackId) -> Track | None:
        """Return a track, vanished or not, or None."""

    def tracks(self, track_ids: Collection[TrackId]) -> Mapping[TrackId, Track]:
        """Return the tracks with these ids, vanished ones too, leaving out unknown ids; any number of ids."""

    def track_at(self, location: Location, part: Part | None = None) -> Track | None:
        """Return the track whose file is, or was last, at a location: the whole file or a part of it."""

    def tracks_with_hash(self, audio_hash: AudioHash) -> tuple[Track, ...]:
        """Return the tracks whose encoded audio has this hash, vanished ones too, by (added_at, id)."""

    def tracks_under(self, root: RootName, path: RelativePath) -> Iterator[Track]:
        """Yield the tracks at or below `path`, vanished ones too, by path.

        ``b""`` means the whole root; ``b"a"`` covers ``a/x`` but not ``ab``.
        """

    def find_tracks(
        self,
        words: Sequence[str],
        *,
        sort: Sort,
        limit: int,
        after: Position | None = None,
        offset: int = 0,
        only: TrackFilter = EVERY_TRACK,
    ) -> TrackPage:
        """Return a page of the tracks that match every word and a filter, without vanished ones.

        A track matches a (folded) word if one of the words (`domain.words.index_words`) of its title,
        artist or album begins with it. No words match every track; of more than 50 words the longest 50
        count. They are sorted by `store.keys.sort_keys`: names by `domain.words.sort_key`, tracks of an
        artist by album, those of an album by disc, number and title; missing values last in both
        directions, ties by ascending id. `offset` tracks are left out, counted from `after` or from the
        first.
        """

    def count_tracks(self) -> int:
        """Count the tracks, without vanished ones."""

    # Files that cannot be used

    def save_problem(self, problem: FileProblem) -> None:
        """Insert the problem of a file or a part of one, or replace it."""

    def remove_problems(self, places: Collection[Place]) -> None:
        """Remove the problems of files, or parts, that are gone or are readable now."""

    def problems_under(self, root: RootName, path: RelativePath) -> Iterator[FileProblem]:
        """Yield the problems of files at or below a path, by path; `path` as in `tracks_under`."""

    def problems(self) -> Iterator[FileProblem]:
        """Yield every problem, by location, in bounded memory."""

    # Copying

    def stored_tracks(self) -> Iterator[Track]:
        """Yield every track, vanished ones too, by id, in bounded memory."""

    def save_stored_tracks(self, tracks: Collection[Track]) -> None:
        """Insert many tracks, or replace those with their ids.

        Search words and sort keys are made for them; a changed `audio_hash` removes all vectors of its
        track; file problems are left alone. After a crash each track has been stored wholly or not at all.

        Raises
        ------
        TrackConflictError
            If another track has the location of one of them.
        """


class LibraryRecord(Protocol):
    """What is known of the library as a whole: its mark, how often it changed, whether it can change."""

    def library_mark(self) -> LibraryMark:
        """Return the id of the library, and whether the store is an unfinished copy."""

    def set_library_mark(self, mark: LibraryMark, *, replacing: LibraryMark) -> bool:
        """Store a mark in place of another; False if that is not the stored one."""

    def check_writable(self) -> None:
        """Raise if it is known that nothing can be stored now; called often, and writes nothing.

        A write that failed because of the store itself counts until another succeeds, for 10 s at most.

        Raises
        ------
        StoreUnfitError
            If the store was removed or replaced, or did not take the last write.
        StoreUnavailableError
            If its server does not answer.
        """

    def library_version(self) -> int:
        """Return the number of the last change or removal of tracks; later ones have higher numbers."""

    def changed_since(self, version: int) -> tuple[int, tuple[TrackId, ...]]:
        """Return the library's version, and which tracks were saved or vanished after an older one.

        The ids are in the order of the changes, each once. Both are of the same moment: asked again with
        the version returned, nothing is missed. Vectors that are removed do not change a track.
        """


class RecordedLibrary(LibraryStore, LibraryRecord, Protocol):
    """The library with its record."""


class CataloguedStore(LibraryStore, CatalogueStore, Protocol):
    """The library with its catalogue."""


class Store(CataloguedStore, LibraryRecord, ScanStore, ListenStore, AccountStore, Protocol):
    """Everything that is stored: the library, who scans it, accounts, and what listeners do."""
