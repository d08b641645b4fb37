"""Whole tracks read from and written into MongoDB, on their way from store to store."""

from collections.abc import Collection, Iterator
from functools import partial

from soundalike.domain.errors import StoreError
from soundalike.domain.tracks import Track
from soundalike.store.mongo.connection import BY_ID, MongoConnection, after_id
from soundalike.store.mongo.documents import TRACK_FIELDS, track_from_document
from soundalike.store.mongo.indexes import TRACK
from soundalike.store.mongo.tracks import in_batches, save_batch

# So many documents are in memory at a time.
_BATCH = 100


class MongoStoredTracks:
    """The part of the `LibraryStore` port for copying tracks, on a MongoDB database."""

    _connection: MongoConnection

    def stored_tracks(self) -> Iterator[Track]:
        """Yield every track, vanished ones too, by id, in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track that is damaged.
        """
        for document in self._connection.scan(
            TRACK, {}, order=BY_ID, beyond=after_id, fields=TRACK_FIELDS, hint=BY_ID, batch=_BATCH
        ):
            try:
                yield track_from_document(document)
            except StoreError as error:
                msg = f"track {document['_id']}: {error}"
                raise StoreError(msg) from error

    def save_stored_tracks(self, tracks: Collection[Track]) -> None:
        """Insert many tracks, or replace those with their ids; see the port."""
        for batch in in_batches(tracks):
            self._connection.transaction(partial(save_batch, batch=batch))
