"""What to play next, and why: data, which `wire` puts into words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from soundalike.domain.listens import ListenKind
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, ProfileVersion, TrackId


class Role(StrEnum):
    """Which list a candidate comes from."""

    TASTE = "taste"
    SEED = "seed"
    EXPLORATION = "exploration"
    COLD_START = "cold_start"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Because:
    """One listen that a track's place is due to."""

    track_id: TrackId
    kind: ListenKind
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The track of the listener's that raised a score most, and what they did with it.

    Parameters
    ----------
    track_id : TrackId
        The track; it may be the recommended one.
    title : str or None
        Its title; None if the library no longer has it.
    is_near : bool
        Whether the recommended track is near it.
    kind : ListenKind
        Liked or finished.
    times_ms : tuple of int
        When (since 1970, UTC), oldest first: of the like, or of the latest few finishes; none if those
        are no longer known.
    """

    track_id: TrackId
    title: str | None
    is_near: bool
    kind: ListenKind
    times_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How a recommended track is like the seed.

    Parameters
    ----------
    seed_id : TrackId
        The seed.
    title : str
        Its title.
    features : tuple of str
        In which groups of features the two are similar, such as ``"timbre"``.
    is_close : bool
        Whether they are as near as near tracks are.
    """

    seed_id: TrackId
    title: str
    features: tuple[str, ...]
    is_close: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a track is recommended, computed from what ranked it.

    Parameters
    ----------
    code : Role
        Which list it comes from.
    because : tuple of Because
        The listens it is due to, latest first; none if a seed or the library alone decided.
    cause : Cause or None
        Of taste, and of a seed that is not all.
    likeness : Likeness or None
        Of a seed.
    is_away : bool
        Of a cold start: whether it is there for being far from what the listener rejected.
    played_ms : int or None
        Of a repeat: when it was last played.
    """

    code: Role
    because: tuple[Because, ...] = ()
    cause: Cause | None = None
    likeness: Likeness | None = None
    is_away: bool = False
    played_ms: int | None = None


class Note(StrEnum):
    """What a listener should know about a list as a whole."""

    EMPTY_LIBRARY = "empty_library"
    NO_AUDIO = "no_audio"
    ALL_DISLIKED = "all_disliked"
    ALL_EXCLUDED = "all_excluded"
    ALL_DISLIKED_OR_EXCLUDED = "all_disliked_or_excluded"
    ONLY_SEED = "only_seed"
    NOTHING = "nothing"
    ALL_REPEATS = "all_repeats"
    SOME_REPEATS = "some_repeats"
    NO_MORE = "no_more"
    MANY_VANISHED = "many_vanished"
    UNKNOWN_TASTE = "unknown_taste"
    ALL_ONE_ARTIST = "all_one_artist"
    MANY_ONE_ARTIST = "many_one_artist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A track to play.

    Parameters
    ----------
    track : Track
        What to play.
    distance : float
        To what the reason names: a track that was played, the seed, or the mean of the library.
    score : float
        What it was ranked by, before all rules; higher is better.
    reason : Reason
        Why.
    """

    track: Track
    distance: float
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations:
    """What to play next, best first.

    Parameters
    ----------
    artefact : ArtefactVersion or None
        None if the library is empty.
    profile_version : ProfileVersion
        Of the profile that was used.
    recommendations : tuple of Recommendation
        Perhaps fewer than requested.
    notes : tuple of Note
        Why the list is short, or repeats.
    asked_at : datetime
        When, with the zone in which days begin; it changes nothing but the words.
    """

    artefact: ArtefactVersion | None
    profile_version: ProfileVersion
    recommendations: tuple[Recommendation, ...]
    notes: tuple[Note, ...] = ()
    asked_at: datetime
