import pickle

import numpy as np
import pytest

from domain.similarity.candidates_contract import LEAST_RECALL, CandidateIndexContract, clusters
from domain.similarity.points import spread_of
from soundalike.domain.similarity import cells
from soundalike.domain.similarity.cells import CellIndex, CellSearch, in_row_order, search_of
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.exact import ExactSearch, exact_neighbours
from soundalike.domain.types import FloatArray


class TestCellIndex(CandidateIndexContract):
    """Misses a few."""

    def make_index(self, coordinates: FloatArray) -> CellIndex:
        return CellIndex(coordinates)


def test_of_tight_clusters_few_tracks_are_compared() -> None:
    points = clusters(4_000, 0.05)
    assert len(CellIndex(points).nearest(points[:1], 10)) < 1_000


@pytest.mark.parametrize("order", ["as it is", "corrected"])
def test_a_search_by_cells_finds_nearly_all_neighbours(order: str) -> None:
    points = clusters(1_000, 0.4)
    spread = spread_of(points) if order == "corrected" else None
    search = CellSearch(points, 10, spread=spread)
    found = search.nearest(search.order)
    expected = exact_neighbours(points, 10, queries=search.order, spread=spread)
    assert recall_at_k(found.rows, expected.rows) >= LEAST_RECALL
    is_same = found.rows == expected.rows
    np.testing.assert_allclose(found.distances[is_same], expected.distances[is_same], rtol=1e-6)
    assert (found.rows != search.order[:, None]).all()
    assert sorted(search.order.tolist()) == list(range(1_000))


def test_duplicates_in_one_cell_have_neighbours() -> None:
    search = CellSearch(np.ones((500, 3), dtype=np.float32), 5)
    found = search.nearest(np.array([0, 499]))
    assert [len(set(rows) - {own}) for rows, own in zip(found.rows.tolist(), [0, 499], strict=True)] == [5, 5]
    assert (found.distances == 0).all()


def test_a_row_has_the_same_neighbours_whatever_others_are_asked_for() -> None:
    """So that both engines find the same, however they divide the rows."""
    points = np.random.default_rng(5).normal(size=(2_000, 8)).astype(np.float32)
    search = CellSearch(points, 10)
    whole = search.nearest(search.order)
    parts = [search.nearest(part) for part in np.array_split(search.order, 7)]
    np.testing.assert_array_equal(np.concatenate([part.rows for part in parts]), whole.rows)
    np.testing.assert_array_equal(np.concatenate([part.distances for part in parts]), whole.distances)


@pytest.mark.parametrize("count", [20, 60])
def test_few_tracks_have_as_many_neighbours_as_there_are(count: int) -> None:
    points = clusters(count, 0.4)
    search = CellSearch(points, 19)
    found = in_row_order(search.order, [search.nearest(search.order)], k=19)
    assert recall_at_k(found.rows, exact_neighbours(points, 19).rows) >= LEAST_RECALL
    assert (found.rows >= 0).all()


def test_up_to_a_million_tracks_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    points = clusters(100, 0.4)
    monkeypatch.setattr(cells, "MOST_EXACT", 100)
    assert isinstance(search_of(points, 5), ExactSearch)
    monkeypatch.setattr(cells, "MOST_EXACT", 99)
    assert isinstance(search_of(points, 5), CellSearch)


@pytest.mark.parametrize("kind", [ExactSearch, CellSearch])
def test_a_search_can_be_sent_to_other_processes(kind: type[ExactSearch | CellSearch]) -> None:
    points = clusters(300, 0.4)
    search = kind(points, 4)
    expected = search.nearest(search.order)
    sent = pickle.loads(pickle.dumps(search))  # noqa: S301 - pickled here
    np.testing.assert_array_equal(sent.nearest(sent.order).rows, expected.rows)
