"""How much a listener likes each track: a fold over listens, one after another."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest, nsmallest

from soundalike.domain.listens import PLAYS, Listen, ListenKind
from soundalike.domain.types import TrackId

FOLD_VERSION = 2
"""Must be raised whenever the same listens would give another taste."""

HALF_LIFE_MS = 30 * 24 * 3600 * 1000
JUDGED_HALF_LIFE_MS = 6 * HALF_LIFE_MS
"""Likes and dislikes fade more slowly than plays."""

FINISHED, LESS, LIKED, DISLIKED = 1.0, -2.0, 2.0, -2.0
SKIP_HALVES_AFTER_MS = 20_000
MILDEST_SKIP, UNPLACED_SKIP = -0.1, -0.5

KEPT_EVIDENCE = 4
MAX_TRACKS, MAX_JUDGED = 5_000, 20_000
KEPT_PLAYED = 100
_KEPT_SHARE = 0.8
_JUDGEMENTS = frozenset({ListenKind.LIKED, ListenKind.DISLIKED})
_POSITIVE, _NEGATIVE = frozenset({ListenKind.FINISHED}), frozenset({ListenKind.SKIPPED, ListenKind.LESS})
_SIDES = {kind: side for side in (_POSITIVE, _NEGATIVE) for kind in side}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One listen that shows whether a listener likes a track."""

    kind: ListenKind
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackTaste:
    """How much a listener likes one track.

    Parameters
    ----------
    leaning : float
        Sum of the weights of finishes, skips and "less", faded to `leaning_ms`.
    leaning_ms : int
        When `leaning` last changed.
    liked_ms, disliked_ms : int or None
        Since when it is liked or disliked; never both.
    played_ms : int or None
        When it was last played, even if only in part.
    evidence : tuple of Evidence
        The latest four finishes, the latest four skips and "less", and the current like or dislike;
        oldest first.
    """

    leaning: float = 0.0
    leaning_ms: int = 0
    liked_ms: int | None = None
    disliked_ms: int | None = None
    played_ms: int | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_judged(self) -> bool:
        """Whether it is liked or disliked."""
        return self.liked_ms is not None or self.disliked_ms is not None

    def weight(self, at_ms: int) -> float:
        """Return how much the listener wants more (above 0) or less of such tracks, faded to a time."""
        weight = self.leaning * _faded(at_ms - self.leaning_ms, HALF_LIFE_MS)
        if self.liked_ms is not None:
            weight += LIKED * _faded(at_ms - self.liked_ms, JUDGED_HALF_LIFE_MS)
        if self.disliked_ms is not None:
            weight += DISLIKED * _faded(at_ms - self.disliked_ms, JUDGED_HALF_LIFE_MS)
        return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """How much a listener likes each track they listened to or judged.

    Parameters
    ----------
    tracks : mapping of TrackId to TrackTaste
        Of more than 5,000 that are not judged, those with the least weight are dropped, but never the
        latest 100 played; of more than 20,000 that are judged, those judged first.
    count : int
        How many listens were folded.
    newest_ms : int or None
        Time of the latest listen; everything fades relative to it.
    """

    tracks: Mapping[TrackId, TrackTaste]
    count: int = 0
    newest_ms: int | None = None


NO_TASTE = Taste(tracks={})


def fold_taste(taste: Taste, listens: Iterable[Listen]) -> Taste:
    """Return a taste with more listens, each later than all before it by (`at_ms`, `id`).

    Folding some and then others gives the same as folding all of them, to the bit.

    Parameters
    ----------
    taste : Taste
        Of the earlier listens.
    listens : iterable of Listen
        In order.
    """
    tracks = dict(taste.tracks)
    judged = sum(known.is_judged for known in tracks.values())
    count, newest_ms = taste.count, taste.newest_ms
    for listen in listens:
        known = tracks.get(listen.track_id, _UNKNOWN)
        tracks[listen.track_id] = now = after(known, listen)
        judged += now.is_judged - known.is_judged
        count, newest_ms = count + 1, listen.at_ms
        if len(tracks) - judged > MAX_TRACKS or judged > MAX_JUDGED:
            tracks = _pruned(tracks, newest_ms)
            judged = sum(known.is_judged for known in tracks.values())
    return Taste(tracks=tracks, count=count, newest_ms=newest_ms)


