"""Small fakes of the ports, for tests of their users."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from fakes_catalogue import MemoryCatalogue
from fakes_listeners import MemoryAccounts, MemoryListens
from soundalike.domain.catalogue import groups_of
from soundalike.domain.errors import SchemaMismatchError, TrackConflictError
from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.files import NOWHERE, FileProblem, Location, Part, Place, Root
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.scans import ScanRecord
from soundalike.domain.stored_vectors import StoredSet, StoredVectors
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.tracks import (
    EVERY_TRACK,
    Position,
    Sort,
    SortField,
    Track,
    TrackEntry,
    TrackFilter,
    TrackPage,
)
from soundalike.domain.types import AudioHash, RelativePath, RootName, TrackId
from soundalike.domain.words import index_words
from soundalike.store.errors import unknown_track
from soundalike.store.keys import sort_keys


class MemoryStore(MemoryListens, MemoryAccounts, MemoryCatalogue):
    """The `Store` port on dictionaries; it passes the same contract suite as the real ones."""

    def __init__(self) -> None:
        MemoryListens.__init__(self)
        MemoryAccounts.__init__(self)
        MemoryCatalogue.__init__(self)
        self._roots: dict[RootName, Root] = {}
        self._tracks: dict[TrackId, Track] = {}
        self._vectors: dict[tuple[TrackId, str], StoredVectors] = {}
        self._fingerprints: dict[str, str] = {}
        self._problems: dict[Place, FileProblem] = {}
        self._library_mark = UNMARKED
        self._changes: list[TrackId] = []
        self._scans = ScanRecord()

    def library_mark(self) -> LibraryMark:
        return self._library_mark

    def set_library_mark(self, mark: LibraryMark, *, replacing: LibraryMark) -> bool:
        with self._lock:
            if self._library_mark != replacing:
                return False
            self._library_mark = mark
        return True

    def scan_record(self) -> ScanRecord:
        return self._scans

    def save_scan_record(self, record: ScanRecord, *, replacing: ScanRecord) -> bool:
        with self._lock:
            if self._scans.revision != replacing.revision:
                return False
            self._scans = replace(record, revision=replacing.revision + 1)
        return True

    def check_writable(self) -> None:
        pass

    def library_version(self) -> int:
        return len(self._changes)

    def changed_since(self, version: int) -> tuple[int, tuple[TrackId, ...]]:
        with self._lock:
            last_first = dict.fromkeys(reversed(self._changes[version:]))
            return len(self._changes), tuple(one for one in reversed(last_first) if one in self._tracks)

    def close(self) -> None:
        pass

    def roots(self) -> tuple[Root, ...]:
        return tuple(self._roots[name] for name in sorted(self._roots))

    def save_root(self, root: Root) -> None:
        self._roots[root.name] = root

    def save_track(self, track: Track, *vectors: FeatureVectors, moved_from: Location | None = None) -> None:
        with self._lock:
            stored = self._tracks.get(track.id)
            at = None if stored is None else NOWHERE if stored.file is None else stored.file.location
            if moved_from is not None and at != moved_from:
                msg = f"track {track.id} is no longer at {moved_from}"
                raise TrackConflictError(msg)
            self._refuse_conflict(track)
            for of_set in vectors:
                self._check(of_set.schema)
            if stored is not None and stored.audio_hash not in {None, track.audio_hash}:
                self.drop_vectors(track.id)
            self._put(_to_the_millisecond(track))
            if track.file is not None:
                self._problems.pop(track.file.place, None)
            for of_set in vectors:
                self._store_vectors(StoredVectors.of(track.id, of_set))

    def mark_vanished(self, track_ids: Collection[TrackId], at_ms: int) -> int:
        with self._lock:
            there = [track for track in self.tracks(track_ids).values() if not track.is_vanished]
            for track in there:
                self._put(replace(track, vanished_at=from_ms(at_ms)))
        return len(there)

    def remove_tracks(self, track_ids: Collection[TrackId]) -> int:
        with self._lock:
            found = self.tracks(track_ids)
            for track in found.values():
                self.drop_vectors(track.id)
                self._mark(groups_of(track.tags))
                del self._tracks[track.id]
                self._changes.append(track.id)
        return len(found)

    def drop_vectors(self, track_id: TrackId, key: str | None = None) -> None:
        with self._lock:
            dropped = [one for one in self._vectors if one[0] == track_id and key in {None, one[1]}]
            for one in dropped:
                del self._vectors[one]

    def track(self, track_id: TrackId) -> Track | None:
        return self._tracks.get(track_id)

    def tracks(self, track_ids: Collection[TrackId]) -> Mapping[TrackId, Track]:
        return {track_id: self._tracks[track_id] for track_id in track_ids if track_id in self._tracks}

    def track_at(self, location: Location, part: Part | None = None) -> Track | None:
        place = Place(location, part)
        return next((track for track in self._all() if track.file and track.file.place == place), None)

    def tracks_with_hash(self, audio_hash: AudioHash) -> tuple[Track, ...]:
        found = [track for track in self._all() if track.audio_hash == audio_hash]
        return tuple(sorted(found, key=lambda track: (track.added_at, track.id)))

    def tracks_under(self, root: RootName, path: RelativePath) -> Iterator[Track]:
        found = [(track, track.file) for track in self._all() if track.file is not None]
        under = [(file.location, track) for track, file in found if _is_under(file.location, root, path)]
        yield from (track for _, track in sorted(under, key=lambda one: (one[0], one[1].id)))

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
        asked = [track for track in self._there() if _matches(track, words) and _meets(track, only)]
        found = _in_order(asked, sort.field)
        if sort.is_descending:
            found = _reversed_but_ties(found, sort.field)
        rest = found if after is None else [track for track in found if _is_after(track, sort, after)]
        rest = rest[offset:]
        page = tuple(rest[:limit])
        last = page[-1] if page and len(rest) > limit else None
        position = None if last is None else Position(sort_keys(last)[sort.field], last.id)
        return TrackPage(tracks=page, total=len(found), next=position)

    def count_tracks(self) -> int:
        return len(self._there())

    def vectors_of(self, track_id: TrackId, schema: FeatureSchema) -> FeatureVectors | None:
        self._check(schema)
        stored = self._vectors.get((track_id, schema.key))
        return None if stored is None else FeatureVectors(schema, stored.patches, stored.values)

    def vectors_in(
        self, track_id: TrackId, schemas: Sequence[FeatureSchema]
    ) -> tuple[FeatureVectors, ...] | None:
        found = [self.vectors_of(track_id, schema) for schema in schemas]
        vectors = tuple(each for each in found if each is not None)
        return vectors if len(vectors) == len(found) else None

    def vectors_with_hash(self, audio_hash: AudioHash, schema: FeatureSchema) -> FeatureVectors | None:
        found = (self.vectors_of(track.id, schema) for track in self.tracks_with_hash(audio_hash))
        return next((vectors for vectors in found if vectors is not None), None)

    def hashes_with_vectors(self, schema: FeatureSchema) -> frozenset[AudioHash]:
        hashes = (self._tracks[track_id].audio_hash for track_id in self.ids_with_vectors(schema))
        return frozenset(audio_hash for audio_hash in hashes if audio_hash is not None)

    def ids_with_vectors(self, schema: FeatureSchema) -> frozenset[TrackId]:
        self._check(schema)
        return frozenset(track_id for track_id, key in list(self._vectors) if key == schema.key)

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        self._check(schema)
        for track in sorted(self._there(), key=lambda track: track.id):
            vectors = self.vectors_of(track.id, schema)
            if vectors is not None:
                yield TrackVectors(track.id, track.audio_hash, vectors)

    def save_problem(self, problem: FileProblem) -> None:
        self._problems[problem.place] = problem

    def remove_problems(self, places: Collection[Place]) -> None:
        for place in places:
            self._problems.pop(place, None)

    def problems_under(self, root: RootName, path: RelativePath) -> Iterator[FileProblem]:
        found = [problem for problem in self.problems() if _is_under(problem.location, root, path)]
        yield from found

    def problems(self) -> Iterator[FileProblem]:
        yield from sorted(self._problems.values(), key=lambda one: (one.location, str(one.part)))

    def feature_sets(self) -> tuple[StoredSet, ...]:
        found: dict[str, list[int]] = {}
        for (_, key), vectors in sorted(self._vectors.items(), key=lambda item: item[0][1]):
            found.setdefault(key, []).append(vectors.values.nbytes)
        return tuple(
            StoredSet(key=key, track_count=len(sizes), size_bytes=sum(sizes)) for key, sizes in found.items()
        )

    def forget_set(self, key: str) -> int:
        with self._lock:
            of_set = [one for one in self._vectors if one[1] == key]
            for one in of_set:
                del self._vectors[one]
            self._fingerprints.pop(key, None)
        return len(of_set)

    def stored_vectors(self) -> Iterator[StoredVectors]:
        for one in sorted(self._vectors):
            if one in self._vectors:
                yield self._vectors[one]

    def save_stored_vectors(self, vectors: Collection[StoredVectors]) -> None:
        with self._lock:
            for one in vectors:
                if one.track_id not in self._tracks:
                    raise unknown_track(one.track_id)
                self._check_fingerprint(one.key, one.fingerprint)
            for one in vectors:
                self._store_vectors(one)
                self._changes.append(one.track_id)

    def stored_tracks(self) -> Iterator[Track]:
        for track_id in sorted(self._tracks):
            yield self._tracks[track_id]

    def save_stored_tracks(self, tracks: Collection[Track]) -> None:
        for track in tracks:
            with self._lock:
                self._refuse_conflict(track)
                stored = self._tracks.get(track.id)
                if stored is not None and stored.audio_hash not in {None, track.audio_hash}:
                    self.drop_vectors(track.id)
                self._put(_to_the_millisecond(track))

    def _store_vectors(self, vectors: StoredVectors) -> None:
        self._vectors[vectors.track_id, vectors.key] = vectors
        self._fingerprints[vectors.key] = vectors.fingerprint

    def _refuse_conflict(self, track: Track) -> None:
        file = track.file
        other = None if file is None else self.track_at(file.location, file.part)
        if file is not None and other is not None and other.id != track.id:
            msg = f"{file.location} belongs to track {other.id}"
            raise TrackConflictError(msg)

    def _all(self) -> list[Track]:
        return list(self._tracks.values())

    def _there(self) -> list[Track]:
        return [track for track in self._all() if not track.is_vanished]

    def _check(self, schema: FeatureSchema) -> None:
        self._check_fingerprint(schema.key, schema.fingerprint)

    def _check_fingerprint(self, key: str, fingerprint: str) -> None:
        if self._fingerprints.get(key, fingerprint) != fingerprint:
            msg = f"other features are stored under the name of {key}"
            raise SchemaMismatchError(msg)


def _to_the_millisecond(track: Track) -> Track:
    vanished_at = track.vanished_at and from_ms(to_ms(track.vanished_at))
    return replace(track, added_at=from_ms(to_ms(track.added_at)), vanished_at=vanished_at)


def _is_under(location: Location, root: RootName, path: RelativePath) -> bool:
    is_below = not path or location.path == path or location.path.startswith(path + b"/")
    return location.root == root and is_below


def _matches(track: Track, words: Sequence[str]) -> bool:
    texts = [text for text in (track.title, track.artist, track.album) if text is not None]
    known = frozenset[str]().union(*map(index_words, texts))
    return all(any(word.startswith(asked) for word in known) for asked in words)


def _meets(track: Track, only: TrackFilter) -> bool:
    entry = track.entry
    return (
        only.album in {None, entry.album_id}
        and only.artist in {None, entry.album_artist_id, *entry.artist_ids}
        and only.genre in {None, *entry.genre_ids}
        and (not only.hides_duplicates or _is_preferred(entry, only))
        and (track.has_audio or not only.is_playable)
    )


def _is_preferred(entry: TrackEntry, only: TrackFilter) -> bool:
    asked = [one for one in (only.artist, only.genre) if one is not None]
    return entry.is_preferred or (bool(asked) and all(one in entry.preferred_for for one in asked))


def _rank(key: str | int | None) -> tuple[int, int, str]:
    """Order keys of one kind, a made-up one of another kind by kind; a missing one last."""
    if key is None:
        return (2, 0, "")
    return (0, key, "") if isinstance(key, int) else (1, 0, key)


def _in_order(tracks: list[Track], field: SortField) -> list[Track]:
    return sorted(tracks, key=lambda track: (_rank(sort_keys(track)[field]), track.id))


def _reversed_but_ties(tracks: list[Track], field: SortField) -> list[Track]:
    having = [track for track in tracks if sort_keys(track)[field] is not None]
    missing = [track for track in tracks if sort_keys(track)[field] is None]
    return sorted(having, key=lambda track: _rank(sort_keys(track)[field]), reverse=True) + missing


def _is_after(track: Track, sort: Sort, after: Position) -> bool:
    key = sort_keys(track)[sort.field]
    if key == after.key:
        return track.id > after.track_id
    if key is None or after.key is None:
        return key is None
    return (_rank(key) < _rank(after.key)) if sort.is_descending else (_rank(key) > _rank(after.key))
