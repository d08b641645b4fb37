"""Recommendations as plain dictionaries."""

from datetime import datetime
from typing import Any

from soundalike.domain.recommendation.results import Because, Reason, Recommendation, Recommendations
from soundalike.domain.times import from_ms, rfc3339
from soundalike.domain.types import TrackId
from soundalike.wire.reasons import note_text, reason_text
from soundalike.wire.tracks import track_body


def recommendations_body(found: Recommendations) -> dict[str, Any]:
    """Return recommendations as in the answer of ``/api/recommendations``."""
    return {
        "artefact": found.artefact,
        "profile_version": found.profile_version,
        "recommendations": [_body(one, now=found.asked_at) for one in found.recommendations],
        "note": note_text(found.notes),
        "notes": list(found.notes),
    }


def radio_body(track_id: TrackId, found: Recommendations) -> dict[str, Any]:
    """Return recommendations as in the answer of ``/api/tracks/ID/radio``.

    Parameters
    ----------
    track_id : TrackId
        Of the track that the radio started from.
    found : Recommendations
        What it plays next.
    """
    body = recommendations_body(found)
    return {"track_id": track_id, "neighbours": body.pop("recommendations"), **body}


def _body(one: Recommendation, *, now: datetime) -> dict[str, Any]:
    return {
        "track": track_body(one.track),
        "distance": one.distance,
        "score": one.score,
        "reason": _reason_body(one.reason, track_id=one.track.id, now=now),
    }


def _reason_body(reason: Reason, *, track_id: TrackId, now: datetime) -> dict[str, Any]:
    """Return a reason in words, with the listens that it is due to, and what it says as data."""
    cause, likeness = reason.cause, reason.likeness
    return {
        "text": reason_text(reason, track_id=track_id, now=now),
        "because": [_because_body(one) for one in reason.because],
        "code": reason.code,
        "cause": cause
        and {
            "track_id": cause.track_id,
            "title": cause.title,
            "is_near": cause.is_near,
            "kind": cause.kind,
            "at": [rfc3339(from_ms(at_ms)) for at_ms in cause.times_ms],
        },
        "likeness": likeness
        and {
            "track_id": likeness.seed_id,
            "title": likeness.title,
            "features": list(likeness.features),
            "is_close": likeness.is_close,
        },
    }


def _because_body(listen: Because) -> dict[str, Any]:
    return {
        "track_id": listen.track_id,
        "kind": listen.kind.value,
        "at": rfc3339(from_ms(listen.at_ms)),
    }
