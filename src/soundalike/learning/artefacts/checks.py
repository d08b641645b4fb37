"""What the arrays of an artefact must be, before they are used."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.groups import GroupColumns
from soundalike.domain.similarity.space import SimilaritySpace

Arrays = Mapping[str, npt.NDArray[Any]]


def check_arrays(
    arrays: Arrays, space: SimilaritySpace, groups: Sequence[GroupColumns], size: tuple[int, int]
) -> None:
    """Check shapes, types and numbers.

    Parameters
    ----------
    arrays : mapping of str to array
        By the name of their file.
    space : SimilaritySpace
        Made of some of them.
    groups : sequence of GroupColumns
        Columns of the array of group vectors.
    size : tuple of (int, int)
        How many tracks, and neighbours of each.

    Raises
    ------
    ValueError
        If anything is wrong.
    """
    _check_shapes(arrays, space, groups, size)
    for name, array in arrays.items():
        if name not in {"neighbours", "distances"} and not np.isfinite(array).all():
            refuse(f"{name}.npy has numbers that are not finite")
        if name.startswith("scale_") and (array < 0).any():
            refuse(f"{name}.npy has negative numbers")
    _check_neighbours(arrays["neighbours"], arrays["distances"])


def refuse(why: str) -> NoReturn:
    """Raise `ValueError`."""
    raise ValueError(why)


def _check_shapes(
    arrays: Arrays, space: SimilaritySpace, groups: Sequence[GroupColumns], size: tuple[int, int]
) -> None:
    tracks, k = size
    expected: dict[str, tuple[int, ...]] = {
        "neighbours": (tracks, k),
        "distances": (tracks, k),
        "group_vectors": (tracks, groups[-1].stop if groups else 0),
        "distance_spread": (tracks, 2),
    }
    width = 0
    for number, each in enumerate(space.maps):
        own = int(arrays[f"weights_{number}"].shape[-1])
        features = len(each.columns)
        expected |= {
            f"mean_{number}": (features,),
            f"scale_{number}": (features,),
            f"weights_{number}": (features, own),
            f"offset_{number}": (own,),
        }
        width += own
    expected["coordinates"] = (tracks, width)
    for name, array in arrays.items():
        kind = np.dtype(np.int32 if name == "neighbours" else np.float32)
        if array.shape != expected[name] or array.dtype != kind:
            refuse(f"{name}.npy is {array.dtype} of {array.shape}, not {kind} of {expected[name]}")
    edges = [0, *(group.stop for group in groups)]
    if any(not (start == group.start < group.stop) for start, group in zip(edges[:-1], groups, strict=True)):
        refuse("its groups are not side by side")


def _check_neighbours(rows: npt.NDArray[np.int32], distances: npt.NDArray[np.float32]) -> None:
    tracks = len(rows)
    if (rows < -1).any() or (rows >= tracks).any() or (rows == np.arange(tracks)[:, None]).any():
        refuse("neighbours.npy has rows outside the library, or a track as its own neighbour")
    if not (distances >= 0).all() or (np.isinf(distances) != (rows == -1)).any():
        refuse("distances.npy does not fit neighbours.npy")
    if (distances[:, 1:] < distances[:, :-1]).any():
        refuse("distances.npy is not sorted along its rows")
