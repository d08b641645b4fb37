"""Copying everything in one store into another, of any kind: one loop over `ENTITIES`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from soundalike.domain.errors import CopyError, StoreBusyError
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.ports.library import OnProgress, Store
from soundalike.domain.types import LibraryId
from soundalike.services.entities import ENTITIES
from soundalike.services.entities.entity import Entity
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.library.library_id import name_library
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

    Before anything else, the target gets the id of the source's library and a mark that it is unfinished. The
    mark is lifted once all was read back and is the same. A finished copy is compared, and never written to.

    Parameters
    ----------
    source, target : Store
        From where, and to where.
    names : tuple of str
        What people know them by, without secrets.
    new_id : LibraryId
        The source's library gets it if it has no id yet.
    entities : sequence of Entity
        Everything that a store has.
    """

    def __init__(
        self,
        source: Store,
        target: Store,
        *,
        names: tuple[str, str],
        new_id: LibraryId,
        entities: Sequence[Entity[Any]] = ENTITIES,
    ) -> None:
        self._source = source
        self._target = target
        self._names = names
        self._new_id = new_id
        self._entities = entities
        self._kinds = {entity.kind: KindReport(entity.kind) for entity in entities}
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
        source, _ = self._names
        if not self._has_any(self._source):
            msg = f"{source} is empty; is it the right store?"
            raise CopyError(msg)
        mark = name_library(self._source, self._new_id)
        if mark.is_unfinished:
            msg = f"{source} is an unfinished copy itself; run the command that copied into it again first"
            raise CopyError(msg)
        problem = ""
        if self._target.library_mark() == mark and self._has_any(self._target):
            self._compare_finished(stage)
        else:
            self._mark_target(mark)
            settle_catalogue(self._source)  # so that both have the same successors once the target is settled
            for entity in self._entities:
                self._copy(entity, stage)
            for entity in self._entities:
                self._compare(entity, stage)
            problem = self._problem()
            if not problem:
                settle_catalogue(self._target)
                self._target.set_library_mark(mark, replacing=replace(mark, is_unfinished=True))
        return CopyReport(tuple(self._kinds.values()), problem)

    def _mark_target(self, mark: LibraryMark) -> None:
        """Mark the target as an unfinished copy, if it is empty or marked so already."""
        source, target = self._names
        unfinished = replace(mark, is_unfinished=True)
        found = self._target.library_mark()
        if found == unfinished:
            return
        if found.is_unfinished:
            what = f"{target} is an unfinished copy of another library than that of {source}"
        elif self._has_any(self._target):
            what = f"{target} has something that is not a copy of {source}"
        elif self._target.set_library_mark(unfinished, replacing=found):
            return
        else:
            what = f"{target} is in use by another process"
        msg = f"{what}; nothing was written, choose an empty store"
        raise CopyError(msg)

    def _compare_finished(self, stage: Stage) -> None:
        """Compare with a finished copy."""
        source, target = self._names
        for entity in self._entities:
            self._compare(entity, stage)
        if self._differing:
            msg = (
                f"{target} has the same library as {source}, which is a finished copy of it or the other way "
                f"round, and is not the same now: {self._listed()} differ; nothing was written, choose an "
                "empty store"
            )
            raise CopyError(msg)

    def _has_any(self, store: Store) -> bool:
        return any(True for entity in self._entities for _ in islice(entity.read(store), 1))

    def _problem(self) -> str:
        """Say why the two sides are not the same; nothing where they are."""
        source, target = self._names
        if any(kind.copied != kind.source for kind in self._kinds.values()):
            return (
                f"{source} changed while it was copied; run the same command again to copy what changed, "
                "best while no player uses it"
            )
        if not self._differing:
            return ""
        return (
            f"{target} is not the same as {source}: {self._listed()} differ; run the same command again, "
            "while nothing else uses either"
        )

    def _copy(self, entity: Entity[Any], stage: Stage) -> None:
        """Write what the target lacks of an entity, and remove what the source no longer has."""
        with stage(f"Copying {entity.kind}") as progress:
            missing: list[Any] = []
            for mine, theirs in self._walk(entity, progress):
                found = {entity.key_of(one): entity.record(one) for one in mine}
                copied = {entity.key_of(one): entity.record(one) for one in theirs}
                for one in theirs:
                    if entity.key_of(one) not in found:
                        _patiently(partial(entity.remove, self._source, self._target, one))
                for record in found.values():
                    self._kinds[entity.kind].copied.add(record)
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
        self._kinds[entity.kind].written += len(missing)

    def _compare(self, entity: Entity[Any], stage: Stage) -> None:
        """Read back an entity from both sides."""
        report = self._kinds[entity.kind]
        with stage(f"Comparing {entity.kind}") as progress:
            for mine, theirs in self._walk(entity, progress):
                records, others = list(map(entity.record, mine)), list(map(entity.record, theirs))
                for record in records:
                    report.source.add(record)
                for record in others:
                    report.target.add(record)
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
