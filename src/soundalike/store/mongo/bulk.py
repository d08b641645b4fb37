"""Whole tracks out of and into MongoDB, on their way from store to store."""

from collections.abc import Collection, Iterator, Sequence

from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.copying import KeptTrack
from soundalike.domain.errors import StoreError
from soundalike.domain.types import TrackId
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import kept_from_document
from soundalike.store.mongo.encoding import to_text
from soundalike.store.mongo.indexes import TRACKS
from soundalike.store.mongo.tracks import FeatureSet, in_batches, keep_batch, write_feature_sets

# Documents are held so many at a time.
_BATCH = 100


class MongoCopying:
    """The part of the `LibraryStore` port that copies tracks, on a MongoDB database."""

    _connection: MongoConnection
    _known_features: set[FeatureSet]

    def kept_tracks(self, *, after: TrackId | None = None) -> Iterator[KeptTrack]:
        """Yield all that is kept of every track, vanished ones too, by id, in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track that is damaged.
        """
        query = {} if after is None else {"_id": {"$gt": to_text(after)}}
        for document in self._connection.reading(
            TRACKS, query, order=BY_ID, beyond=after_id, hint=BY_ID, batch=_BATCH
        ):
            try:
                yield kept_from_document(document)
            except StoreError as error:
                msg = f"track {document['_id']}: {error}"
                raise StoreError(msg) from error

    def keep_tracks(self, tracks: Collection[KeptTrack]) -> None:
        """Insert tracks, or replace those with these ids, vectors and all, many at once; see the port."""
        for batch in in_batches(tracks):
            self._keep(batch)

    def _keep(self, batch: Sequence[KeptTrack]) -> None:
        used = {(one.feature_set, one.version, one.fingerprint) for kept in batch for one in kept.vectors}

        def write(database: Database[Document], session: ClientSession) -> None:
            write_feature_sets(database, session, used - self._known_features)
            keep_batch(database, session, batch)

        self._connection.transaction(write)
        self._known_features |= used
