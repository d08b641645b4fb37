"""What every `CandidateIndex` keeps, exact or not; an adapter's suite inherits it."""

import numpy as np
import pytest

from soundalike.domain.similarity.candidates import CandidateIndex
from soundalike.domain.types import FloatArray

LEAST_RECALL = 0.95


class CandidateIndexContract:
    """Give `make_index`, and the recall that the index promises, if it is more than the contract's."""

    least_recall = LEAST_RECALL

    def make_index(self, coordinates: FloatArray) -> CandidateIndex:
        raise NotImplementedError

    @pytest.mark.parametrize("k", [1, 10, 100, 1_000])
    @pytest.mark.parametrize("spread", [0.05, 0.4, 3.0], ids=["tight", "clusters", "one cloud"])
    def test_it_finds_nearly_all_of_the_nearest(self, k: int, spread: float) -> None:
        points, queries = clusters(4_000, spread), clusters(40, spread, seed=1)
        index = self.make_index(points)
        recalls = []
        for query in queries:
            true = np.argsort(((points.astype(np.float64) - query) ** 2).sum(axis=1), kind="stable")[:k]
            recalls.append(np.isin(true, index.nearest(query[np.newaxis], k)).mean())
        assert np.mean(recalls) >= self.least_recall

    def test_the_nearest_of_several_points_come_together(self) -> None:
        points = clusters(2_000, 0.4)
        index = self.make_index(points)
        together = index.nearest(points[[3, 900, 1_700]], 20)
        alone = [index.nearest(points[[row]], 20) for row in (3, 900, 1_700)]
        assert np.isin(np.concatenate(alone), together).mean() >= self.least_recall

    def test_rows_ascend_and_each_comes_once(self) -> None:
        points = clusters(500, 0.4)
        found = self.make_index(points).nearest(points[[7, 7, 8]], 30)
        assert (np.diff(found) > 0).all()
        assert found.dtype == np.int32

    @pytest.mark.parametrize("k", [50, 51, 10_000])
    def test_of_k_tracks_or_fewer_all_are_returned(self, k: int) -> None:
        points = clusters(50, 0.4)
        assert self.make_index(points).nearest(points[:1], k).tolist() == list(range(50))

    def test_the_same_points_give_the_same_rows(self) -> None:
        points = clusters(1_000, 0.4)
        one, other = self.make_index(points), self.make_index(points)
        np.testing.assert_array_equal(one.nearest(points[:3], 50), other.nearest(points[:3], 50))


def clusters(count: int, spread: float, *, seed: int = 0) -> FloatArray:
    """Return points of length 1 around eight centres."""
    centres = np.random.default_rng(99).normal(size=(8, 16))
    rng = np.random.default_rng(seed)
    points = centres[rng.integers(8, size=count)] + spread * rng.normal(size=(count, 16))
    found: FloatArray = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    return found
