"""Copying everything in one store into another, of any kind: one loop over `ENTITIES`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from soundalike.domain.errors import CopyError, StoreBusyError
from soundalike.domain.ports.library import OnProgress, Store
from soundalike.services.entities import ENTITIES
from soundalike.services.entities.entity import Entity, Record
from soundalike.services.store_copy.checksums import KindReport, side_by_side

Stage = Callable[[str], AbstractContextManager[OnProgress]]
"""Opens a stage of the work by its name; yields the callable that takes its progress."""

_SHOWN = 3
_STEP = 200
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class CopyReport:
    """The result of a copy, as read back from both sides; `problem` is empty where they are the same."""

    kinds: tuple[KindReport, ...]
    problem: str = ""


class Copier:
    """Copies a store into one that is empty, or has what an interrupted copy of it left.

    Entities are written in the order of their table. Its last, roots, is a seal: it is written once all else
    was read back and is the same. So a store that has roots is whole, and is never written to.

    Parameters
    ----------
    source, target : Store
        From where, and to where.
    names : tuple of str
        What people know them by, without secrets.
    entities : sequence of Entity
        Everything that a store has.
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
        self._kinds = {kind: KindReport(kind) for entity in entities for kind in entity.kinds}
        self._differing: list[str] = []
        self._differing_count = 0

    def copy(self, stage: Stage) -> CopyReport:
        """Copy everything and compare both sides; what is there and the same is not written again.

        Raises
        ------
        CopyError
            If there is nothing to copy, or the target has something else; nothing is written then.
        StoreError
            If either store fails, with the name of what is damaged; copying may go on later.
        """
        source, target = self._names
        if not any(_has_any(self._source, entity) for entity in (self._seal, *self._contents)):
            msg = f"{source} is empty; is it the right store?"
            raise CopyError(msg)
        if _has_any(self._target, self._seal):
            self._compare_whole(stage)
            problem = ""
        else:
            with stage(f"Checking what is in {target}"):
                foreign = list(islice(self._foreign(self._contents), _SHOWN))
            if foreign:
                what = f"{target} has what is not from {source}: {', '.join(foreign)}"
                msg = f"{what}; nothing was written, choose an empty store"
                raise CopyError(msg)
            for entity in self._contents:
                self._copy(entity, stage)
            for entity in self._contents:
                self._compare(entity, stage)
            problem = self._problem()
        if not problem:
            self._copy(self._seal, stage)
        self._compare(self._seal, stage)
        kinds = tuple(self._kinds.values())
        if not problem and not all(kind.is_same for kind in kinds):
            problem = self._changed()
        return CopyReport(kinds, problem)

    def _compare_whole(self, stage: Stage) -> None:
        """Compare with a target that has roots: it is the finished copy, or something else."""
        source, target = self._names
        for entity in self._contents:
            self._compare(entity, stage)
        for name in self._foreign([self._seal]):
            self._differ([name])
        if self._differing:
            msg = (
                f"{target} has a whole library, and not the one that {source} has now: {self._listed()} "
                "differ; nothing was written, choose an empty store"
            )
            raise CopyError(msg)

    def _problem(self) -> str:
        """Say why the two sides are not the same; nothing where they are."""
        source, target = self._names
        kinds = [self._kinds[kind] for entity in self._contents for kind in entity.kinds]
        if any(kind.copied != kind.source for kind in kinds):
            return self._changed()
        if not self._differing:
            return ""
        return (
            f"{target} is not the same as {source}: {self._listed()} differ; run the same command again, "
            "while nothing else uses either"
        )

    def _changed(self) -> str:
        return (
            f"{self._names[0]} changed while it was copied; run the same command again to copy what changed, "
            "best while no player uses it"
        )

    def _foreign(self, entities: Sequence[Entity[Any]]) -> Iterator[str]:
        """Name what the target has and no copy of the source can have left there."""
        for entity in entities:
            if not _has_any(self._target, entity):
                continue  # without going through the source
            for mine, theirs in side_by_side(entity, self._source, self._target):
                known = set(_records(entity, mine))
                for one in theirs:
                    records = entity.records(one)
                    if not known.issuperset(records) and not entity.is_from(self._source, one):
                        yield records[0].name

    def _copy(self, entity: Entity[Any], stage: Stage) -> None:
        """Write what the target lacks of an entity, and remove what the source no longer has."""
        with stage(f"Copying {entity.kind}") as progress:
            missing: list[Any] = []
            for mine, theirs in self._walk(entity, progress):
                found = {entity.key_of(one): entity.records(one) for one in mine}
                copied = {entity.key_of(one): entity.records(one) for one in theirs}
                for one in theirs:
                    if entity.key_of(one) not in found:
                        _patiently(partial(entity.remove, self._source, self._target, one))
                for record in (record for records in found.values() for record in records):
                    self._kinds[record.kind].copied.add(record)
                for one in mine:
                    if copied.get(key := entity.key_of(one)) != found[key]:
                        missing.append(one)
                    if len(missing) == entity.batch:
                        self._write(entity, missing)
                        missing = []
            self._write(entity, missing)

    def _write(self, entity: Entity[Any], missing: Sequence[Any]) -> None:
        if missing:
            _patiently(partial(entity.write, self._target, missing))
        for record in _records(entity, missing):
            self._kinds[record.kind].written += 1

    def _compare(self, entity: Entity[Any], stage: Stage) -> None:
        """Read back an entity from both sides."""
        with stage(f"Comparing {entity.kind}") as progress:
            for mine, theirs in self._walk(entity, progress):
                records, others = _records(entity, mine), _records(entity, theirs)
                for record in records:
                    self._kinds[record.kind].source.add(record)
                for record in others:
                    self._kinds[record.kind].target.add(record)
                if records != others:
                    self._differ(sorted({record.name for record in {*records} ^ {*others}}))

    def _walk(self, entity: Entity[Any], progress: OnProgress) -> Iterator[tuple[list[Any], list[Any]]]:
        total = entity.count(self._source)
        for done, found in enumerate(side_by_side(entity, self._source, self._target), start=1):
            yield found
            if done % _STEP == 0:
                progress(done, max(done, total))

    def _differ(self, names: Sequence[str]) -> None:
        self._differing_count += len(names)
        self._differing = [*self._differing, *names][:_SHOWN]

    def _listed(self) -> str:
        rest = self._differing_count - len(self._differing)
        return ", ".join(self._differing) + (f" and {rest:,} more" if rest else "")


def _has_any(store: Store, entity: Entity[Any]) -> bool:
    return any(True for _ in islice(entity.read(store), 1))


def _records(entity: Entity[Any], found: Sequence[Any]) -> list[Record]:
    return [record for one in found for record in entity.records(one)]


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
