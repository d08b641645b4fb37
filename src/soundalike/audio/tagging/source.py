"""What one tag of a file says, before anybody asks what it means."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

MOST_VALUES = 100
MOST_NAMES = 1_000
MOST_VALUE_CHARACTERS = 40_000
FRONT_COVER = 3

MUSICBRAINZ_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Picture:
    """An embedded picture; its kind is a number of ID3v2's list of picture types, 3 is the front cover."""

    kind: int
    data: bytes


@dataclass(slots=True)
class TagSource:
    """The values of each field by its name, in order, and the pictures of one tag.

    Names are compared without spaces, underscores, slashes and case, by which dialects differ.
    """

    pictures: list[Picture] = field(default_factory=list)
    _values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, *values: str) -> None:
        """Add values to a field, as many and as much of each as is kept.

        Parameters
        ----------
        name : str
            In any spelling.
        *values : str
            As written.
        """
        key = re.sub(r"[\s_/\ufeff]", "", name[:MOST_VALUES]).lower()
        if key not in self._values and len(self._values) >= MOST_NAMES:
            return
        kept = self._values.setdefault(key, [])
        kept.extend(value[:MOST_VALUE_CHARACTERS] for value in values[: MOST_VALUES - len(kept)])

    def fill(self, others: "TagSource") -> None:
        """Take the fields of others about which this says nothing."""
        for name, values in others._values.items():  # noqa: SLF001 - of the same class
            if not any(self._values.get(name, ())):
                self._values[name] = values

    def split(self, name: str, parts: Callable[[str], Iterable[str]]) -> None:
        """Put parts of its values in place of a field's values.

        Parameters
        ----------
        name : str
            Of the field, as it is compared.
        parts : callable
            Returns the parts of a value.
        """
        if name in self._values:
            self.add(name, *(part for value in self._values.pop(name) for part in parts(value)))

    @property
    def has_any(self) -> bool:
        """Whether it says anything."""
        return bool(self.pictures or any(map(any, self._values.values())))

    def values(self, *names: str) -> list[str]:
        """Return the values of some fields, in the order of the names."""
        return [value for name in names for value in self._values.get(name, ())]
