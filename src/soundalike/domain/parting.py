"""What tells apart artists, or albums, of one name."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Parting:
    """What tells apart the entries that share a key: nothing unless there are several MusicBrainz ids.

    Parameters
    ----------
    known : sequence of str
        Those ids, in order.
    lowest : str
        Where those belong who have none.
    """

    known: Sequence[str]
    lowest: str

    @classmethod
    def by(cls, there: Iterable[str], gone: Iterable[str]) -> "Parting":
        """Return it by the ids of all who have the key.

        Parameters
        ----------
        there : iterable of str
            The ids of tracks that are there.
        gone : iterable of str
            Those of vanished ones. They part a key too, but get nothing else while others are there.
        """
        shown = sorted(set(there))
        known = sorted({*shown, *gone})
        return cls(known, next(iter(shown or known), ""))

    def __call__(self, one: str | None) -> str:
        """Return the id in the digest of who has this MusicBrainz id, or none."""
        if len(self.known) < 2:  # noqa: PLR2004 - one id parts nothing
            return ""
        return one if one is not None and one in self.known else self.lowest

    def successors(self, id_of: Callable[[str], str]) -> dict[str, str]:
        """Return where the ids lead that there would be if the key were parted, or were not.

        So each leads to one entry, whatever was parted when and why.
        """
        would_be = ("",) if self("") else self.known
        return {id_of(one): id_of(self(one)) for one in would_be}


def most_common(names: Iterable[_T], order: Callable[[_T], str] = str) -> _T | None:
    """Return what is there most often, of several the first in order."""
    counted = Counter(names)
    return min(counted, key=lambda name: (-counted[name], order(name)), default=None)