def after(known: TrackTaste, listen: Listen) -> TrackTaste:
    """Return how much a listener likes a track after one more listen.

    Parameters
    ----------
    known : TrackTaste
        Before the listen.
    listen : Listen
        Of the track.
    """
    played_ms = listen.at_ms if listen.kind in PLAYS else known.played_ms
    evidence, leaning, leaning_ms = known.evidence, known.leaning, known.leaning_ms
    liked_ms, disliked_ms = known.liked_ms, known.disliked_ms
    match listen.kind:
        case ListenKind.STARTED:
            return replace(known, played_ms=played_ms)
        case ListenKind.FINISHED | ListenKind.SKIPPED | ListenKind.LESS:
            leaning = leaning * _faded(listen.at_ms - leaning_ms, HALF_LIFE_MS) + _weight(listen)
            leaning_ms = listen.at_ms
        case ListenKind.LIKED:
            liked_ms, disliked_ms = listen.at_ms, None
            evidence = _without(evidence, _JUDGEMENTS)
        case ListenKind.DISLIKED:
            liked_ms, disliked_ms = None, listen.at_ms
            evidence = _without(evidence, _JUDGEMENTS)
        case ListenKind.UNLIKED:
            return replace(known, liked_ms=None, evidence=_without(evidence, {ListenKind.LIKED}))
        case ListenKind.UNDISLIKED:
            return replace(known, disliked_ms=None, evidence=_without(evidence, {ListenKind.DISLIKED}))
    return TrackTaste(
        leaning=leaning,
        leaning_ms=leaning_ms,
        liked_ms=liked_ms,
        disliked_ms=disliked_ms,
        played_ms=played_ms,
        evidence=_latest((*evidence, Evidence(listen.kind, listen.at_ms))),
    )


def skip_weight(position_ms: int | None) -> float:
    """Return the weight of a skip: -1 at the start, half of that every 20 s later, at least -0.1 in size."""
    if position_ms is None:
        return UNPLACED_SKIP
    return min(MILDEST_SKIP, -_faded(position_ms, SKIP_HALVES_AFTER_MS))


def _weight(listen: Listen) -> float:
    if listen.kind is ListenKind.SKIPPED:
        return skip_weight(listen.position_ms)
    return FINISHED if listen.kind is ListenKind.FINISHED else LESS


def _faded(age_ms: int, half_life_ms: int) -> float:
    return float(0.5 ** (max(age_ms, 0) / half_life_ms))


def _without(evidence: tuple[Evidence, ...], kinds: Collection[ListenKind]) -> tuple[Evidence, ...]:
    return tuple(one for one in evidence if one.kind not in kinds)


def _latest(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Drop the oldest of too many of the same side as the last; likes and dislikes are never dropped."""
    side = _SIDES.get(evidence[-1].kind)
    if side is None or len(evidence) <= KEPT_EVIDENCE:
        return evidence
    alike = [index for index, one in enumerate(evidence) if one.kind in side]
    if len(alike) > KEPT_EVIDENCE:
        return (*evidence[: alike[0]], *evidence[alike[0] + 1 :])
    return evidence


def _pruned(tracks: dict[TrackId, TrackTaste], now_ms: int) -> dict[TrackId, TrackTaste]:
    """Drop the least important tracks, many at once, so that it is seldom done; ties by id."""
    played = [(one.played_ms, track_id) for track_id, one in tracks.items() if one.played_ms is not None]
    recent = {track_id for _, track_id in nlargest(KEPT_PLAYED, played)}
    plain = [
        (math.inf if track_id in recent else abs(one.weight(now_ms)), track_id)
        for track_id, one in tracks.items()
        if not one.is_judged
    ]
    judged = [
        (one.liked_ms or one.disliked_ms or 0, track_id) for track_id, one in tracks.items() if one.is_judged
    ]
    gone = {track_id for _, track_id in (*_excess(plain, MAX_TRACKS), *_excess(judged, MAX_JUDGED))}
    return {track_id: one for track_id, one in tracks.items() if track_id not in gone}


def _excess(ranked: Sequence[tuple[float, TrackId]], most: int) -> list[tuple[float, TrackId]]:
    return nsmallest(len(ranked) - int(most * _KEPT_SHARE), ranked) if len(ranked) > most else []


_UNKNOWN = TrackTaste()
