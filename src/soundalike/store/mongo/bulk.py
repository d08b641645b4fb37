"""Whole tracks read from and written into MongoDB, on their way from store to store."""

from collections.abc import Collection, Iterator, Sequence

from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.errors import StoreError
from soundalike.domain.stored_tracks import StoredTrack
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import stored_from_document
from soundalike.store.mongo.indexes import TRACK
from soundalike.store.mongo.tracks import FeatureSet, in_batches, save_batch, write_feature_sets

# So many documents are in memory at a time.
_BATCH = 100


class MongoStoredTracks:
    """The part of the `LibraryStore` port for copying tracks, on a MongoDB database."""

    _connection: MongoConnection
    _known_features: set[FeatureSet]

    def stored_tracks(self) -> Iterator[StoredTrack]:
        """Yield every track with all its vectors, vanished ones too, by id, in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track that is damaged.
        """
        for document in self._connection.scan(
            TRACK, {}, order=BY_ID, beyond=after_id, hint=BY_ID, batch=_BATCH
        ):
            try:
                yield stored_from_document(document)
            except StoreError as error:
                msg = f"track {document['_id']}: {error}"
                raise StoreError(msg) from error

    def save_stored_tracks(self, tracks: Collection[StoredTrack]) -> None:
        """Insert many tracks with their vectors, or replace those with their ids; see the port."""
        for batch in in_batches(tracks):
            self._save(batch)

    def _save(self, batch: Sequence[StoredTrack]) -> None:
        used = {(one.feature_set, one.version, one.fingerprint) for stored in batch for one in stored.vectors}

        def write(database: Database[Document], session: ClientSession) -> None:
            write_feature_sets(database, session, used - self._known_features)
            save_batch(database, session, batch)

        self._connection.transaction(write)
        self._known_features |= used
