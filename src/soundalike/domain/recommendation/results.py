"""What to play next, and why."""

from dataclasses import dataclass

from soundalike.domain.listens import ListenKind
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, ProfileVersion, TrackId


@dataclass(frozen=True, slots=True)
class Because:
    """One listen that a track's place is due to."""

    track_id: TrackId
    kind: ListenKind
    at_ms: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a track is recommended, computed from what ranked it.

    Parameters
    ----------
    text : str
        For people, such as ``"near X, which you finished twice today"``.
    because : tuple of Because
        The listens it is due to, latest first; none if a seed or the library alone decided.
    """

    text: str
    because: tuple[Because, ...]


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
    reason : Explanation
        Why.
    """

    track: Track
    distance: float
    score: float
    reason: Explanation


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
    note : str or None
        What a listener should know about the list as a whole: why it is short, or repeats.
    """

    artefact: ArtefactVersion | None
    profile_version: ProfileVersion
    recommendations: tuple[Recommendation, ...]
    note: str | None = None
