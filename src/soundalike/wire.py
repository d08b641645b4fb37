"""Domain objects as plain dictionaries: the JSON that the API answers and ``--json`` prints."""

from datetime import datetime
from typing import Any

from soundalike.domain.similarity import Pair, Similar
from soundalike.domain.tracks import Track


def track_body(track: Track) -> dict[str, Any]:
    """Return a track as the API shows it; missing values are None."""
    return {
        "id": track.id,
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "genre": track.genre,
        "year": track.year,
        "duration_ms": track.duration_ms,
    }


def similar_body(similar: Similar) -> dict[str, Any]:
    """Return what sounds like a track as ``/api/tracks/ID/similar`` answers it."""
    return {
        "track_id": similar.track.id,
        "artefact": similar.artefact,
        "neighbours": [
            {"track": track_body(neighbour.track), "distance": neighbour.distance}
            for neighbour in similar.neighbours
        ],
    }


def pair_body(pair: Pair) -> dict[str, Any]:
    """Return two close tracks as ``pairs --json`` lists them."""
    return {
        "first": track_body(pair.first),
        "second": track_body(pair.second),
        "distance": pair.distance,
    }


def time_text(time: datetime) -> str:
    """Write a UTC time by RFC 3339 with milliseconds: ``2026-01-31T12:00:00.000Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
