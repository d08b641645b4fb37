"""The library in SQLite: roots, tracks, vectors and file problems."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from soundalike.domain.batches import batched
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import FileProblem, Location, Part, Place, Root
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tracks import EVERY_TRACK, Position, Sort, Track, TrackFilter, TrackPage
from soundalike.domain.types import AudioHash, RelativePath, RootName, TrackId
from soundalike.store.parts import part_to_text
from soundalike.store.sqlite.catalogue_tables import GroupMarks
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.features import write_vectors
from soundalike.store.sqlite.rows import (
    PROBLEM_COLUMNS,
    Text,
    location_to_row,
    problem_from_row,
    problem_to_row,
    root_from_row,
    root_to_row,
    to_text,
    track_from_row,
)
from soundalike.store.sqlite.search import find_tracks
from soundalike.store.sqlite.tables import (
    at_or_below,
    delete_problem,
    delete_track,
    next_version,
    placeholders,
    refuse_conflicts,
    select_tracks,
    write_track,
    write_vanished,
)

# So many rows are read at a time, so that no transaction is open while the caller works.
_BATCH = 500


class SqliteLibrary:
    """The `LibraryStore` port, but for `close`, on one SQLite file."""

    _connections: Connections

    # Roots

    def roots(self) -> tuple[Root, ...]:
        """Return every root, by name."""
        with self._connections.reading() as connection:
            rows = connection.execute("SELECT name, location FROM root ORDER BY name").fetchall()
        return tuple(root_from_row(row) for row in rows)

    def save_root(self, root: Root) -> None:
        """Insert a root, or update the location of the one with this name."""
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO root (name, location) VALUES (?, ?)", root_to_row(root)
            )

    # Tracks

    def save_track(self, track: Track, *vectors: FeatureVectors, moved_from: Location | None = None) -> None:
        """Insert a track, or replace the one with this id; see the port."""
        with self._connections.writing() as connection:
            refuse_conflicts(connection, track, moved_from)
            number = write_track(connection, track, GroupMarks(connection, next_version(connection)))
            for of_set in vectors:
                write_vectors(connection, number, StoredVectors.of(track.id, of_set))
            if track.file is not None:
                delete_problem(connection, track.file.place)

    def mark_vanished(self, track_ids: Collection[TrackId], at_ms: int) -> int:
        """Mark tracks as vanished at a time (ms since 1970, UTC); return how many were not so before."""
        count = 0
        with self._connections.writing() as connection:
            marks = GroupMarks(connection, next_version(connection))
            for track_id in track_ids:
                count += write_vanished(connection, track_id, at_ms, marks)
        return count

    def remove_tracks(self, track_ids: Collection[TrackId]) -> int:
        """Remove tracks and their vectors, as if they had never been there; return how many there were."""
        with self._connections.writing(is_bulk=True) as connection:
            marks = GroupMarks(connection, next_version(connection))
            return sum(delete_track(connection, track_id, marks) for track_id in track_ids)

    def track(self, track_id: TrackId) -> Track | None:
        """Return a track, vanished or not, or None."""
        return self.tracks((track_id,)).get(track_id)

    def tracks(self, track_ids: Collection[TrackId]) -> Mapping[TrackId, Track]:
        """Return those of the tracks that exist, vanished ones too; any number of ids may be asked for."""
        rows: list[Any] = []
        with self._connections.reading() as connection:
            for ids in batched(map(to_text, track_ids), _BATCH):
                rows += select_tracks(connection, f"id IN ({placeholders(ids)})", *ids)
        found = map(track_from_row, rows)
        return {track.id: track for track in found}

    def track_at(self, location: Location, part: Part | None = None) -> Track | None:
        """Return the track whose file is, or was last, at a location: the whole file, or a part of it."""
        with self._connections.reading() as connection:
            rows = select_tracks(
                connection,
                "root = ? AND path = ? AND part = ?",
                *location_to_row(location),
                part_to_text(part),
            )
        return track_from_row(rows[0]) if rows else None

    def tracks_with_hash(self, audio_hash: AudioHash) -> tuple[Track, ...]:
        """Return the tracks of one encoded audio, vanished ones too, by (added_at, id)."""
        with self._connections.reading() as connection:
            rows = select_tracks(connection, "audio_hash = ? ORDER BY added_ms, id", to_text(audio_hash))
        return tuple(map(track_from_row, rows))

    def tracks_under(self, root: RootName, path: RelativePath) -> Iterator[Track]:
        """Yield the tracks whose location is `path` or below it, vanished ones too, by path."""
        where, bounds = at_or_below(root, path)
        # Their numbers are read first, so that a track that is moved meanwhile is yielded once.
        with self._connections.reading() as connection:
            rows = connection.execute(f"SELECT n FROM track WHERE {where} ORDER BY path, id", bounds)
            numbers = array("q", (number for (number,) in rows))
        for batch in batched(numbers, _BATCH):
            with self._connections.reading() as connection:
                found = select_tracks(
                    connection, f"n IN ({placeholders(batch)}) AND {where} ORDER BY path, id", *batch, *bounds
                )
            yield from map(track_from_row, found)

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
        """Return a page of the tracks that are there, match every word and meet a filter; see the port."""
        with self._connections.reading() as connection:
            return find_tracks(
                connection, words, sort=sort, limit=limit, after=after, offset=offset, only=only
            )

    def count_tracks(self) -> int:
        """Count the tracks that are there."""
        with self._connections.reading() as connection:
            return int(
                connection.execute("SELECT count(*) FROM track WHERE vanished_ms IS NULL").fetchone()[0]
            )

    # Problems

    def save_problem(self, problem: FileProblem) -> None:
        """Insert or replace the problem of a file."""
        with self._connections.writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO problem ({PROBLEM_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                problem_to_row(problem),
            )

    def remove_problems(self, places: Collection[Place]) -> None:
        """Remove the problems of files that are gone or were repaired."""
        with self._connections.writing() as connection:
            for place in places:
                delete_problem(connection, place)

    def problems_under(self, root: RootName, path: RelativePath) -> Iterator[FileProblem]:
        """Yield the problems of files at or below a path, by path; `path` as in `tracks_under`."""
        where, bounds = at_or_below(root, path)
        return self._problems(where, bounds)

    def problems(self) -> Iterator[FileProblem]:
        """Yield the problem of every file, by location, in bounded memory."""
        with self._connections.reading() as connection:
            # By their bytes, since SQLite puts names that are not UTF-8 last.
            rows = connection.execute(
                "SELECT DISTINCT root FROM problem ORDER BY CAST(root AS BLOB)"
            ).fetchall()
        for root in rows:
            yield from self._problems("root = ?", root)

    def _problems(self, where: str, values: tuple[Text, ...]) -> Iterator[FileProblem]:
        beyond: tuple[Text, ...] = ()
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT {PROBLEM_COLUMNS} FROM problem WHERE {where}"
                    f"{' AND (root, path, part) > (?, ?, ?)' if beyond else ''}"
                    " ORDER BY root, path, part LIMIT ?",
                    (*values, *beyond, _BATCH),
                ).fetchall()
            yield from map(problem_from_row, rows)
            if len(rows) < _BATCH:
                return
            beyond = rows[-1][:3]
