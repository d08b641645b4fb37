import numpy as np

from domain.recommendation.toy_library import blob, build_index
from soundalike.domain.recommendation.medoids import choose_medoids, sample_rows


def test_each_medoid_represents_another_part_of_the_library() -> None:
    index = build_index(blob("a", 20, 0, 0) | blob("b", 10, 50, 0) | blob("c", 5, 0, 50))
    first = [index.artefact.track_ids[row][0] for row in index.medoids[:3]]
    assert set(first) == {"a", "b", "c"}


def test_an_outlier_comes_after_what_represents_many() -> None:
    index = build_index(blob("a", 20, 0, 0) | blob("b", 20, 8, 0) | {"far": [0.0, 60.0]})
    order = [index.artefact.track_ids[row] for row in index.medoids]
    assert order.index("far") >= 1
    assert order[0] != "far"


def test_the_first_medoid_is_nearest_to_all() -> None:
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]], dtype=np.float32)
    # Sums of distances: 16, 13, 12, 13, 34.
    assert choose_medoids(line)[0] == 2


def test_no_track_is_chosen_twice_even_if_all_are_equal() -> None:
    medoids = choose_medoids(np.ones((7, 2), dtype=np.float32))
    assert sorted(medoids) == list(range(7))


def test_a_large_library_is_sampled_evenly() -> None:
    assert sample_rows(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert sample_rows(3, 5).tolist() == [0, 1, 2]
    assert len(choose_medoids(np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32))) == 128


def test_an_empty_library_has_no_medoids() -> None:
    assert len(choose_medoids(np.zeros((0, 3), dtype=np.float32))) == 0
