import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from soundalike.domain.similarity import evaluation as evaluating
from soundalike.domain.similarity.evaluation import (
    Estimate,
    halves_agreement,
    hubness,
    precision_at_k,
    recall_at_k,
)

LINE = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]], dtype=np.float32)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_labels_that_are_together_are_all_found() -> None:
    assert precision_at_k(LINE, list("aaabbb"), k=2, rng=rng()).value == 1


def test_labels_that_are_apart_are_not_found() -> None:
    # Each 'a' has a 'b' nearer than the other 'a': 0 of 1 at k=1.
    points = np.array([[0.0], [1.0], [10.0], [11.0]], dtype=np.float32)
    assert precision_at_k(points, list("abab"), k=1, rng=rng()).value == 0


def test_a_small_class_is_judged_by_what_it_could_find() -> None:
    # Two of label a: the one other is found among 5, which is all there was to find.
    estimate = precision_at_k(LINE, list("aabbbb"), k=5, rng=rng())
    assert estimate.value == 1


def test_a_query_s_own_artist_is_left_out() -> None:
    labels = list("aabbab")
    artists = ["X", "X", "Y", "Z", "W", "V"]
    points = np.array([[0.0], [0.1], [1.0], [50.0], [2.0], [51.0]], dtype=np.float32)
    # Tracks 0 and 1 are by X: their nearest by others is track 2, of another genre.
    scores = precision_at_k(points, labels, k=1, artists=artists, rng=rng()).scores
    np.testing.assert_array_equal(scores, [0, 0, 0, 1, 0, 1])
    assert precision_at_k(points, labels, k=1, rng=rng()).scores[0] == 1


def test_unknown_artists_are_different_people() -> None:
    estimate = precision_at_k(LINE, list("aaabbb"), k=2, artists=[None] * 6, rng=rng())
    assert estimate.value == 1


def test_unlabelled_tracks_are_neither_queries_nor_candidates() -> None:
    labels = ["a", None, "a", "b", None, "b"]
    estimate = precision_at_k(LINE, labels, k=1, rng=rng())
    np.testing.assert_array_equal(estimate.scores, [1, 1, 1, 1])


def test_a_track_with_nothing_to_find_is_no_query() -> None:
    estimate = precision_at_k(LINE, ["a", "b", "b", "c", "d", "e"], k=2, rng=rng())
    assert len(estimate.scores) == 2
    assert precision_at_k(LINE, [None] * 6, k=2, rng=rng()).value == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_precision_is_what_the_definition_says(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(14, 2)).astype(np.float32)
    labels = random.choice(["x", "y", "z"], 14).tolist()
    artists = random.choice(["A", "B", "C", "D"], 14).tolist()
    expected = []
    for query in range(14):
        others = [i for i in range(14) if i != query and artists[i] != artists[query]]
        others.sort(key=lambda i: float(((points[i] - points[query]) ** 2).sum()))
        possible = min(k, sum(labels[i] == labels[query] for i in others))
        if possible:
            expected.append(sum(labels[i] == labels[query] for i in others[:k]) / possible)
    scores = precision_at_k(points, labels, k=k, artists=artists, rng=rng()).scores
    np.testing.assert_allclose(scores, expected)


def test_halves_that_find_each_other_score_1() -> None:
    assert halves_agreement(LINE, LINE + np.float32(0.1)).value == 1


def test_a_half_s_score_is_one_over_its_rank() -> None:
    first = np.array([[0.0], [1.0]], dtype=np.float32)
    second = np.array([[1.1], [1.2]], dtype=np.float32)
    # 0.0 finds 1.1 first, but 1.1 finds 1.0 before 0.0; 1.0 finds 1.1 before 1.2, but 1.2 finds 1.0 first.
    np.testing.assert_allclose(halves_agreement(first, second).scores, [0.75, 0.75])


def test_ties_count_against_a_space() -> None:
    same = np.zeros((5, 2), dtype=np.float32)
    assert halves_agreement(same, same).value == pytest.approx(1 / 5)


def test_queries_may_be_some_tracks_only() -> None:
    all_scores = halves_agreement(LINE, LINE[::-1]).scores
    some = halves_agreement(LINE, LINE[::-1], queries=np.array([4, 1]))
    np.testing.assert_array_equal(some.scores, all_scores[[4, 1]])


def test_blocks_and_samples_keep_to_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = list("aaabbb")
    whole = precision_at_k(LINE, labels, k=3, rng=rng()).scores
    halves = halves_agreement(LINE, LINE[::-1]).scores
    monkeypatch.setattr(evaluating, "_BLOCK_ENTRIES", 13)
    np.testing.assert_array_equal(precision_at_k(LINE, labels, k=3, rng=rng()).scores, whole)
    np.testing.assert_array_equal(halves_agreement(LINE, LINE[::-1]).scores, halves)
    monkeypatch.setattr(evaluating, "QUERY_LIMIT", 4)
    assert len(precision_at_k(LINE, labels, k=3, rng=rng()).scores) == 4


def test_recall_counts_what_was_found_of_what_there_was() -> None:
    exact = np.array([[1, 2], [0, 2], [0, -1]], dtype=np.int32)
    found = np.array([[2, 1], [2, -1], [1, -1]], dtype=np.int32)
    assert recall_at_k(found, exact) == 3 / 5
    assert recall_at_k(exact, exact) == 1
    nothing = np.full((3, 2), -1, dtype=np.int32)
    assert recall_at_k(nothing, exact) == 0
    assert recall_at_k(nothing, nothing) == 1


@given(st.integers(0, 10_000))
def test_hubness_is_the_skewness_of_how_often_tracks_are_neighbours(seed: int) -> None:
    neighbours = np.random.default_rng(seed).integers(-1, 20, size=(20, 5)).astype(np.int32)
    occurrences = np.bincount(neighbours[neighbours >= 0], minlength=20)
    assert hubness(neighbours) == pytest.approx(skew(occurrences), abs=1e-9)


def test_without_hubs_hubness_is_0() -> None:
    ring = np.array([[1], [2], [0]], dtype=np.int32)
    assert hubness(ring) == 0
    assert hubness(np.empty((0, 3), dtype=np.int32)) == 0


def test_an_estimate_has_a_standard_error() -> None:
    estimate = Estimate(np.array([0.0, 1.0, 1.0, 0.0]))
    assert estimate.value == 0.5
    assert estimate.standard_error == pytest.approx(np.sqrt(1 / 3) / 2)
    assert Estimate(np.array([1.0])).standard_error == float("inf")
    assert Estimate(np.empty(0)).value == 0
