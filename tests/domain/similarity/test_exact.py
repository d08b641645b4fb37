import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artefact_store import brute_neighbours
from domain.similarity.points import POINTS
from soundalike.domain.similarity import exact
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.types import FloatArray


def check(points: FloatArray, k: int) -> None:
    """Rows and distances as sorting all distances gives them, ties by row."""
    found, expected = exact_neighbours(points, k), brute_neighbours(points, k)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.integers(1, 40))
def test_finds_what_sorting_all_distances_finds(points: FloatArray, k: int) -> None:
    check(points, k)


def test_close_pairs_far_from_the_middle_keep_their_order() -> None:
    """|a|² + |b|² - 2ab in float32 would see all of them at distance 0."""
    offsets = np.array([[0.0], [1.0], [2.5], [4.5], [7.0]]) * 1e-3
    rng = np.random.default_rng(0)
    points = np.concatenate([100 + offsets, -100 + rng.normal(size=(50, 1))]).astype(np.float32)
    check(points, 4)
    assert exact_neighbours(points, 4).rows[0].tolist() == [1, 2, 3, 4]


def test_more_duplicates_than_neighbours_come_by_row_number() -> None:
    points = np.ones((300, 8), dtype=np.float32)
    found = exact_neighbours(points, 3)
    assert found.rows[0].tolist() == [1, 2, 3]
    assert found.rows[299].tolist() == [0, 1, 2]
    assert (found.distances == 0).all()


def test_an_outlier_changes_nothing() -> None:
    points = np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32)
    points[17] = 1e6
    check(points, 5)


def test_numbers_whose_squares_overflow_float32_are_still_compared() -> None:
    check(np.array([[1e20], [2e20], [4e20], [-1e30]], dtype=np.float32), 3)


def test_blocks_and_samples_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(2).normal(size=(500, 6)).astype(np.float32)
    points[400:] = points[:100]
    whole = exact_neighbours(points, 7)
    monkeypatch.setattr(exact, "_BLOCK_ENTRIES", 3000)
    monkeypatch.setattr(exact, "_SAMPLE", 40)
    parts = exact_neighbours(points, 7)
    np.testing.assert_array_equal(parts.rows, whole.rows)
    np.testing.assert_array_equal(parts.distances, whole.distances)


def test_queries_may_be_some_rows_only() -> None:
    points = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)
    some = exact_neighbours(points, 4, queries=np.array([49, 7]))
    np.testing.assert_array_equal(some.rows, exact_neighbours(points, 4).rows[[49, 7]])


@pytest.mark.parametrize("count", [0, 1])
def test_without_other_tracks_there_are_no_neighbours(count: int) -> None:
    found = exact_neighbours(np.zeros((count, 3), dtype=np.float32), 2)
    assert found.rows.tolist() == [[-1, -1]] * count
    assert np.isinf(found.distances).all()
