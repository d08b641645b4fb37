"""The corrected order is held against scipy's normal distribution."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from domain.similarity.points import POINTS, spread_of
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.types import FloatArray


def corrected(points: FloatArray, spread: FloatArray) -> npt.NDArray[np.float32]:
    """1 - P(X > d | i) P(X > d | j) of all pairs, a row infinitely far from itself."""
    away = np.linalg.norm(points[:, None].astype(np.float64) - points, axis=2)
    mean, deviation = spread.astype(np.float64).T
    nearer = norm.cdf(away, mean[:, None], deviation[:, None])
    found = nearer + nearer.T - nearer * nearer.T
    np.fill_diagonal(found, np.inf)
    return np.asarray(found, dtype=np.float32)


def check(points: FloatArray, k: int, spread: FloatArray) -> None:
    found = exact_neighbours(points, k, spread=spread)
    away = corrected(points, spread)
    order = np.argsort(away, axis=1, kind="stable")[:, : min(k, len(points) - 1)]
    expected = np.take_along_axis(away, order, axis=1)
    np.testing.assert_allclose(found.distances[:, : order.shape[1]], expected, rtol=1e-5, atol=1e-30)
    # Two normal distributions may differ in the last digit; where distances differ by more, so do rows.
    row, column = np.nonzero(found.rows[:, : order.shape[1]] != order)
    swapped = away[row, found.rows[row, column]]
    np.testing.assert_allclose(swapped, expected[row, column], rtol=1e-5, atol=1e-30)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.integers(1, 40), st.floats(0.5, 2))
def test_the_corrected_order_is_that_of_sorting_all_probabilities(
    points: FloatArray, k: int, factor: float
) -> None:
    spread = spread_of(points) + np.float32(0.5)
    spread[::2, 1] *= np.float32(factor)
    check(points, k, spread)


def test_a_pair_that_is_further_than_all_others_is_found_too() -> None:
    """Its distance is 1, as if nothing could be further."""
    points = np.concatenate([np.random.default_rng(3).normal(size=(70, 2)), [[50, 50], [60, 60]]])
    points = points.astype(np.float32)
    check(points, 70, spread_of(points) * np.array([1, 0.1], dtype=np.float32))


@pytest.mark.parametrize("count", [300, 3_000])
def test_near_pairs_of_many_rows_keep_their_order(count: int) -> None:
    """With every probability near 0, where 1 - (1 - a)(1 - b) would be rounded."""
    rng = np.random.default_rng(count)
    points = rng.normal(size=(count, 12)).astype(np.float32)
    points[: count // 10] *= np.float32(0.1)
    check(points, 20, spread_of(points))


def test_a_hub_is_the_neighbour_of_fewer() -> None:
    """Points in many dimensions: those near the middle are near to most others."""
    points = np.random.default_rng(0).normal(size=(600, 40)).astype(np.float32)
    counts = [
        np.bincount(exact_neighbours(points, 10, spread=spread).rows.ravel(), minlength=600).max()
        for spread in (None, spread_of(points))
    ]
    assert counts[1] < counts[0] / 3


def test_duplicates_come_first_by_row_number() -> None:
    points = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)
    points[[7, 9, 30]] = points[7]
    found = exact_neighbours(points, 2, spread=spread_of(points))
    assert found.rows[7].tolist() == [9, 30]
    assert found.rows[9].tolist() == [7, 30]


def test_a_track_that_is_as_far_from_all_others_has_neighbours_too() -> None:
    points = np.eye(5, dtype=np.float32)
    spread = np.tile(np.array([np.sqrt(2), 0], dtype=np.float32), (5, 1))
    found = exact_neighbours(points, 2, spread=spread)
    assert found.rows[3].tolist() == [0, 1]
    assert np.isfinite(found.distances).all()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_where_all_tracks_are_the_same_they_are_equally_near(count: int) -> None:
    points = np.ones((count, 3), dtype=np.float32)
    found = exact_neighbours(points, 2, spread=np.zeros((count, 2), dtype=np.float32))
    expected = [[-1, -1]] if count == 1 else [[1, 2], [0, 2], [0, 1], [0, 1]][:count]
    assert found.rows.tolist() == expected
