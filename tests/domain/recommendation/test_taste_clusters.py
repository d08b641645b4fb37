import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.domain.recommendation.taste_clusters import (
    TasteClusters,
    find_taste_clusters,
    merge_into_tastes,
)
from soundalike.domain.types import FloatArray


def points_of(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def ones(count: int) -> FloatArray:
    return np.ones(count, dtype=np.float32)


def test_few_points_are_a_cluster_each() -> None:
    clusters = find_taste_clusters(points_of([0.0], [5.0]), ones(2), limit=3)
    assert clusters.centroids.tolist() == [[0.0], [5.0]]
    assert clusters.cluster_of.tolist() == [0, 1]
    assert clusters.variances.tolist() == [0.0, 0.0]


def test_many_points_are_clustered_by_weight() -> None:
    points = points_of([0.0], [2.0], [100.0], [106.0])
    clusters = find_taste_clusters(points, np.array([1, 1, 1, 2], dtype=np.float32), limit=2)
    order = np.argsort(clusters.centroids[:, 0])
    assert clusters.centroids[order, 0].tolist() == pytest.approx([1.0, 104.0])
    assert clusters.weights[order].tolist() == [2.0, 3.0]
    # Squared distances 1 and 1; 16 once and 4 twice.
    assert clusters.variances[order].tolist() == pytest.approx([1.0, 8.0])
    assert clusters.centroids[clusters.cluster_of[3], 0] == pytest.approx(104.0)


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 1000))
def test_no_weight_is_lost_and_no_cluster_is_empty(count: int, limit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, size=(count, 2)).astype(np.float32)
    weights = rng.uniform(0.1, 3, size=count).astype(np.float32)
    clusters = find_taste_clusters(points, weights, limit=limit)
    assert 1 <= len(clusters) <= limit or len(clusters) == count
    assert clusters.weights.sum() == pytest.approx(weights.sum(), rel=1e-4)
    assert set(clusters.cluster_of.tolist()) == set(range(len(clusters)))


def loose(*places: float, variances: float = 0.0) -> TasteClusters:
    points = points_of(*([place] for place in places))
    return TasteClusters(points, ones(len(places)), ones(len(places)) * variances, np.arange(len(places)))


def test_distant_clusters_are_several_tastes() -> None:
    assert merge_into_tastes(loose(0.0, 10.0, 0.5, 10.5), apart=5.0).tolist() == [0, 1, 0, 1]


def test_close_clusters_are_one_taste() -> None:
    assert merge_into_tastes(loose(0.0, 1.0, 2.0), apart=5.0).tolist() == [0, 0, 0]


def test_the_distance_of_two_tastes_is_the_mean_over_their_tracks() -> None:
    # 0 and 4 are 4 apart; but the tracks behind them are so on average, squared, 16 + 9 + 9.
    assert merge_into_tastes(loose(0.0, 4.0, variances=9.0), apart=5.0).tolist() == [0, 1]
    assert merge_into_tastes(loose(0.0, 4.0, variances=9.0), apart=6.0).tolist() == [0, 0]


def test_too_many_tastes_are_merged_anyway() -> None:
    assert merge_into_tastes(loose(0.0, 100.0, 210.0), apart=1.0, most=2).tolist() == [0, 0, 1]


def test_no_clusters_are_no_tastes() -> None:
    nothing = np.zeros((0, 2), dtype=np.float32)
    assert merge_into_tastes(find_taste_clusters(nothing, ones(0), limit=3), apart=1.0).tolist() == []
