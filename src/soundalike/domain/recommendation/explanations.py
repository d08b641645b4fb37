"""Why a track is recommended, in words, from what its place is due to."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from soundalike.domain.listens import ListenKind
from soundalike.domain.recommendation.attribution import Attribution
from soundalike.domain.recommendation.feature_similarity import list_words
from soundalike.domain.recommendation.results import Because, Explanation
from soundalike.domain.recommendation.rules import key_of
from soundalike.domain.recommendation.slate import Candidate, Role
from soundalike.domain.taste import Taste, TrackTaste
from soundalike.domain.times import from_ms
from soundalike.domain.types import TrackId

EMPTY_LIBRARY = "the library is empty: run 'soundalike up' on a folder of music"

TITLE_LENGTH = 60
_MOST_LISTENS = 8
_TIMES = ("", "", "twice ", "three times ", "often ")
_POSITIVE = frozenset({ListenKind.FINISHED, ListenKind.LIKED})
_NEGATIVE = frozenset({ListenKind.SKIPPED, ListenKind.LESS, ListenKind.DISLIKED})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_QUOTES = str.maketrans({"“": '"', "”": '"'})

_DAYS_COUNTED = 14
_WEEKS_COUNTED = 8 * 7
_YEAR_DAYS = 330
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationContext:
    """What explanations of a slate refer to.

    Parameters
    ----------
    taste : Taste
        Of the listener.
    now : datetime
        With the zone in which days begin; it changes nothing but the words.
    titles : mapping of TrackId to str
        Of the tracks that explanations name.
    seed : TrackId or None
        The track to rank by, if any.
    seed_title : str or None
        Its title.
    similar_features : mapping of TrackId to tuple of str
        In what each track is similar to the seed.
    """

    taste: Taste
    now: datetime
    titles: Mapping[TrackId, str]
    seed: TrackId | None = None
    seed_title: str | None = None
    similar_features: Mapping[TrackId, tuple[str, ...]] = field(default_factory=dict)


def explain(attribution: Attribution, context: ExplanationContext) -> Explanation:
    """Explain in words why a track has its place in the slate.

    Parameters
    ----------
    attribution : Attribution
        The listens and tracks that led to it.
    context : ExplanationContext
        What explanations refer to.
    """
    role, positive = attribution.candidate.role, attribution.positive
    match role:
        case Role.TASTE | Role.SEED:
            text = _by_taste(attribution, context) if role is Role.TASTE else _by_seed(attribution, context)
            return Explanation(text, _listens(positive, context.taste, _POSITIVE))
        case Role.EXPLORATION:
            return Explanation("exploring: picked at random", ())
        case Role.COLD_START:
            away = ", away from what you rejected" if attribution.negative else ""
            because = _listens(attribution.negative, context.taste, _NEGATIVE)
            return Explanation(f"a first mix from your whole library{away}", because)
        case Role.REPEAT:
            because = _listens(positive, context.taste, _POSITIVE | _NEGATIVE)
            return Explanation(_by_repeat(attribution, context), because)


def describe(
    slate: Sequence[Candidate],
    *,
    limit: int,
    left_out: int,
    disliked: int,
    has_exceeded_cap: bool,
    has_seed: bool = False,
) -> str | None:
    """Say why a slate is short, repeats, or is all by one artist; None if there is nothing to say.

    Parameters
    ----------
    slate : sequence of Candidate
        What is recommended.
    limit : int
        How many were requested.
    left_out, disliked : int
        How many tracks the request excluded, and the listener dislikes.
    has_exceeded_cap : bool
        Whether an artist has more places than the cap allows.
    has_seed : bool
        Whether there is a seed, which is never in the slate.
    """
    if not slate:
        return _why_nothing(left_out, disliked, has_seed=has_seed)
    notes = []
    repeats = sum(candidate.role is Role.REPEAT for candidate in slate)
    if repeats == len(slate):
        notes.append("everything was played recently, so these are repeats, the longest ago first")
    elif repeats:
        notes.append(
            "few tracks are left that were not played recently, so some are repeats, the longest ago first"
        )
    elif len(slate) < limit:
        notes.append("there are no more tracks to play")
    elif slate[0].role is Role.COLD_START:
        notes.append("nothing is known about your taste yet")
    if has_exceeded_cap:
        is_one_artist = len({key_of(candidate.track.artist) for candidate in slate}) == 1
        share = "all tracks are" if is_one_artist else "many tracks are"
        notes.append(f"{share} by one artist, because there are too few others")
    return "; ".join(notes) or None


def relative_date(at_ms: int, now: datetime) -> str:
    """Return ``"today"``, ``"yesterday"``, ``"3 weeks ago"``, ``"in March"`` or ``"in March 2024"``.

    Parameters
    ----------
    at_ms : int
        Since 1970, UTC.
    now : datetime
        With its zone, in which days begin.
    """
    then = from_ms(at_ms).astimezone(now.tzinfo)
    days = (now.date() - then.date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < _DAYS_COUNTED:
        return f"{days} days ago"
    if days < _WEEKS_COUNTED:
        return f"{days // 7} weeks ago"
    month = _MONTHS[then.month - 1]
    return f"in {month}" if days < _YEAR_DAYS else f"in {month} {then.year}"


def quoted(title: str) -> str:
    """Return a title in quotes as one short line of plain text, whatever a file's tags contain."""
    plain = "".join(" " if unicodedata.category(one) in _HIDDEN else one for one in title[: 4 * TITLE_LENGTH])
    text = " ".join(plain.translate(_QUOTES).split())
    if len(text) > TITLE_LENGTH:
        text = f"{text[: TITLE_LENGTH - 1].rstrip()}…"
    return f"“{text}”"


