"""Artists, albums and genres in MongoDB."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.catalogue import settled_entry
from soundalike.domain.entries import (
    Album,
    Artist,
    EntryKind,
    EntryPage,
    EntryPosition,
    EntrySort,
    Genre,
    GenreTags,
    Group,
    SettledGroup,
    Successor,
)
from soundalike.domain.genres import genre_tags_of
from soundalike.domain.tags import ExternalId
from soundalike.domain.tracks import Track
from soundalike.domain.types import AlbumId, ArtistId, GenreId
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import (
    ENTRY_FIELDS,
    TRACK_FIELDS,
    entry_from_document,
    entry_to_fields,
    group_from_key,
    group_key,
    track_from_document,
)
from soundalike.store.mongo.encoding import from_text, join_texts, prefix_range, to_text
from soundalike.store.mongo.entry_documents import (
    album_from_document,
    artist_from_document,
    genre_from_document,
)
from soundalike.store.mongo.groups import (
    mark_groups,
    successor_from_document,
    successor_key,
    write_lists,
    write_successors,
)
from soundalike.store.mongo.indexes import ALBUM, ARTIST, ENTRY_KEYS, GENRE, GROUP, SUCCESSOR, TRACK
from soundalike.store.mongo.paging import ALL_THERE, Slice, read_page
from soundalike.store.mongo.tracks import in_batches, next_change
from soundalike.wire.tags import tags_text

# So many documents are in memory at a time.
_BATCH = 500

_Entry = TypeVar("_Entry", Artist, Album, Genre)


class MongoCatalogue:
    """The `CatalogueStore` port on a MongoDB database."""

    _connection: MongoConnection

    def unsettled(self, limit: int) -> dict[Group, int]:
        """Return some groups to be settled, artists first, then genres, then albums, each by key."""
        with self._connection.using() as database:
            found = list(database[GROUP].find(sort=BY_ID, limit=limit))
        return {group_from_key(one["_id"]): int(one["mark"]) for one in found}

    def tracks_in(self, group: Group) -> Iterator[Track]:
        """Yield the tracks of a group, vanished ones too, by id, in bounded memory."""
        found = self._connection.scan(
            TRACK,
            {"groups": group_key(group)},
            order=BY_ID,
            beyond=after_id,
            fields=TRACK_FIELDS,
            hint=[("groups", 1), ("_id", 1)],
            batch=_BATCH,
        )
        return map(track_from_document, found)

    def genre_tags(self, group: Group) -> Iterator[GenreTags]:
        """Yield what the tags of each of a genre's tracks say of genres."""
        return map(genre_tags_of, self.tracks_in(group))

    def save_settled(self, found: Sequence[SettledGroup]) -> None:
        """Store the entries of groups and those of their tracks, instead of what they had; see the port."""
        for one in found:
            self._save_settled(one)

    def _save_settled(self, found: SettledGroup) -> None:
        group, settled, then = found.group, found.settled, found.then
        key = group_key(group)
        as_read = {"_id": key, "mark": found.mark}

        def write(database: Database[Document], session: ClientSession) -> None:
            if not database[GROUP].delete_one(as_read, session=session).deleted_count:
                return
            if settled.tracks or then:
                number = next_change(database, session)
                for batch in in_batches(settled.tracks):
                    _write_entries_of_tracks(database, session, group, batch, number)
                mark_groups(database, session, list(map(group_key, then)), number)
            write_lists(database, session, group.kind, {key: settled})

        self._connection.transaction(write, is_long=True)

    def find_artists(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Artist]:
        """Return a page of the artists that have tracks."""
        return self._page(ARTIST, {}, artist_from_document, sort, _slice(sort, limit, after, offset))

    def find_genres(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Genre]:
        """Return a page of the genres that have tracks."""
        return self._page(GENRE, {}, genre_from_document, sort, _slice(sort, limit, after, offset))

    def find_albums(
        self,
        *,
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None = None,
        offset: int = 0,
        artist: ArtistId | None = None,
    ) -> EntryPage[Album]:
        """Return a page of the albums that have tracks, of one artist or of all."""
        match = {} if artist is None else {"artist_id": to_text(artist)}
        return self._page(ALBUM, match, album_from_document, sort, _slice(sort, limit, after, offset))

    def _page(
        self,
        collection: str,
        match: Mapping[str, Any],
        read: Callable[[Document], _Entry],
        sort: EntrySort,
        wanted: Slice,
    ) -> EntryPage[_Entry]:
        key = ENTRY_KEYS[sort.field]
        with self._connection.using() as database:
            page, total, last = read_page(database[collection], {**ALL_THERE, **match}, key, wanted)
        position = None
        if last is not None:
            value = key.value(last, is_descending=sort.is_descending)
            position = EntryPosition(value, from_text(last["_id"]))
        return EntryPage(entries=tuple(map(read, page)), total=total, next=position)

    def artist(self, artist_id: ArtistId) -> Artist | None:
        """Return an artist, or the one that its id has given way to, or None."""
        found = self._entry(EntryKind.ARTIST, artist_id)
        return None if found is None else artist_from_document(found)

    def album(self, album_id: AlbumId) -> Album | None:
        """Return an album, or the one that its id has given way to, or None."""
        found = self._entry(EntryKind.ALBUM, album_id)
        return None if found is None else album_from_document(found)

    def genre(self, genre_id: GenreId) -> Genre | None:
        """Return a genre, or the one that its id has given way to, or None."""
        found = self._entry(EntryKind.GENRE, genre_id)
        return None if found is None else genre_from_document(found)

    def _entry(self, kind: EntryKind, wanted: str) -> Document | None:
        seen: set[str] = set()
        with self._connection.using() as database:
            while wanted not in seen:
                found = database[kind.value].find_one({"_id": to_text(wanted)})
                if found is not None:
                    return found
                seen.add(wanted)
                successor = database[SUCCESSOR].find_one({"_id": successor_key(kind, wanted)})
                if successor is None:
                    return None
                wanted = from_text(successor["next"])
        return None

    def successors(self) -> Iterator[Successor]:
        """Yield every successor, artists' first, then genres', then albums', by id, in bounded memory."""
        for kind in EntryKind:
            of_kind = {"_id": prefix_range(successor_key(kind, ""))}
            found = self._connection.scan(SUCCESSOR, of_kind, order=BY_ID, beyond=after_id, batch=_BATCH)
            yield from (successor_from_document(kind, document) for document in found)

    def save_successors(self, successors: Collection[Successor]) -> None:
        """Insert some, each new or in place of the one of its id."""
        found = {(one.kind, one.id): one.next for one in successors}
        self._connection.transaction(
            lambda database, session: write_successors(database, session, found), is_long=True
        )

    def remove_successor(self, successor: Successor) -> None:
        """Let an id lead nowhere."""
        with self._connection.using() as database:
            database[SUCCESSOR].delete_one({"_id": successor_key(successor.kind, successor.id)})

    def tracks_with_ids(self, ids: Collection[ExternalId]) -> tuple[Track, ...]:
        """Return the tracks that bear any of these ids, vanished ones too, by (added_at, id)."""
        found: dict[str, Document] = {}
        with self._connection.using() as database:
            for batch in in_batches(join_texts(one.kind, one.value) for one in ids):
                documents = database[TRACK].find({"external_ids": {"$in": batch}}, TRACK_FIELDS)
                found |= {document["_id"]: document for document in documents}
        tracks = map(track_from_document, found.values())
        return tuple(sorted(tracks, key=lambda track: (track.added_at, track.id)))


