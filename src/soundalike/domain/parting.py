"""What tells apart artists, or albums, of one name."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Parting:
    """What tells apart the entries that share a key: nothing unless there are several MusicBrainz ids."""

    known: Sequence[str]

    @classmethod
    def by(cls, musicbrainz_ids: Iterable[str]) -> "Parting":
        """Return it by the ids of all who have the key."""
        return cls(sorted(set(musicbrainz_ids)))

    def __call__(self, one: str | None) -> str:
        """Return the id in the digest of who has this MusicBrainz id, or none."""
        if len(self.known) < 2:  # noqa: PLR2004 - one id parts nothing
            return ""
        return one if one is not None and one in self.known else self.known[0]

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
