"""Two stores side by side: walked through in one order, counted, summed up and compared."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import Any, TypeVar

from soundalike.domain.ports.library import Progress, Store
from soundalike.services.entities import DIGEST_BYTES, Entity, Record

Stage = Callable[[str], AbstractContextManager[Progress]]
"""Opens a stage of the work by its name, and gives the callable that is told how far it is."""

SHOWN = 3
"""How many names a message has."""

_STEP = 500

_T = TypeVar("_T")


@dataclass(slots=True)
class Checksum:
    """How many records there are of a kind, and the sum of their digests, which has no order."""

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
class Comparison:
    """Checksums of two stores by kind, and what differs between them: how much, and names of some."""

    source: dict[str, Checksum] = field(default_factory=dict)
    target: dict[str, Checksum] = field(default_factory=dict)
    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, entity: Entity[Any], stores: tuple[Store, Store], progress: Progress) -> None:
        """Read all that two stores have of an entity."""
        sums = (self.source, self.target)
        for side in sums:
            side |= {kind: Checksum() for kind in entity.kinds}
        total = entity.count(stores[0])
        for done, found in enumerate(side_by_side(entity, *stores), start=1):
            records = [[record for one in rows for record in entity.records(one)] for rows in found]
            for side, of_side in zip(sums, records, strict=True):
                for record in of_side:
                    side[record.kind].add(record)
            if records[0] != records[1]:
                names = sorted({record.name for record in set(records[0]) ^ set(records[1])})
                self.count += len(names)
                self.names += names[: SHOWN - len(self.names)]
            if done % _STEP == 0:
                progress(done, max(done, total))


def side_by_side(entity: Entity[_T], source: Store, target: Store) -> Iterator[tuple[list[_T], list[_T]]]:
    """Walk through an entity in two stores at once; yield what each has at every place in its order."""

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
