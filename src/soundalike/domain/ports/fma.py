"""The port of the Free Music Archive's files of metadata."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema
from soundalike.domain.fma import BadRow, FmaTrack
from soundalike.domain.types import FloatArray


class FmaMetadata(Protocol):
    """A folder with FMA's files, each of which may be missing; nothing in them is fatal."""

    @property
    def files(self) -> Sequence[str]:
        """The names of the files that are there."""

    @property
    def missing(self) -> Sequence[str]:
        """The names of those of FMA's files that are not."""

    def tracks(self) -> Iterator[FmaTrack | BadRow]:
        """Yield every track once, in bounded memory, and all that is wrong with the rows.

        Raises
        ------
        FmaError
            If a file cannot be read, or has not the columns of FMA's.
        """

    def feature_set(self) -> FeatureSchema | None:
        """Return which of `FMA_SETS` there is, None without a file of features.

        Raises
        ------
        FmaError
            If the file has none of them.
        """

    def features(self, schema: FeatureSchema) -> Iterator[tuple[npt.NDArray[np.int64], FloatArray] | BadRow]:
        """Yield FMA's ids of n tracks with their features, shape (n, len(schema)), some hundred at a time.

        Parameters
        ----------
        schema : FeatureSchema
            What `feature_set` returned.
        """
