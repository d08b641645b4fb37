import numpy as np
import pytest

from soundalike.domain.similarity.distances import pairwise_distances, row_distances

POINTS = np.array([[0.0, 0.0], [3.0, 4.0]], dtype=np.float32)


def test_all_pairs_are_measured() -> None:
    assert pairwise_distances(POINTS, POINTS).tolist() == [[0.0, 5.0], [5.0, 0.0]]


def test_rows_are_measured_to_rows_or_to_one_point() -> None:
    assert row_distances(POINTS, POINTS[::-1]).tolist() == [5.0, 5.0]
    assert row_distances(POINTS, POINTS[0]).tolist() == [0.0, 5.0]


def test_rows_far_from_the_origin_are_measured_exactly() -> None:
    far = np.array([[1e6, 1e6]], dtype=np.float32)
    near_it = far + np.array([[0.0, 0.25]], dtype=np.float32)
    assert row_distances(far, near_it)[0] == 0.25
    assert pairwise_distances(far, near_it)[0, 0] == pytest.approx(0.25, abs=0.05)
