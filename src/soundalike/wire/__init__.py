"""Domain objects as plain dictionaries: the JSON that the API answers and ``--json`` prints."""

from collections.abc import Iterable
from typing import Any

from soundalike.domain.profiles import Profile
from soundalike.domain.similarity.space import Pair, Similar
from soundalike.domain.types import TrackId
from soundalike.wire.tracks import track_body


def similar_body(similar: Similar) -> dict[str, Any]:
    """Return similar tracks as in the answer of ``/api/tracks/ID/similar``."""
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


def judgements_body(profile: Profile) -> dict[str, Any]:
    """Return what is liked and disliked as in the answer of ``/api/judgements``, the latest first."""
    tracks = profile.taste.tracks.items()
    return {
        "profile_version": profile.version,
        "liked": _latest_first((known.liked_ms, track_id) for track_id, known in tracks),
        "disliked": _latest_first((known.disliked_ms, track_id) for track_id, known in tracks),
    }


def _latest_first(dated: Iterable[tuple[int | None, TrackId]]) -> list[TrackId]:
    since = [(at_ms, track_id) for at_ms, track_id in dated if at_ms is not None]
    return [track_id for _, track_id in sorted(since, reverse=True)]
