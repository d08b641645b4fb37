"""What a listener asks for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from soundalike.domain.errors import QueryError
from soundalike.domain.types import TrackId

DEFAULT_ADVENTURE = 0.2
DEFAULT_LIMIT, MAX_LIMIT = 20, 100


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question for recommendations.

    Parameters
    ----------
    limit : int
        How many tracks, 1 to 100.
    seed : TrackId or None
        The track to rank by, if any, before what the profile says.
    exclude : collection of TrackId
        Left out, with other copies of the same recordings.
    recent : sequence of TrackId
        What has just played, as far as the profile may not know it, the latest last: left out likewise,
        and what comes next is by another artist, if there is one.
    adventure : float
        Share of exploration, 0 to 1.
    is_playable_only : bool
        Whether tracks without a file are left out; vanished ones always are.

    Raises
    ------
    QueryError
        If `limit` or `adventure` is out of range.
    """

    limit: int = DEFAULT_LIMIT
    seed: TrackId | None = None
    exclude: Collection[TrackId] = ()
    recent: Sequence[TrackId] = ()
    adventure: float = DEFAULT_ADVENTURE
    is_playable_only: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 1 <= self.limit <= MAX_LIMIT:
            msg = f"limit must be from 1 to {MAX_LIMIT}, not {self.limit}"
            raise QueryError(msg)
        if not 0 <= self.adventure <= 1:
            msg = f"adventure must be from 0 to 1, not {self.adventure}"
            raise QueryError(msg)

    @cached_property
    def left_out(self) -> frozenset[TrackId]:
        """Everything that must not come."""
        return frozenset(self.exclude).union(self.recent)
