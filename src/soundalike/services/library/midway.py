"""What is done while files are still being analysed, so that the player shows and plays what is there."""

from collections.abc import Callable

FIRST_ARTEFACT_AT = 300
"""Analysed tracks from which on there is something to learn from."""

_GROWTH = 2
_SHARE = 0.1
_LEAST_S = 10.0


class Turns:
    """Tells when something is due again, so that it takes only a share of the time.

    Parameters
    ----------
    timer : callable
        Returns seconds that never go back.
    share : float
        Of the time.
    least_s : float
        The shortest time between two turns.
    """

    def __init__(
        self, timer: Callable[[], float], *, share: float = _SHARE, least_s: float = _LEAST_S
    ) -> None:
        self._timer = timer
        self._share = share
        self._least_s = least_s
        self._next_s = timer() + least_s

    def take(self, work: Callable[[], object]) -> bool:
        """Do something if it is due; return whether it was."""
        begun = self._timer()
        if begun < self._next_s:
            return False
        work()
        ended = self._timer()
        self._next_s = ended + max(self._least_s, (ended - begun) / self._share)
        return True


class Midway:
    """Shows and learns what has been analysed so far.

    Albums are settled and new tracks placed now and then; a space is fitted at `FIRST_ARTEFACT_AT` tracks,
    and whenever the library has doubled.

    Parameters
    ----------
    analysed : int
        Tracks that were analysed before.
    learned : int or None
        Tracks of the artefact in use, None where there is none.
    settle, place, learn : callable
        Bring catalogue, places and space up to date.
    timer : callable
        Returns seconds that never go back.
    """

    def __init__(
        self,
        *,
        analysed: int,
        learned: int | None,
        settle: Callable[[], object],
        place: Callable[[], object],
        learn: Callable[[], object],
        timer: Callable[[], float],
    ) -> None:
        self._analysed = analysed
        self._settle, self._place, self._learn = settle, place, learn
        self._learn_at = FIRST_ARTEFACT_AT if learned is None else _GROWTH * max(learned, FIRST_ARTEFACT_AT)
        self._has_artefact = learned is not None
        self._settling, self._placing = Turns(timer), Turns(timer, least_s=6 * _LEAST_S)

    def after(self, done: int) -> bool:
        """Do what is due after so many files; return whether anything was."""
        has_settled = self._settling.take(self._settle)
        count = self._analysed + done
        if count >= self._learn_at:
            self._learn()
            self._learn_at, self._has_artefact = _GROWTH * count, True
            return True
        return (self._has_artefact and self._placing.take(self._place)) or has_settled
