import numpy as np
import pytest
from threadpoolctl import threadpool_info

from soundalike.domain.similarity.exact import ExactSearch, exact_neighbours
from soundalike.domain.similarity.space import Neighbours
from soundalike.learning import numpy_engine
from soundalike.learning.numpy_engine import find_neighbours


def test_threads_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(900, 5)).astype(np.float32)
    monkeypatch.setattr(numpy_engine, "_ROWS_PER_TASK", 100)
    found, expected = find_neighbours(points, 6), exact_neighbours(points, 6)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.distances, expected.distances)


def test_products_side_by_side_have_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    before = blas_threads()
    during = []

    def nearest(_search: ExactSearch, queries: np.ndarray) -> Neighbours:
        during.append(blas_threads())
        return Neighbours(np.zeros((len(queries), 1), np.int32), np.zeros((len(queries), 1), np.float32))

    monkeypatch.setattr(ExactSearch, "nearest", nearest)
    find_neighbours(np.zeros((3, 2), dtype=np.float32), 1)
    assert [set(each) for each in during] == [{1}]
    assert blas_threads() == before


def blas_threads() -> list[int]:
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
