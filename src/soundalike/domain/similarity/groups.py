"""Each track's scaled features, family by family: what reasons compare."""

from collections.abc import Sequence
from dataclasses import dataclass

from soundalike.domain.types import FloatArray


@dataclass(frozen=True, slots=True)
class GroupColumns:
    """Where the features of one family stand in `GroupVectors`.

    Parameters
    ----------
    feature_set : str
        Name of the set that has the family.
    group : str
        The family, such as ``"mfcc"``.
    start, stop : int
        Its first column, and the one after its last.
    """

    feature_set: str
    group: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class GroupVectors:
    """The features of every family, on the common scale of the space, for each track.

    Parameters
    ----------
    groups : tuple of GroupColumns
        The families, in the order of their columns.
    values : FloatArray, shape (n, c)
        Read-only; memory-mapped in a published artefact.
    """

    groups: tuple[GroupColumns, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        """Make the array read-only."""
        self.values.setflags(write=False)

    def of(self, group: GroupColumns) -> FloatArray:
        """Return the scaled features of one family, shape (n, stop - start)."""
        return self.values[:, group.start : group.stop]


def arrange_groups(columns: Sequence[tuple[str, str]]) -> tuple[tuple[GroupColumns, ...], list[int]]:
    """Put the columns of each family side by side.

    Parameters
    ----------
    columns : sequence of (str, str)
        The feature set and the family of each column.

    Returns
    -------
    groups : tuple of GroupColumns
        The families, and where they stand after that.
    order : list of int
        The column that stands at each place after that.
    """
    groups: list[GroupColumns] = []
    order: list[int] = []
    for feature_set, group in dict.fromkeys(columns):
        own = [place for place, column in enumerate(columns) if column == (feature_set, group)]
        groups.append(GroupColumns(feature_set, group, len(order), len(order) + len(own)))
        order += own
    return tuple(groups), order
