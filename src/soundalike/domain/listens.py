"""Listens: what a listener did with a track, as the event log stores it."""

from dataclasses import dataclass
from enum import StrEnum

from soundalike.domain.types import EventId, TrackId, UserId


class ListenKind(StrEnum):
    """What was done; `LESS` ranks similar tracks lower but does not exclude the track."""

    STARTED = "started"
    FINISHED = "finished"
    SKIPPED = "skipped"
    LIKED = "liked"
    UNLIKED = "unliked"
    DISLIKED = "disliked"
    UNDISLIKED = "undisliked"
    LESS = "less"


PLAYS = frozenset({ListenKind.STARTED, ListenKind.FINISHED, ListenKind.SKIPPED})
"""The kinds that mean that the track was played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """One event of one listener.

    Parameters
    ----------
    id : EventId
        Chosen by the client; of several events with one id the first counts.
    user_id : UserId
        Who did it.
    track_id : TrackId
        With which track.
    kind : ListenKind
        What was done.
    position_ms : int or None
        Where in the track, for kinds that have a position.
    at_ms : int
        When, in ms since 1970, UTC, by the client's clock.
    """

    id: EventId
    user_id: UserId
    track_id: TrackId
    kind: ListenKind
    position_ms: int | None
    at_ms: int

    @property
    def order(self) -> tuple[int, EventId]:
        """Sort key among the listens of one user."""
        return self.at_ms, self.id


@dataclass(frozen=True, slots=True)
class Erasure:
    """A user's request to be forgotten: none of their listens up to `at_ms` is ever folded again."""

    user_id: UserId
    at_ms: int


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure as a log stores it; a total one also hides every earlier record, whatever its date."""

    erasure: Erasure
    is_total: bool


LogEntry = Listen | Erasure
"""What is exported and imported."""
LogRecord = Listen | ErasureRecord
"""What a log stores."""
