"""Tracks, albums, artists and genres as plain dictionaries, as the API shows them; missing is None."""

from dataclasses import asdict
from typing import Any

from soundalike.domain.entries import Album, Artist, Genre
from soundalike.domain.genres import genre_id
from soundalike.domain.recordings import digest, name_key
from soundalike.domain.tags import ExternalIdKind, Tags
from soundalike.domain.times import rfc3339
from soundalike.domain.tracks import Track


def track_body(track: Track) -> dict[str, Any]:
    """Return a track as the API shows it."""
    tags, entry = track.tags, track.entry
    return {
        "id": track.id,
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "genre": track.genre,
        "year": track.year,
        "duration_ms": track.duration_ms,
        "artists": [_named(one, name) for one, name in zip(entry.artist_ids, tags.artists, strict=False)],
        "album_id": entry.album_id,
        "album_artist": _named(entry.album_artist_id, tags.album_artist),
        "genres": [
            {"id": one, "name": name, "parent": _parent(tags, name)}
            for one, name in zip(entry.genre_ids, tags.genres, strict=False)
        ],
        "track_number": tags.track_number,
        "disc_number": track.disc_number,
        "is_compilation": entry.is_compilation,
        "original_date": tags.original_date,
        "gains": asdict(tags.gains),
        "external_ids": {kind.value: list(ids) for kind in ExternalIdKind if (ids := tags.ids(kind))},
        "recording": entry.recording,
        "is_preferred": entry.is_preferred,
        "has_audio": track.has_audio,
        "licence": tags.licence,
        "dataset": dict(tags.dataset or {}),
        "part": _part(track),
    }


def track_details(track: Track) -> dict[str, Any]:
    """Return a track with what lists leave out, since it may be long."""
    return {**track_body(track), "lyrics": track.tags.lyrics}


def album_body(album: Album) -> dict[str, Any]:
    """Return an album as the API shows it."""
    return {
        "id": album.id,
        "title": album.title,
        "artist": _named(album.artist_id, album.artist),
        "is_compilation": album.is_compilation,
        "year": album.year,
        "track_count": album.track_count,
        "duration_ms": album.duration_ms,
        "added_at": rfc3339(album.added_at),
    }


def artist_body(artist: Artist) -> dict[str, Any]:
    """Return an artist as the API shows it."""
    return {"id": artist.id, "name": artist.name, "track_count": artist.track_count}


def genre_body(genre: Genre) -> dict[str, Any]:
    """Return a genre as the API shows it."""
    return {
        "id": genre.id,
        "name": genre.name,
        "parent": genre.parent_id,
        "track_count": genre.track_count,
    }


def _named(one: str | None, name: str | None) -> dict[str, Any] | None:
    return None if one is None else {"id": one, "name": name}


def _parent(tags: Tags, genre: str) -> str | None:
    parent = (tags.genre_parents or {}).get(genre)
    return None if parent is None else genre_id(name_key(parent))


def _part(track: Track) -> dict[str, str | int | None] | None:
    """Return where in which file a track is; its own positions count from there."""
    if track.file is None or track.file.part is None:
        return None
    location, part = track.file.location, track.file.part
    file = digest("file", location.root, location.path.hex())
    return {"file": file, "start_ms": part.start_ms, "end_ms": part.end_ms}
