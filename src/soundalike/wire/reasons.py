"""Reasons and notes in words."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from soundalike.domain.listens import ListenKind
from soundalike.domain.recommendation.results import Cause, Likeness, Note, Reason, Role
from soundalike.domain.times import from_ms
from soundalike.domain.types import TrackId

TITLE_LENGTH = 60
_TIMES = ("", "", "twice ", "three times ", "often ")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_QUOTES = str.maketrans({"“": '"', "”": '"'})

_DAYS_COUNTED = 14
_WEEKS_COUNTED = 8 * 7
_YEAR_DAYS = 330
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)  # in every zone
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip

_NOTES = {
    Note.EMPTY_LIBRARY: "the library is empty: run 'soundalike up' on a folder of music",
    Note.NO_AUDIO: "no track has its audio here: run 'soundalike up' on the folder with their files",
    Note.ALL_DISLIKED: "there is nothing to play: all tracks are disliked",
    Note.ALL_EXCLUDED: "there is nothing to play: all tracks are excluded",
    Note.ALL_DISLIKED_OR_EXCLUDED: "there is nothing to play: all tracks are disliked or excluded",
    Note.ONLY_SEED: "there is nothing to play but the seed itself",
    Note.NOTHING: "there is nothing to play: run 'soundalike up' on the folder of music",
    Note.ALL_REPEATS: "everything was played recently, so these are repeats, the longest ago first",
    Note.SOME_REPEATS: (
        "few tracks are left that were not played recently, so some are repeats, the longest ago first"
    ),
    Note.NO_MORE: "there are no more tracks to play",
    Note.MANY_VANISHED: "most of the tracks that fit have vanished: run 'soundalike build' to learn again",
    Note.UNKNOWN_TASTE: "nothing is known about your taste yet",
    Note.ALL_ONE_ARTIST: "all tracks are by one artist, because there are too few others",
    Note.MANY_ONE_ARTIST: "many tracks are by one artist, because there are too few others",
}


def note_text(notes: Sequence[Note]) -> str | None:
    """Return what a listener should know about a list as a whole; None if there is nothing to say."""
    return "; ".join(_NOTES[note] for note in notes) or None


def reason_text(reason: Reason, *, track_id: TrackId, now: datetime) -> str:
    """Return why a track is recommended, such as ``"near “X”, which you finished twice today"``.

    Parameters
    ----------
    reason : Reason
        Why.
    track_id : TrackId
        Of the recommended track.
    now : datetime
        With the zone in which days begin.
    """
    match reason.code:
        case Role.EXPLORATION:
            text = "exploring: picked at random"
        case Role.COLD_START:
            away = ", away from what you rejected" if reason.is_away else ""
            text = f"a first mix from your whole library{away}"
        case Role.REPEAT:
            played_ms = reason.played_ms
            last = "" if played_ms is None else f", last played {relative_date(played_ms, now)}"
            text = f"a repeat{last}"
        case Role.TASTE:
            text = "" if reason.cause is None else _cause_text(reason.cause, track_id=track_id, now=now)
        case Role.SEED:
            text = _seed_text(reason, track_id=track_id, now=now)
    return text


def relative_date(at_ms: int, now: datetime) -> str:
    """Return ``"today"``, ``"yesterday"``, ``"3 weeks ago"``, ``"in March"`` or ``"in March 2024"``.

    Parameters
    ----------
    at_ms : int
        Since 1970, UTC.
    now : datetime
        With its zone, in which days begin.
    """
    then = max(from_ms(at_ms), _EARLIEST).astimezone(now.tzinfo)
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


def list_words(words: Sequence[str]) -> str:
    """Return ``"timbre, brightness and noisiness"``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _cause_text(cause: Cause, *, track_id: TrackId, now: datetime) -> str:
    if cause.track_id == track_id:
        return f"you {_action(cause, now, object_='it ')}"
    where = "near" if cause.is_near else "somewhat near"
    title = "a track" if cause.title is None else quoted(cause.title)
    return f"{where} {title}, which you {_action(cause, now)}"


def _seed_text(reason: Reason, *, track_id: TrackId, now: datetime) -> str:
    text = "" if reason.likeness is None else _likeness_text(reason.likeness)
    cause = reason.cause
    if cause is None or reason.likeness is None:
        return text
    if cause.track_id == reason.likeness.seed_id:
        return f"{text}, which you {_action(cause, now)}"
    return f"{text}; {_cause_text(cause, track_id=track_id, now=now)}" if cause.is_near else text


def _likeness_text(likeness: Likeness) -> str:
    seed = quoted(likeness.title)
    if likeness.features:
        return f"similar {list_words(likeness.features)} to {seed}"
    return f"close to {seed} overall" if likeness.is_close else f"not very close to {seed}"


def _action(cause: Cause, now: datetime, *, object_: str = "") -> str:
    """Return what the listener did with a track, such as ``"finished twice today"``."""
    if cause.kind is ListenKind.LIKED:
        return f"liked {object_}{relative_date(cause.times_ms[-1], now)}"
    return f"finished {object_}{_when_finished(cause.times_ms, now)}"


def _when_finished(times_ms: Sequence[int], now: datetime) -> str:
    if not times_ms:
        return "before"
    times, last = _TIMES[min(len(times_ms), len(_TIMES) - 1)], relative_date(times_ms[-1], now)
    is_one_day = relative_date(times_ms[0], now) == last
    return f"{times}{last}" if is_one_day else f"{times.rstrip()}, last {last}"
