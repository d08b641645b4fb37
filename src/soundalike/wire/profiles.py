"""Profiles as plain dictionaries, for stores and for exports."""

from typing import Any

from soundalike.domain.listens import Erased, Listen, ListenKind
from soundalike.domain.profiles import Profile
from soundalike.domain.taste import FOLD_VERSION, Evidence, Taste, TrackTaste, fold_taste
from soundalike.domain.types import EventId, TrackId, UserId


def profile_body(profile: Profile) -> dict[str, Any]:
    """Return everything that `profile_from` needs, as JSON values; floats keep every bit."""
    return {
        "fold": FOLD_VERSION,
        "user": profile.user_id,
        "lateness_ms": profile.lateness_ms,
        "erased_ms": profile.erased.until_ms,
        "settled": taste_body(profile.settled),
        "recent": [
            [listen.id, listen.track_id, listen.kind.value, listen.position_ms, listen.at_ms]
            for listen in profile.recent
        ],
    }


def profile_from(body: dict[str, Any], erased: Erased) -> Profile | None:
    """Parse what `profile_body` returned; None if another version of the fold made it.

    Parameters
    ----------
    body : dict
        The JSON values.
    erased : Erased
        What is erased of the user, of which the body has only the date.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is anything else.
    """
    if body["fold"] != FOLD_VERSION:
        return None
    if body["erased_ms"] != erased.until_ms:
        msg = f"it is of before or after another erasure than that of {erased.until_ms}"
        raise ValueError(msg)
    user_id = UserId(body["user"])
    settled = _taste_from(body["settled"])
    recent = tuple(
        Listen(
            id=EventId(event_id),
            user_id=user_id,
            track_id=TrackId(track_id),
            kind=ListenKind(kind),
            position_ms=position_ms,
            at_ms=at_ms,
        )
        for event_id, track_id, kind, position_ms, at_ms in body["recent"]
    )
    return Profile(
        user_id=user_id,
        lateness_ms=body["lateness_ms"],
        erased=erased,
        settled=settled,
        recent=recent,
        taste=fold_taste(settled, recent),
    )


def taste_body(taste: Taste) -> dict[str, Any]:
    """Return a taste; by track id: leaning and its time, times of liked, disliked, heard, and evidence."""
    return {
        "count": taste.count,
        "newest_ms": taste.newest_ms,
        "tracks": {
            track_id: [
                known.leaning,
                known.leaning_ms,
                known.liked_ms,
                known.disliked_ms,
                known.played_ms,
                [[one.kind.value, one.at_ms] for one in known.evidence],
            ]
            for track_id, known in taste.tracks.items()
        },
    }


def _taste_from(body: dict[str, Any]) -> Taste:
    tracks = {
        TrackId(track_id): TrackTaste(
            leaning=leaning,
            leaning_ms=leaning_ms,
            liked_ms=liked_ms,
            disliked_ms=disliked_ms,
            played_ms=played_ms,
            evidence=tuple(Evidence(ListenKind(kind), at_ms) for kind, at_ms in evidence),
        )
        for track_id, (leaning, leaning_ms, liked_ms, disliked_ms, played_ms, evidence) in body[
            "tracks"
        ].items()
    }
    return Taste(tracks=tracks, count=body["count"], newest_ms=body["newest_ms"])