def _slice(sort: EntrySort, limit: int, after: EntryPosition | None, offset: int) -> Slice:
    return Slice(
        is_descending=sort.is_descending,
        after=None if after is None else (after.key, after.id),
        offset=offset,
        limit=limit,
    )


def _write_entries_of_tracks(
    database: Database[Document],
    session: ClientSession,
    group: Group,
    tracks: Collection[Track],
    number: int,
) -> None:
    """Store what a group decides of tracks whose tags are still those given, and that are there as before."""
    ids = {"_id": {"$in": [to_text(track.id) for track in tracks]}}
    fields = (*ENTRY_FIELDS, "tags", "is_there")
    stored = {one["_id"]: one for one in database[TRACK].find(ids, fields, session=session)}
    changes: list[UpdateOne] = []
    for track in tracks:
        found = stored.get(to_text(track.id))
        is_same = found is not None and (found["tags"], found["is_there"]) == (
            tags_text(track.tags),
            not track.is_vanished,
        )
        if found is not None and is_same:
            settled = replace(track, entry=settled_entry(group, track, entry_from_document(found)))
            fields_of_entry = {"$set": entry_to_fields(settled) | {"change": number}}
            changes.append(UpdateOne({"_id": found["_id"]}, fields_of_entry))
    if changes:
        database[TRACK].bulk_write(changes, ordered=False, session=session)
