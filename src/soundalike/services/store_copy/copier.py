"""Copying all that one store has into another, whatever keeps them: one loop over `ENTITIES`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from soundalike.domain.errors import CopyError, StoreBusyError
from soundalike.domain.ports.library import Store
from soundalike.services.entities import ENTITIES, Entity
from soundalike.services.store_copy.checksums import SHOWN, Checksum, Comparison, Stage, side_by_side

_STEP = 200
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KindReport:
    """What there is of one kind of record on both sides, and how much of it was written now."""

    kind: str
    source_count: int
    target_count: int
    source_checksum: str
    target_checksum: str
    written: int

    @property
    def is_same(self) -> bool:
        """Whether both sides have the same."""
        return (self.source_count, self.source_checksum) == (self.target_count, self.target_checksum)


@dataclass(frozen=True, slots=True)
class CopyReport:
    """The result of a copy, as read back from both sides; `problem` is empty where they are the same."""

    kinds: tuple[KindReport, ...]
    problem: str = ""


class Copier:
    """Copies a store into one that is empty, or has what an interrupted copy of it left.

    Entities are written in the order of their table: accounts first, so that a half-copied store never looks
    like one without accounts, which anybody may use; roots last, as a seal, once all else was read back
    and is the same. So a store that has roots is whole, and is never written to.

    Parameters
    ----------
    source, target : Store
        From where, and to where.
    names : tuple of str
        What people know them by, without secrets.
    entities : sequence of Entity
        All that a store keeps, in the order in which it is copied; the last is the seal.
    """

    def __init__(
        self,
        source: Store,
        target: Store,
        *,
        names: tuple[str, str],
        entities: Sequence[Entity[Any]] = ENTITIES,
    ) -> None:
        self._source = source
        self._target = target
        self._names = names
        *self._contents, self._seal = entities
        self._kinds = [kind for entity in entities for kind in entity.kinds]
        self._read: dict[str, Checksum] = {}
        self._written = dict.fromkeys(self._kinds, 0)

    def copy(self, stage: Stage) -> CopyReport:
        """Copy everything and compare both sides; what is there and the same is not written again.

        Raises
        ------
        CopyError
            If there is nothing to copy, or the target has something else; nothing is written then.
        StoreError
            If either store fails, with the name of what is damaged; copying may go on later.
        """
        if not any(_has_any(self._source, entity) for entity in (self._seal, *self._contents)):
            msg = f"{self._names[0]} is empty; is it the right store?"
            raise CopyError(msg)
        if _has_any(self._target, self._seal):
            comparison, problem = self._compare_whole(stage), ""
        else:
            self._refuse_foreign(stage)
            for entity in self._contents:
                self._copy(entity, stage)
            comparison = self._compare(stage)
            problem = self._problem(comparison)
        if not problem:
            self._copy(self._seal, stage)
        comparison.add(self._seal, (self._source, self._target), _nowhere)
        kinds = tuple(self._kind_report(comparison, kind) for kind in self._kinds)
        if not problem and not all(kind.is_same for kind in kinds):
            problem = self._changed()
        return CopyReport(kinds, problem)

    # Before: what the target has

    def _refuse_foreign(self, stage: Stage) -> None:
        source, target = self._names
        with stage(f"Checking what is in {target}"):
            foreign = (name for entity in self._contents for name in self._foreign(entity))
            names = list(islice(foreign, SHOWN))
        if names:
            msg = (
                f"{target} has what is not from {source}: {', '.join(names)}; nothing was written, "
                "choose an empty store"
            )
            raise CopyError(msg)

    def _foreign(self, entity: Entity[Any]) -> Iterator[str]:
        """Name what the target has of an entity and no copy of the source can have left there."""
        if not _has_any(self._target, entity):
            return
        for mine, theirs in side_by_side(entity, self._source, self._target):
            known = {record for one in mine for record in entity.records(one)}
            for one in theirs:
                records = entity.records(one)
                if not known.issuperset(records) and not entity.is_from(self._source, one):
                    yield records[0].name

    def _compare_whole(self, stage: Stage) -> Comparison:
        """Compare with a target that has roots: it is the finished copy, or something else."""
        source, target = self._names
        comparison = self._compare(stage)
        foreign = list(self._foreign(self._seal))
        if foreign or comparison.count:
            names = _listed([*foreign, *comparison.names], len(foreign) + comparison.count)
            msg = (
                f"{target} has a whole library, and not the one that {source} has now: {names} "
                "differ; nothing was written, choose an empty store"
            )
            raise CopyError(msg)
        return comparison

    # Copying

    def _copy(self, entity: Entity[Any], stage: Stage) -> None:
        """Write what the target lacks of an entity, and remove what the source no longer has."""
        self._read |= {kind: Checksum() for kind in entity.kinds}
        with stage(f"Copying {entity.kinds[0]}") as progress:
            total = entity.count(self._source)
            missing: list[Any] = []
            for done, (mine, theirs) in enumerate(side_by_side(entity, self._source, self._target), start=1):
                missing += self._settle(entity, mine, theirs)
                while len(missing) >= entity.batch:
                    self._write(entity, missing[: entity.batch])
                    del missing[: entity.batch]
                if done % _STEP == 0:
                    progress(done, max(done, total))
            if missing:
                self._write(entity, missing)

    def _settle(self, entity: Entity[Any], mine: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
        """Remove what only the target has at a place; return what it lacks, or has otherwise."""
        found = {entity.key(one): entity.records(one) for one in mine}
        copied = {entity.key(one): entity.records(one) for one in theirs}
        for one in theirs:
            if entity.key(one) not in found:
                _patiently(partial(entity.remove, self._source, self._target, one))
        for record in (record for records in found.values() for record in records):
            self._read[record.kind].add(record)
        return [one for one in mine if copied.get(entity.key(one)) != found[entity.key(one)]]

    def _write(self, entity: Entity[Any], missing: Sequence[Any]) -> None:
        _patiently(partial(entity.write, self._target, missing))
        for record in (record for one in missing for record in entity.records(one)):
            self._written[record.kind] += 1

    # After: what both have

    def _compare(self, stage: Stage) -> Comparison:
        """Read back all but the seal from both sides."""
        comparison = Comparison()
        for entity in self._contents:
            with stage(f"Comparing {entity.kinds[0]}") as progress:
                comparison.add(entity, (self._source, self._target), progress)
        return comparison

    def _problem(self, comparison: Comparison) -> str:
        """Say why the two sides are not the same; nothing where they are."""
        source, target = self._names
        if self._read != comparison.source:
            return self._changed()
        if not comparison.count:
            return ""
        return (
            f"{target} is not the same as {source}: {_listed(comparison.names, comparison.count)} differ; "
            "run the same command again, while nothing else uses either"
        )

    def _changed(self) -> str:
        return (
            f"{self._names[0]} changed while it was copied; run the same command again to copy what changed, "
            "best while no player uses it"
        )

    def _kind_report(self, comparison: Comparison, kind: str) -> KindReport:
        mine, theirs = comparison.source[kind], comparison.target[kind]
        return KindReport(
            kind=kind,
            source_count=mine.count,
            target_count=theirs.count,
            source_checksum=mine.hex,
            target_checksum=theirs.hex,
            written=self._written[kind],
        )


def _has_any(store: Store, entity: Entity[Any]) -> bool:
    return any(True for _ in islice(entity.read(store), 1))


def _patiently(write: Callable[[], object]) -> None:
    """Write, however long what was killed before is still in the way.

    A server keeps the transaction of a client that is gone for a minute (MongoDB's
    ``transactionLifetimeLimitSeconds``), which is longer than a store waits.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(StoreBusyError):
            write()
            return
    write()


def _listed(names: Sequence[str], count: int) -> str:
    rest = count - min(len(names), SHOWN)
    return ", ".join(names[:SHOWN]) + (f" and {rest:,} more" if rest else "")


def _nowhere(_done: int, _total: int) -> None:
    """Show no progress."""
