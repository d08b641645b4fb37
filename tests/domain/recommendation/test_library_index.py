import numpy as np
import pytest

from domain.recommendation.toy_library import build_index, scatter
from soundalike.domain.recommendation.library_index import DAMPING, DUPLICATE_SHARE, count_hubness, damp_hubs
from soundalike.domain.types import TrackId


def test_the_spread_is_the_median_distance_of_two_tracks() -> None:
    index = build_index({"a": [0.0], "b": [1.0], "c": [3.0]})
    assert index.spread == 2.0  # of 1, 2 and 3


def test_the_duplicate_threshold_is_a_share_of_the_distance_to_the_fifth_neighbour() -> None:
    index = build_index({name: [float(number)] for number, name in enumerate("abcdefghi")}, k=8)
    assert index.duplicate_thresholds.tolist() == pytest.approx(
        [DUPLICATE_SHARE * each for each in (5, 4, 3, 3, 3, 3, 3, 4, 5)]
    )


def test_in_a_small_library_it_is_a_share_of_the_distance_to_the_median_neighbour() -> None:
    index = build_index({name: [float(number)] for number, name in enumerate("abcde")}, k=9)
    assert index.duplicate_thresholds.tolist() == pytest.approx(
        [DUPLICATE_SHARE * each for each in (3, 2, 2, 2, 3)]
    )


def test_a_tenth_of_random_pairs_is_near() -> None:
    index = build_index(scatter(200))
    points = index.coordinates
    away = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(200, 1)]
    assert (away <= index.near_distance).mean() == pytest.approx(0.1, abs=0.01)


def test_hubness_counts_how_often_a_track_is_a_neighbour() -> None:
    # Nearest: b of a, a of b, b of c.
    neighbours = build_index({"a": [0.0], "b": [1.0], "c": [3.0]}, k=1).artefact.neighbours.rows
    assert count_hubness(neighbours).tolist() == [1.0, 2.0, 0.0]


def test_only_hubs_are_damped() -> None:
    damped = damp_hubs(np.array([0.0, 1.0, 16.0], dtype=np.float32))
    assert damped.tolist() == pytest.approx([1.0, 1.0, 16.0**-DAMPING])
    assert build_index({"a": [0.0], "b": [1.0], "c": [3.0]}, k=1).damping.tolist() == pytest.approx(
        [1.0, 2.0**-DAMPING, 1.0]
    )


def test_a_track_without_neighbours_is_its_own_nearest() -> None:
    index = build_index({"a": [0.0]}, k=2)
    assert index.nearest_rows.tolist() == [[0, 0]]
    assert index.damping.tolist() == [1.0]


@pytest.mark.parametrize("points", [{"a": [2.0]}, {"a": [2.0], "b": [2.0]}])
def test_if_all_tracks_are_at_one_point_the_spread_is_one(points: dict[str, list[float]]) -> None:
    index = build_index(points)
    assert index.spread == 1.0
    assert 0 < index.duplicate_thresholds.max() < 1e-3


def test_rows_are_found_by_id_and_unknown_ids_are_left_out() -> None:
    index = build_index({"a": [0.0], "b": [1.0]})
    assert index.rows_of([TrackId("b"), TrackId("nobody"), TrackId("a")]).tolist() == [1, 0]


def test_lifted_coordinates_have_their_squared_length() -> None:
    assert build_index({"a": [3.0, 4.0], "b": [0.0, 1.0]}).lifted.tolist() == [[3, 4, 25, 1], [0, 1, 1, 1]]
