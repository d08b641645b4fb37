"""Two stores walked through side by side, in one order, and summed up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import Any, TypeVar

from soundalike.domain.ports.library import Store
from soundalike.services.entities.entity import DIGEST_BYTES, Entity, Record

_T = TypeVar("_T")


@dataclass(slots=True)
class Checksum:
    """How many records there are, and the sum of their digests, which has no order."""

    count: int = 0
    total: int = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        self.count += 1
        self.total = (self.total + int.from_bytes(record.digest)) % (1 << 8 * DIGEST_BYTES)

    @property
    def hex(self) -> str:
        """The sum in hexadecimal digits."""
        return f"{self.total:0{2 * DIGEST_BYTES}x}"


@dataclass(slots=True)
class KindReport:
    """What two stores have of one kind of record.

    Parameters
    ----------
    kind : str
        The kind.
    source, target : Checksum
        Of both stores, as they were compared.
    copied : Checksum
        Of the source, as it was read to be copied.
    written : int
        How many records were written into the target.
    """

    kind: str
    source: Checksum = field(default_factory=Checksum)
    target: Checksum = field(default_factory=Checksum)
    copied: Checksum = field(default_factory=Checksum)
    written: int = 0

    @property
    def is_same(self) -> bool:
        """Whether both stores have the same."""
        return self.source == self.target


def side_by_side(entity: Entity[_T], source: Store, target: Store) -> Iterator[tuple[list[_T], list[_T]]]:
    """Walk through an entity in two stores at once, in bounded memory.

    Parameters
    ----------
    entity : Entity
        What to read.
    source, target : Store
        The stores.

    Yields
    ------
    tuple of two lists
        What the source and the target have at each place in the order of the entity.
    """

    def labelled(rows: Iterable[_T], side: int) -> Iterator[tuple[Any, int, _T]]:
        return ((entity.order(row), side, row) for row in rows)

    def place(labelled_row: tuple[Any, int, _T]) -> Any:  # noqa: ANN401 - whatever the entity is ordered by
        return labelled_row[0]

    rows = merge(labelled(entity.read(source), 0), labelled(entity.read(target), 1), key=place)
    for _, group in groupby(rows, key=place):
        found: tuple[list[_T], list[_T]] = ([], [])
        for _, side, row in group:
            found[side].append(row)
        yield found
