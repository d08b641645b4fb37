"""FMA's genres: ``genres.csv``, a tree of names by number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soundalike.domain.errors import FmaError
from soundalike.fma.rows import plain_text, read_rows

_MOST_GENRES = 10_000
_DIGITS = 9
_NONE = 0  # what FMA gives as the parent of a root


@dataclass(frozen=True)
class Genres:
    """The genres by number.

    Parameters
    ----------
    names : mapping of int to str
        Of each.
    parents : mapping of int to int
        The number of the genre above one; roots are left out.
    """

    names: Mapping[int, str]
    parents: Mapping[int, int]

    @classmethod
    def read(cls, path: Path) -> "Genres":
        """Read ``genres.csv``; rows that are not of a genre are left out.

        Raises
        ------
        FmaError
            If the file cannot be read, or has not FMA's columns.
        """
        rows = read_rows(path)
        header = next((row.cells for row in rows), None) or []
        try:
            number, name, parent = (header.index(each) for each in ("genre_id", "title", "parent"))
        except ValueError:
            msg = f"{str(path)!r} has not the columns genre_id, title and parent of FMA's genres.csv"
            raise FmaError(msg) from None
        names: dict[int, str] = {}
        parents: dict[int, int] = {}
        for row in rows:
            cells = row.cells or []
            if len(cells) != len(header) or not cells[number].isdecimal() or len(names) >= _MOST_GENRES:
                continue
            one = int(cells[number][:_DIGITS])
            names[one] = plain_text(cells[name])
            if cells[parent].isdecimal() and (above := int(cells[parent][:_DIGITS])):
                parents[one] = above
        return cls({one: name for one, name in names.items() if name}, parents)

    @cached_property
    def by_name(self) -> Mapping[str, int]:
        """The number of each name."""
        return {name: one for one, name in self.names.items()}

    def with_parents(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Return the known ones of some genres and of all that are above them, each once, in this order."""
        found: dict[int, None] = {}
        for one in numbers:
            at = one
            while at in self.names and at not in found:
                found[at] = None
                at = self.parents.get(at, _NONE)
        return tuple(found)

    def parent_names(self, numbers: Iterable[int]) -> dict[str, str]:
        """Return the name above each of some known genres, by name, where there is one."""
        pairs = ((one, self.parents.get(one, _NONE)) for one in numbers)
        return {self.names[one]: self.names[above] for one, above in pairs if above in self.names}


NO_GENRES = Genres({}, {})