def _by_taste(attribution: Attribution, context: ExplanationContext) -> str:
    track_id = attribution.positive[0]
    if track_id == attribution.candidate.track.id:
        return f"you {_action(track_id, context, object_='it ')}"
    where = "near" if attribution.is_near else "somewhat near"
    title = quoted(context.titles[track_id]) if track_id in context.titles else "a track"
    return f"{where} {title}, which you {_action(track_id, context)}"


def _by_seed(attribution: Attribution, context: ExplanationContext) -> str:
    seed = quoted(context.seed_title or "")
    groups = context.similar_features.get(attribution.candidate.track.id, ())
    if groups:
        text = f"similar {list_words(groups)} to {seed}"
    else:
        text = f"close to {seed} overall" if attribution.is_close else f"not very close to {seed}"
    if attribution.positive and attribution.positive[0] == context.seed:
        return f"{text}, which you {_action(context.seed, context)}"
    if attribution.positive and attribution.is_near:
        return f"{text}; {_by_taste(attribution, context)}"
    return text


def _by_repeat(attribution: Attribution, context: ExplanationContext) -> str:
    known = context.taste.tracks[attribution.candidate.track.id]
    if known.played_ms is None:
        return "a repeat"
    return f"a repeat, last played {relative_date(known.played_ms, context.now)}"


def _action(track_id: TrackId, context: ExplanationContext, *, object_: str = "") -> str:
    """Return what the listener did with a positive track, such as ``"finished twice today"``."""
    known = context.taste.tracks[track_id]
    if known.liked_ms is not None:
        return f"liked {object_}{relative_date(known.liked_ms, context.now)}"
    return f"finished {object_}{_when_finished(known, context.now)}"


def _when_finished(known: TrackTaste, now: datetime) -> str:
    finished = [one.at_ms for one in known.evidence if one.kind is ListenKind.FINISHED]
    if not finished:
        return "before"
    times, last = _TIMES[min(len(finished), len(_TIMES) - 1)], relative_date(finished[-1], now)
    is_one_day = relative_date(finished[0], now) == last
    return f"{times}{last}" if is_one_day else f"{times.rstrip()}, last {last}"


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


def _why_nothing(left_out: int, disliked: int, *, has_seed: bool) -> str:
    reasons = [word for word, count in (("disliked", disliked), ("excluded", left_out)) if count]
    if reasons:
        return f"there is nothing to play: all tracks are {' or '.join(reasons)}"
    if has_seed:
        return "there is nothing to play but the seed itself"
    return "there is nothing to play: run 'soundalike up' on the folder of music"
