"""Each track's scaled features, family by family: what reasons compare."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema
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


def group_vectors(schema: FeatureSchema, scaled: npt.NDArray[np.float64]) -> GroupVectors:
    """Put the features of each family side by side.

    Parameters
    ----------
    schema : FeatureSchema
        Names the families.
    scaled : array, shape (n, len(schema))
        Features as `SimilaritySpace.scale_features` scales them.
    """
    groups, order = _columns(schema)
    return GroupVectors(groups, scaled[:, order].astype(np.float32))


def _columns(schema: FeatureSchema) -> tuple[tuple[GroupColumns, ...], list[int]]:
    """Return the families, and the features in the order of their columns."""
    groups: list[GroupColumns] = []
    order: list[int] = []
    for group in dict.fromkeys(schema.groups):
        own = [column for column, name in enumerate(schema.groups) if name == group]
        groups.append(GroupColumns(schema.name, group, len(order), len(order) + len(own)))
        order += own
    return tuple(groups), order
