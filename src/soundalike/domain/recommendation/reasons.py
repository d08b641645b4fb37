"""Why a track is recommended, from what its place is due to, and what to know of the whole list."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from soundalike.domain.catalogue import first_artist
from soundalike.domain.listens import ListenKind
from soundalike.domain.recommendation.attribution import Attribution
from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.results import Because, Cause, Likeness, Note, Reason, Role
from soundalike.domain.recommendation.slate import Slate
from soundalike.domain.taste import Taste
from soundalike.domain.tracks import Track
from soundalike.domain.types import TrackId

_MOST_LISTENS = 8
_POSITIVE = frozenset({ListenKind.FINISHED, ListenKind.LIKED})
_NEGATIVE = frozenset({ListenKind.SKIPPED, ListenKind.LESS, ListenKind.DISLIKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonContext:
    """What the reasons of a slate refer to.

    Parameters
    ----------
    taste : Taste
        Of the listener.
    titles : mapping of TrackId to str
        Of the tracks that reasons name.
    seed : Track or None
        The track to rank by, if any.
    similar_features : mapping of TrackId to tuple of str
        In what each track is similar to the seed.
    """

    taste: Taste
    titles: Mapping[TrackId, str]
    seed: Track | None = None
    similar_features: Mapping[TrackId, tuple[str, ...]] = field(default_factory=dict)


def explain(track_id: TrackId, attribution: Attribution, context: ReasonContext) -> Reason:
    """Return why a track has its place in the slate.

    Parameters
    ----------
    track_id : TrackId
        Of the track.
    attribution : Attribution
        The listens and tracks that led to it.
    context : ReasonContext
        What reasons refer to.
    """
    role, taste = attribution.role, context.taste
    match role:
        case Role.TASTE | Role.SEED:
            return Reason(
                code=role,
                because=_listens(attribution.positive, taste, _POSITIVE),
                cause=_cause(attribution, context),
                likeness=_likeness(track_id, attribution, context),
            )
        case Role.EXPLORATION:
            return Reason(code=role)
        case Role.COLD_START:
            because = _listens(attribution.negative, taste, _NEGATIVE)
            return Reason(code=role, because=because, is_away=bool(attribution.negative))
        case Role.REPEAT:
            because = _listens(attribution.positive, taste, _POSITIVE | _NEGATIVE)
            return Reason(code=role, because=because, played_ms=taste.tracks[track_id].played_ms)


def describe(
    slate: Slate, question: Question, *, disliked: int, has_mostly_vanished: bool
) -> tuple[Note, ...]:
    """Say why a slate is short, repeats, or is all by one artist.

    Parameters
    ----------
    slate : Slate
        What is recommended.
    question : Question
        What was asked.
    disliked : int
        How many tracks the listener dislikes.
    has_mostly_vanished : bool
        Whether most of the tracks that fit have vanished.
    """
    candidates = slate.candidates
    lacks_vanished = slate.is_cut and has_mostly_vanished
    if not candidates and not lacks_vanished:
        return (_why_nothing(question, disliked),)
    notes = []
    repeats = sum(candidate.role is Role.REPEAT for candidate in candidates)
    if lacks_vanished and len(candidates) < question.limit:
        notes.append(Note.MANY_VANISHED)
    elif repeats == len(candidates):
        notes.append(Note.ALL_REPEATS)
    elif repeats:
        notes.append(Note.SOME_REPEATS)
    elif len(candidates) < question.limit:
        notes.append(Note.NO_MORE)
    elif candidates[0].role is Role.COLD_START:
        notes.append(Note.UNKNOWN_TASTE)
    if slate.has_exceeded_cap:
        is_one_artist = len({first_artist(candidate.track) for candidate in candidates}) == 1
        notes.append(Note.ALL_ONE_ARTIST if is_one_artist else Note.MANY_ONE_ARTIST)
    return tuple(notes)


def _cause(attribution: Attribution, context: ReasonContext) -> Cause | None:
    """Return the first track of an attribution, and what the listener did with it."""
    if not attribution.positive:
        return None
    track_id = attribution.positive[0]
    known = context.taste.tracks[track_id]
    kind, times = (
        ListenKind.FINISHED,
        [one.at_ms for one in known.evidence if one.kind is ListenKind.FINISHED],
    )
    if known.liked_ms is not None:
        kind, times = ListenKind.LIKED, [known.liked_ms]
    return Cause(
        track_id=track_id,
        title=context.titles.get(track_id),
        is_near=attribution.is_near,
        kind=kind,
        times_ms=tuple(times),
    )


def _likeness(track_id: TrackId, attribution: Attribution, context: ReasonContext) -> Likeness | None:
    if attribution.role is not Role.SEED or context.seed is None:
        return None
    return Likeness(
        seed_id=context.seed.id,
        title=context.seed.title,
        features=context.similar_features.get(track_id, ()),
        is_close=attribution.is_close,
    )


def _listens(
    track_ids: Iterable[TrackId], taste: Taste, kinds: Collection[ListenKind]
) -> tuple[Because, ...]:
    """Return listens of tracks, the latest first; of too many, those of the first track stay."""
    named, *others = [
        [
            Because(track_id, one.kind, one.at_ms)
            for one in taste.tracks[track_id].evidence
            if one.kind in kinds
        ]
        for track_id in track_ids
    ] or [[]]
    rest = [listen for listens in others for listen in listens]
    chosen = (sorted(named, key=_latest_first) + sorted(rest, key=_latest_first))[:_MOST_LISTENS]
    return tuple(sorted(chosen, key=_latest_first))


def _latest_first(listen: Because) -> tuple[int, TrackId, ListenKind]:
    return -listen.at_ms, listen.track_id, listen.kind


def _why_nothing(question: Question, disliked: int) -> Note:
    if question.left_out and disliked:
        return Note.ALL_DISLIKED_OR_EXCLUDED
    if question.left_out or disliked:
        return Note.ALL_DISLIKED if disliked else Note.ALL_EXCLUDED
    return Note.NOTHING if question.seed is None else Note.ONLY_SEED
