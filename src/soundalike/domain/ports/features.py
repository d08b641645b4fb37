"""The port of the tracks' vectors: rows of (track, feature set), any number of sets for a track."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.stored_vectors import StoredSet, StoredVectors
from soundalike.domain.types import AudioHash, TrackId


class FeatureStore(Protocol):
    """Stores vectors; `LibraryStore.save_track` saves them with their track.

    Methods with a schema raise `SchemaMismatchError` if other features are stored under its key.
    """

    def vectors_of(self, track_id: TrackId, schema: FeatureSchema) -> FeatureVectors | None:
        """Return a track's vectors of a feature set, or None."""

    def vectors_in(
        self, track_id: TrackId, schemas: Sequence[FeatureSchema]
    ) -> tuple[FeatureVectors, ...] | None:
        """Return a track's vectors in each of some feature sets by one read, or None if it lacks one."""

    def vectors_with_hash(self, audio_hash: AudioHash, schema: FeatureSchema) -> FeatureVectors | None:
        """Return the vectors of any track whose encoded audio has this hash, or None."""

    def hashes_with_vectors(self, schema: FeatureSchema) -> frozenset[AudioHash]:
        """Return the audio hashes for which vectors of this feature set are stored."""

    def ids_with_vectors(self, schema: FeatureSchema) -> frozenset[TrackId]:
        """Return the ids of the tracks, vanished ones too, that have vectors of this feature set."""

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        """Yield the vectors of every track but vanished ones, by id, in bounded memory."""

    def drop_vectors(self, track_id: TrackId, key: str | None = None) -> None:
        """Remove a track's vectors: those of one set (`FeatureSchema.key`), or all."""

    def feature_sets(self) -> tuple[StoredSet, ...]:
        """Return which feature sets tracks have, by key."""

    def forget_set(self, key: str) -> int:
        """Remove all that is stored of a feature set; return of how many tracks.

        After a crash a part may be removed, and the rest the next time.
        """

    def stored_vectors(self) -> Iterator[StoredVectors]:
        """Yield the vectors of all tracks in all sets, by (track id, key), in bounded memory."""

    def save_stored_vectors(self, vectors: Collection[StoredVectors]) -> None:
        """Insert many, each new or in place of the one of its track and set.

        This is a change of each track. After a crash each has been stored or not.

        Raises
        ------
        StoreError
            If one of the tracks is not stored.
        SchemaMismatchError
            If other features are stored under the key of a set.
        """
