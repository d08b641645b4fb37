"""The faults: each is caused, and over, when `Faults.cause_next` returns."""

import random
import time
from collections.abc import Callable, Iterator

from servers.processes import ServerProcess
from soaking.parts import ProgramPart, System

HOUR_S = 3600
LASTS_S = (5.0, 15.0)


class Faults:
    """Every fault of every part, in an order that is drawn, then again in another.

    Parameters
    ----------
    system : System
        Whose parts.
    chance : random.Random
        Draws the order, and how long each lasts.
    """

    def __init__(self, system: System, chance: random.Random) -> None:
        self._system, self._chance = system, chance
        self._coming: list[tuple[str, Callable[[], None]]] = []

    def cause_next(self, *, kills: bool) -> str:
        """Cause the next fault, wait until it is over, and return what it was.

        Parameters
        ----------
        kills : bool
            Whether processes of the program may be killed; else they live on, so that their memory can be
            followed.
        """
        if not self._coming:
            self._coming = list(self._all(kills=kills))
            self._chance.shuffle(self._coming)
        what, cause = self._coming.pop()
        cause()
        return what

    def _all(self, *, kills: bool) -> Iterator[tuple[str, Callable[[], None]]]:
        for name, part in self._system.parts.items():
            if kills or not isinstance(part, ProgramPart):
                yield f"{name} was killed", lambda part=part: self._kill(part)  # type: ignore[misc] # bound early
            yield f"{name} was stopped for a while", lambda part=part: self._stop(part)  # type: ignore[misc] # as above
        for name, program in self._system.programs.items():
            for hours in (1, -1):
                yield (
                    f"the clock of {name} was set by {hours:+d} h",
                    lambda program=program, hours=hours: self._set_clock(program, hours),  # type: ignore[misc] # as above
                )
        if self._system.disk.is_own:
            yield "the disk was full", self._fill_disk

    def _last(self) -> None:
        time.sleep(self._chance.uniform(*LASTS_S))

    def _kill(self, part: ServerProcess) -> None:
        part.kill()
        ServerProcess.start(part)

    def _stop(self, part: ServerProcess) -> None:
        part.pause()
        self._last()
        part.resume()

    def _set_clock(self, part: ProgramPart, hours: int) -> None:
        part.set_clock(hours * HOUR_S)
        self._last()
        part.set_clock(0)

    def _fill_disk(self) -> None:
        with self._system.disk.full():
            self._last()
