import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artefact_store import brute_neighbours
from domain.similarity.points import POINTS, spread_of
from soundalike.domain.similarity import exact
from soundalike.domain.similarity.exact import ExactSearch, exact_neighbours
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


@pytest.mark.parametrize("order", ["as it is", "corrected"])
def test_blocks_panels_and_groups_change_nothing(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(2).normal(size=(500, 6)).astype(np.float32)
    points[400:] = points[:100]
    spread = spread_of(points) if order == "corrected" else None
    whole = exact_neighbours(points, 7, spread=spread)
    for name, value in {
        "_BLOCK_ROWS": 30,
        "_PANEL_ROWS": 120,
        "_GROUP": 4,
        "_MOST_GROUPS": 9,
        "_MEASURED": 50,
    }.items():
        monkeypatch.setattr(exact, name, value)
    parts = exact_neighbours(points, 7, spread=spread)
    np.testing.assert_array_equal(parts.rows, whole.rows)
    np.testing.assert_array_equal(parts.distances, whole.distances)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.integers(1, 40), st.integers(1, 9), st.integers(1, 40), st.integers(1, 7))
def test_however_points_are_divided_the_nearest_are_found(
    points: FloatArray, k: int, block: int, panel: int, group: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_BLOCK_ROWS", block)
        patch.setattr(exact, "_PANEL_ROWS", panel)
        patch.setattr(exact, "_GROUP", group)
        check(points, k)


def test_most_neighbours_in_one_group_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group is what stands as many rows apart as there are groups: 16, of 4 rows each."""
    monkeypatch.setattr(exact, "_GROUP", 4)
    points = np.random.default_rng(4).normal(size=(64, 3)).astype(np.float32)
    points[5::16] = points[5] + np.float32(1e-3) * np.arange(4)[:, None] ** 2
    check(points, 3)


def test_all_are_duplicates_and_memory_stays_bounded() -> None:
    """Every row is as near as any other, so that none can be left out early."""
    points = np.ones((4_000, 4), dtype=np.float32)
    tracemalloc.start()
    found = exact_neighbours(points, 50, queries=np.arange(256))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows[200].tolist() == list(range(50))
    assert peak < 64e6


def test_queries_may_be_some_rows_only() -> None:
    points = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)
    some = exact_neighbours(points, 4, queries=np.array([49, 7]))
    np.testing.assert_array_equal(some.rows, exact_neighbours(points, 4).rows[[49, 7]])


@pytest.mark.parametrize("count", [0, 1])
def test_without_other_tracks_there_are_no_neighbours(count: int) -> None:
    found = exact_neighbours(np.zeros((count, 3), dtype=np.float32), 2)
    assert found.rows.tolist() == [[-1, -1]] * count
    assert np.isinf(found.distances).all()


def test_a_search_is_as_large_as_its_points_where_it_is_sent() -> None:
    points = np.random.default_rng(0).normal(size=(1_000, 8)).astype(np.float32)
    search = ExactSearch(points, 5)
    assert len(pickle.dumps(search)) < 1.1 * points.nbytes
    again, expected = copy.copy(search).nearest(np.arange(1_000)), exact_neighbours(points, 5)
    np.testing.assert_array_equal(again.rows, expected.rows)
    np.testing.assert_array_equal(again.distances, expected.distances)
