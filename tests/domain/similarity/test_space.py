import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike.domain.similarity.space import AffineMap, SimilaritySpace
from soundalike.domain.types import FloatArray


def make_space(
    *,
    mean: list[float],
    scale: list[float],
    clip: float | None = None,
    weights: list[list[float]] | None = None,
    offset: list[float] | None = None,
    is_unit_length: bool = False,
) -> SimilaritySpace:
    matrix = np.eye(len(mean)) if weights is None else np.array(weights)
    only = AffineMap(
        columns=np.arange(len(mean)),
        mean=np.array(mean, dtype=np.float32),
        scale=np.array(scale, dtype=np.float32),
        clip=clip,
        weights=matrix.astype(np.float32),
        offset=np.array(offset or [0.0] * matrix.shape[1], dtype=np.float32),
        is_unit_length=is_unit_length,
    )
    return SimilaritySpace((only,))


def points(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def test_scales_clips_rotates_and_shifts_in_that_order() -> None:
    space = make_space(mean=[1, 2], scale=[2, 4], clip=1, weights=[[0, 1], [2, 0]], offset=[10, 20])
    # (5-1)/2 = 2 is cut to 1, (4-2)/4 = 0.5; turned: [2*0.5, 1]; shifted.
    np.testing.assert_allclose(space.transform(points([5, 4])), [[11, 21]])


def test_a_constant_feature_maps_to_zero() -> None:
    space = make_space(mean=[3, 0], scale=[0, 1])
    np.testing.assert_array_equal(space.transform(points([3, 1], [99, 2])), [[0, 1], [0, 2]])


def test_unit_length_makes_distance_depend_on_direction_alone() -> None:
    space = make_space(mean=[0, 0], scale=[1, 1], is_unit_length=True)
    placed = space.transform(points([1, 1], [5, 5], [0, 0]))
    np.testing.assert_allclose(placed[0], placed[1], rtol=1e-6)
    np.testing.assert_array_equal(placed[2], [0, 0])


def test_coordinates_are_read_only() -> None:
    space = make_space(mean=[0], scale=[1])
    with pytest.raises(ValueError, match="read-only"):
        space.transform(points([1]))[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        space.maps[0].mean[0] = 2


@given(arrays(np.float32, (7, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_a_track_has_the_same_coordinates_alone_as_among_others(vectors: FloatArray) -> None:
    space = make_space(mean=[1, 2, 3], scale=[3, 0, 5], weights=[[1, 2], [3, 4], [5, 6]], is_unit_length=True)
    together = space.transform(vectors)
    alone = np.concatenate([space.transform(row[np.newaxis]) for row in vectors])
    np.testing.assert_allclose(alone, together, atol=1e-6)
