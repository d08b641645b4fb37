import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.similarity.candidates_contract import CandidateIndexContract
from domain.similarity.points import POINTS
from soundalike.domain.similarity.candidates import ExactIndex
from soundalike.domain.types import FloatArray


class TestExactIndex(CandidateIndexContract):
    """Misses none."""

    least_recall = 1.0

    def make_index(self, coordinates: FloatArray) -> ExactIndex:
        return ExactIndex(coordinates)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.integers(1, 40))
def test_an_exact_index_finds_all_that_are_as_near_as_the_kth(points: FloatArray, k: int) -> None:
    found = ExactIndex(points).nearest(points[:1], k)
    away = np.linalg.norm(points.astype(np.float64) - points[0], axis=1)
    bound = np.sort(away)[min(k, len(points)) - 1]
    assert set(np.flatnonzero(away <= bound)) <= set(found.tolist())


def test_points_that_nearly_meet_far_from_the_middle_are_all_found() -> None:
    """|a|² - 2ab in float32 cannot tell them apart, so all are returned."""
    points = (1_000 + np.array([[0.0], [1e-3], [2e-3], [900.0]])).astype(np.float32)
    assert {0, 1} <= set(ExactIndex(points).nearest(points[:1], 2).tolist())
