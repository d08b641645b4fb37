"""Conversion of artists, albums and genres to documents of MongoDB, and back."""

from soundalike.domain.entries import FIELDS, Album, Artist, CatalogueEntry, EntryKind, Genre
from soundalike.domain.times import from_ms
from soundalike.domain.types import AlbumId, ArtistId, DurationMs, GenreId
from soundalike.store.keys import entry_key
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.documents import reports_damage
from soundalike.store.mongo.encoding import from_optional, from_text, to_integer, to_optional, to_text
from soundalike.store.mongo.indexes import ENTRY_KEYS

_KINDS = {Artist: EntryKind.ARTIST, Album: EntryKind.ALBUM, Genre: EntryKind.GENRE}


def entry_to_document(entry: CatalogueEntry, group: str) -> Document:
    """Return a document of ``artist``, ``album`` or ``genre``; it is listed while it has tracks.

    Parameters
    ----------
    entry : Artist, Album or Genre
        The entry.
    group : str
        The ``_id`` of its group.
    """
    document: Document = {
        "_id": to_text(entry.id),
        "group": group,
        "key": to_text(entry.key),
        "track_count": entry.track_count,
        "is_there": entry.track_count > 0,
    }
    for field in FIELDS[_KINDS[type(entry)]]:
        document |= ENTRY_KEYS[field].fields(entry_key(entry, field))
    if isinstance(entry, Album):
        return document | {
            "title": to_text(entry.title),
            "artist_id": entry.artist_id,
            "artist": to_optional(entry.artist),
            "is_compilation": entry.is_compilation,
            "year": entry.year,
            "duration_ms": entry.duration_ms,
        }
    parent = {"parent_id": entry.parent_id} if isinstance(entry, Genre) else {}
    return document | parent | {"name": to_text(entry.name)}


@reports_damage
def artist_from_document(document: Document) -> Artist:
    """Read a document of ``artist``."""
    return Artist(
        id=ArtistId(from_text(document["_id"])),
        key=from_text(document["key"]),
        name=from_text(document["name"]),
        track_count=to_integer(document["track_count"]),
    )


@reports_damage
def genre_from_document(document: Document) -> Genre:
    """Read a document of ``genre``."""
    parent = from_optional(document["parent_id"])
    return Genre(
        id=GenreId(from_text(document["_id"])),
        key=from_text(document["key"]),
        name=from_text(document["name"]),
        parent_id=None if parent is None else GenreId(parent),
        track_count=to_integer(document["track_count"]),
    )


@reports_damage
def album_from_document(document: Document) -> Album:
    """Read a document of ``album``."""
    artist_id, year = from_optional(document["artist_id"]), document["year"]
    return Album(
        id=AlbumId(from_text(document["_id"])),
        key=from_text(document["key"]),
        title=from_text(document["title"]),
        artist_id=None if artist_id is None else ArtistId(artist_id),
        artist=from_optional(document["artist"]),
        is_compilation=bool(document["is_compilation"]),
        year=None if year is None else to_integer(year),
        track_count=to_integer(document["track_count"]),
        duration_ms=DurationMs(to_integer(document["duration_ms"])),
        added_at=from_ms(to_integer(document["added_ms"])),
    )
