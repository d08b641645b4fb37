"""Why a track stands where it does, in words: said only where it is so."""

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

NOTHING_THERE = "the library is empty: run 'soundalike up' on a folder of music"

TITLE_LENGTH = 60
_MOST_LISTENS = 8
_TIMES = ("", "", "twice ", "three times ", "often ")
_FOR = frozenset({ListenKind.FINISHED, ListenKind.LIKED})
_AGAINST = frozenset({ListenKind.SKIPPED, ListenKind.LESS, ListenKind.DISLIKED})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_QUOTES = str.maketrans({"“": '"', "”": '"'})


_DAYS_TOLD = 14
_WEEKS_TOLD = 8 * 7
_YEAR_DAYS = 330
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationContext:
    """What words are made of.

    Parameters
    ----------
    taste : Taste
        Whose listens are told of.
    now : datetime
        With the zone in which days begin; it changes nothing but the words.
    titles : mapping of TrackId to str
        Of the tracks that reasons name.
    seed : TrackId or None
        What was asked about.
    seed_title : str or None
        Of the seed, if there is one.
    similar_features : mapping of TrackId to tuple of str
        In what each track sounds like the seed.
    """

    taste: Taste
    now: datetime
    titles: Mapping[TrackId, str]
    seed: TrackId | None = None
    seed_title: str | None = None
    similar_features: Mapping[TrackId, tuple[str, ...]] = field(default_factory=dict)


def explain(attribution: Attribution, context: ExplanationContext) -> Explanation:
    """Say what a place rests on."""
    match attribution.candidate.role:
        case Role.TASTE:
            return Explanation(
                _by_taste(attribution, context), _listens(attribution.positive, context.taste, _FOR)
            )
        case Role.SEED:
            return Explanation(
                _by_seed(attribution, context), _listens(attribution.positive, context.taste, _FOR)
            )
        case Role.EXPLORATION:
            return Explanation("exploring: drawn by chance", ())
        case Role.COLD_START:
            away = ", away from what you turned down" if attribution.negative else ""
            because = _listens(attribution.negative, context.taste, _AGAINST)
            return Explanation(f"a start, spread over your library{away}", because)
        case Role.REPEAT:
            return Explanation(
                _by_repeat(attribution, context),
                _listens(attribution.positive, context.taste, _FOR | _AGAINST),
            )


def describe(
    served: Sequence[Candidate],
    *,
    limit: int,
    left_out: int,
    disliked: int,
    has_exceeded_cap: bool,
    has_seed: bool = False,
) -> str | None:
    """Say why a list is short, repeats, or is all by one artist; None where there is nothing to say.

    Parameters
    ----------
    served : sequence of Candidate
        The list.
    limit : int
        How many were asked for.
    left_out, disliked : int
        How many tracks the question left out, and the listener dislikes.
    has_seed : bool
        Whether a track was asked about, which is never in the list.
    has_exceeded_cap : bool
        Whether an artist has more places than the cap allows.
    """
    if not served:
        return _why_nothing(left_out, disliked, has_seed=has_seed)
    notes = []
    repeats = sum(candidate.role is Role.REPEAT for candidate in served)
    if repeats == len(served):
        notes.append("all was played lately, so it comes again, the longest ago first")
    elif repeats:
        notes.append("there is little that is new, so what was played comes again, the longest ago first")
    elif len(served) < limit:
        notes.append("there is no more to play")
    elif served[0].role is Role.COLD_START:
        notes.append("nothing is known of your taste yet")
    artists = {key_of(candidate.track.artist) for candidate in served}
    if has_exceeded_cap:
        only = "all is" if len(artists) == 1 else "much is"
        notes.append(f"{only} by one artist, for want of others")
    return "; ".join(notes) or None


def when(at_ms: int, now: datetime) -> str:
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
    if days < _DAYS_TOLD:
        return f"{days} days ago"
    if days < _WEEKS_TOLD:
        return f"{days // 7} weeks ago"
    month = _MONTHS[then.month - 1]
    return f"in {month}" if days < _YEAR_DAYS else f"in {month} {then.year}"


def quoted(title: str) -> str:
    """Return a title from somebody's tags in quotes: one short line of plain text."""
    plain = "".join(" " if unicodedata.category(one) in _HIDDEN else one for one in title[: 4 * TITLE_LENGTH])
    text = " ".join(plain.translate(_QUOTES).split())
    if len(text) > TITLE_LENGTH:
        text = f"{text[: TITLE_LENGTH - 1].rstrip()}…"
    return f"“{text}”"


def _by_taste(attribution: Attribution, context: ExplanationContext) -> str:
    track_id = attribution.positive[0]
    if track_id == attribution.candidate.track.id:
        verb, rest = _deed(context.taste.tracks[track_id], context.now)
        return f"you {verb} it {rest}".rstrip()
    where = "near" if attribution.is_near else "leaning towards"
    return f"{where} {_title(track_id, context)}, {_which(track_id, context)}"


def _by_seed(attribution: Attribution, context: ExplanationContext) -> str:
    seed = quoted(context.seed_title or "")
    groups = context.similar_features.get(attribution.candidate.track.id, ())
    if groups:
        text = f"similar {list_words(groups)} to {seed}"
    else:
        text = f"close to {seed} as a whole" if attribution.is_close else f"some way from {seed}"
    if attribution.positive and attribution.positive[0] == context.seed:
        return f"{text}, {_which(context.seed, context)}"
    if attribution.positive and attribution.is_near:
        return f"{text}; {_by_taste(attribution, context)}"
    return text


def _by_repeat(attribution: Attribution, context: ExplanationContext) -> str:
    known = context.taste.tracks[attribution.candidate.track.id]
    if known.played_ms is None:
        return "once more"
    return f"once more: last heard {when(known.played_ms, context.now)}"


def _which(track_id: TrackId, context: ExplanationContext) -> str:
    verb, rest = _deed(context.taste.tracks[track_id], context.now)
    return f"which you {verb} {rest}".rstrip()


def _deed(known: TrackTaste, now: datetime) -> tuple[str, str]:
    """Return what was done with a track that is positive, such as ``("finished", "twice today")``."""
    if known.liked_ms is not None:
        return "liked", when(known.liked_ms, now)
    finished = [one.at_ms for one in known.evidence if one.kind is ListenKind.FINISHED]
    if not finished:
        return "finished", "before"
    times, last = _TIMES[min(len(finished), len(_TIMES) - 1)], when(finished[-1], now)
    is_one_day = when(finished[0], now) == last
    return "finished", f"{times}{last}" if is_one_day else f"{times.rstrip()}, last {last}"


def _title(track_id: TrackId, context: ExplanationContext) -> str:
    return quoted(context.titles[track_id]) if track_id in context.titles else "a track"


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
    reasons = []
    if disliked:
        reasons.append("disliked")
    if left_out:
        reasons.append("left out by the question")
    if reasons:
        return f"there is nothing to play: what there is, is {' or '.join(reasons)}"
    if has_seed:
        return "there is nothing to play but the track that was asked about"
    return "there is nothing to play: run 'soundalike up' on the folder of music"
