"""Listens: what a listener did with a track, as the event log stores it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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
    generation : int or None
        In which generation of its user's data it belongs; None if the client did not say. Two that are
        otherwise equal are the same event.
    """

    id: EventId
    user_id: UserId
    track_id: TrackId
    kind: ListenKind
    position_ms: int | None
    at_ms: int
    generation: int | None = field(default=None, compare=False)

    @property
    def order(self) -> tuple[int, EventId]:
        """Sort key among the listens of one user."""
        return self.at_ms, self.id


@dataclass(frozen=True, slots=True)
class Erasure:
    """A user's request to be forgotten.

    Parameters
    ----------
    user_id : UserId
        Who is forgotten.
    at_ms : int
        When, in ms since 1970, UTC, by the server's clock.
    generation : int or None
        The number of the generation that begins with it, from 1 and later than any before. None in records
        of versions that knew only dates: such an erasure hides all that is dated up to `at_ms`.
    """

    user_id: UserId
    at_ms: int
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What all erasures of one user add up to.

    Parameters
    ----------
    until_ms : int or None
        Listens without a generation that are dated up to then are hidden; None if nothing was erased.
    generation : int
        The user's generation, the highest that an erasure named. Listens of earlier ones are hidden,
        whatever their date.
    dated_ms : int or None
        All listens that are dated up to then are hidden: an erasure without a number said so.
    """

    until_ms: int | None = None
    generation: int = 0
    dated_ms: int | None = None

    def hides(self, listen: Listen) -> bool:
        """Whether a listen is erased."""
        if self.dated_ms is not None and listen.at_ms <= self.dated_ms:
            return True
        if listen.generation is not None:
            return listen.generation < self.generation
        return self.until_ms is not None and listen.at_ms <= self.until_ms

    def is_unknown(self, listen: Listen) -> bool:
        """Whether a listen names a generation that has not begun here, as after an older backup."""
        return listen.generation is not None and listen.generation > self.generation

    def visible(self, listens: Iterable[Listen]) -> list[Listen]:
        """Return the listens of the user that are not hidden, as listens of the user's generation."""
        return [replace(one, generation=self.generation) for one in listens if not self.hides(one)]

    def is_emptied_by(self, erasure: Erasure, *, is_total: bool = False) -> bool:
        """Whether an erasure removes every listen of the user that is stored now, whatever its date.

        Parameters
        ----------
        erasure : Erasure
            Of the user.
        is_total : bool
            See `ErasureRecord`.
        """
        return is_total or (erasure.generation is not None and erasure.generation > self.generation)

    def after(self, erasure: Erasure, *, is_total: bool = False) -> "Erased":
        """Return what is erased after one more erasure; one that is known already changes nothing.

        Parameters
        ----------
        erasure : Erasure
            Of the user.
        is_total : bool
            See `ErasureRecord`.
        """
        until_ms = _later(self.until_ms, erasure.at_ms)
        if erasure.generation is None:
            return Erased(until_ms, self.generation, _later(self.dated_ms, erasure.at_ms))
        # Where a generation begins, dates no longer count for what bears its number.
        is_emptied = self.is_emptied_by(erasure, is_total=is_total)
        dated_ms = None if is_emptied else self.dated_ms
        return Erased(until_ms, max(self.generation, erasure.generation), dated_ms)

    def lowered(self, erasure: Erasure) -> "Erased":
        """Return what is erased once no date after that of an erasure hides anything; see `ErasureRecord`.

        One without a number says nothing of those with one. Together with `after` this only bounds dates, so
        that a part of a log that is read again changes nothing in the end.
        """
        is_for_all = erasure.generation is not None or not self.generation
        until_ms = _earlier(self.until_ms, erasure.at_ms) if is_for_all else self.until_ms
        return Erased(until_ms, self.generation, _earlier(self.dated_ms, erasure.at_ms))

    def erasures(self, user_id: UserId) -> Iterator[Erasure]:
        """Yield the erasures of a user that add up to this."""
        if self.generation and self.until_ms is not None:
            yield Erasure(user_id, self.until_ms, self.generation)
        if self.dated_ms is not None:
            yield Erasure(user_id, self.dated_ms)


NOTHING_ERASED = Erased()


def _earlier(known_ms: int | None, at_ms: int) -> int | None:
    return None if known_ms is None else min(known_ms, at_ms)


def _later(known_ms: int | None, at_ms: int) -> int:
    return at_ms if known_ms is None else max(known_ms, at_ms)


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure as a log stores it.

    Parameters
    ----------
    erasure : Erasure
        What a user asked for.
    is_total : bool
        Whether it also hides every earlier record of its user.
    is_lowering : bool
        Whether it erases nothing, and says that the erasures before it were dated by a fast clock: they hide
        what comes in after it only up to its own date.
    """

    erasure: Erasure
    is_total: bool
    is_lowering: bool = False


LogEntry = Listen | Erasure
"""What is exported and imported."""
LogRecord = Listen | ErasureRecord
"""What a log stores."""
