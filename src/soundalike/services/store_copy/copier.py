"""Copying all that one store holds into another, whatever keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from soundalike.domain.errors import CopyError
from soundalike.domain.ports.library import Store
from soundalike.services.lineage import is_empty, strangers
from soundalike.services.store_copy.checksums import Stage, Stock, differences, take_stock, tally_roots
from soundalike.services.store_copy.records import Kind
from soundalike.services.store_copy.transfer import Transfer

_NAMED = 3
_ALL_BUT_ROOTS = [kind for kind in Kind if kind is not Kind.ROOTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindReport:
    """What there is of one kind on both sides, and how much of it was written now."""

    kind: Kind
    source_count: int
    target_count: int
    source_checksum: str
    target_checksum: str
    written: int

    @property
    def is_same(self) -> bool:
        """Whether both sides hold the same."""
        return (self.source_count, self.source_checksum) == (self.target_count, self.target_checksum)


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy came to, as read back from both sides; `problem` is empty where they are the same."""

    kinds: tuple[KindReport, ...]
    problem: str = ""


class Copier:
    """Copies a store into one that holds nothing, or what an interrupted copy of it left.

    Accounts come first, so that a half-copied store never looks like one that anybody may use; roots come
    last, once all else was read back and is the same. So a store that has roots is whole, and is
    never written to.

    Parameters
    ----------
    source, target : Store
        From where, and to where.
    names : tuple of str
        What people know them by, without secrets.
    """

    def __init__(self, source: Store, target: Store, *, names: tuple[str, str]) -> None:
        self._source = source
        self._target = target
        self._names = names
        self._transfer = Transfer(source, target)

    def copy(self, stage: Stage) -> CopyReport:
        """Copy everything and compare both sides; what is there and the same is not written again.

        Raises
        ------
        CopyError
            If there is nothing to copy, or the target holds something else; nothing is written then.
        StoreError
            If either store fails, with the name of what is damaged; copying may go on later.
        """
        source, target = self._names
        if is_empty(self._source):
            msg = f"{source} holds nothing; is it the right one?"
            raise CopyError(msg)
        if self._target.roots():
            return self._compare_whole(stage)
        with stage(f"Looking at {target}"):
            others = list(islice(strangers(self._source, self._target), _NAMED))
        if others:
            msg = (
                f"{target} holds what is not from {source}: {_listed(others)}; nothing was written, "
                "choose an empty one"
            )
            raise CopyError(msg)
        self._transfer.copy(stage)
        stocks = self._take_stocks(stage)
        return self._seal(stocks, self._problem(stocks))

    def _compare_whole(self, stage: Stage) -> CopyReport:
        """Compare with a target that has roots: it is the copy, finished, or something else."""
        source, target = self._names
        stocks = self._take_stocks(stage)
        wrong = self._wrong(stocks, _ALL_BUT_ROOTS)
        roots, copied = set(self._source.roots()), set(self._target.roots())
        if wrong or not copied <= roots:
            others = [f"root {root.name!r}" for root in copied - roots]
            names = [*others, *(name for kind in wrong for name in self._named(stocks, kind))]
            msg = (
                f"{target} holds a whole library, and not the one that {source} is now: {_listed(names)} "
                "differ; nothing was written, choose an empty one"
            )
            raise CopyError(msg)
        return self._seal(stocks, "")

    def _seal(self, stocks: tuple[Stock, Stock], problem: str) -> CopyReport:
        """Write the roots if all else is the same, and report."""
        if not problem:
            copied = self._target.roots()
            for root in self._source.roots():
                if root not in copied:
                    self._target.save_root(root)
                    self._transfer.written[Kind.ROOTS] += 1
        stores = (self._source, self._target)
        mine, theirs = (
            {**stock, Kind.ROOTS: tally_roots(store)} for stock, store in zip(stocks, stores, strict=True)
        )
        kinds = tuple(self._kind_report((mine, theirs), kind) for kind in Kind)
        if not problem and not all(kind.is_same for kind in kinds):
            problem = self._changed()
        return CopyReport(kinds, problem)

    def _problem(self, stocks: tuple[Stock, Stock]) -> str:
        """Say why the two sides are not the same; nothing where they are."""
        source, target = self._names
        if any(self._transfer.read[kind] != stocks[0][kind] for kind in _ALL_BUT_ROOTS):
            return self._changed()
        names = [name for kind in self._wrong(stocks, _ALL_BUT_ROOTS) for name in self._named(stocks, kind)]
        if not names:
            return ""
        return (
            f"{target} is not the same as {source}: {_listed(names)} differ; run the same command again, "
            "while nothing else uses either"
        )

    def _changed(self) -> str:
        return (
            f"{self._names[0]} changed while it was copied; run the same command again to copy what changed, "
            "best while no player uses it"
        )

    def _wrong(self, stocks: tuple[Stock, Stock], kinds: Sequence[Kind]) -> list[Kind]:
        return [kind for kind in kinds if stocks[0][kind] != stocks[1][kind]]

    def _named(self, stocks: tuple[Stock, Stock], kind: Kind) -> list[str]:
        """Name what differs of a kind that does; the kind itself where it no longer does."""
        return differences(self._source, self._target, stocks, kind) or [kind.value]

    def _kind_report(self, stocks: tuple[Stock, Stock], kind: Kind) -> KindReport:
        mine, theirs = stocks[0][kind], stocks[1][kind]
        return KindReport(
            kind=kind,
            source_count=mine.count,
            target_count=theirs.count,
            source_checksum=mine.checksum,
            target_checksum=theirs.checksum,
            written=self._transfer.written[kind],
        )

    def _take_stocks(self, stage: Stage) -> tuple[Stock, Stock]:
        source, target = self._names
        return take_stock(self._source, stage, whose=source), take_stock(self._target, stage, whose=target)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
