"""Checks that two engines learn the same."""

import numpy as np

from domain.similarity.points import spread_of
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import Neighbours, SimilaritySpace
from soundalike.domain.snapshot import LibraryTable, Snapshot
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots


def assert_learns_the_same(
    engine: SimilarityEngine, recipe: Recipe, library: LibraryTable, snapshot: Snapshot
) -> None:
    """Check that an engine learns the same from a snapshot as NumPy."""
    local = LocalEngine(ParquetSnapshots())
    ours, theirs = local.fit(recipe, snapshot), engine.fit(recipe, snapshot)
    assert_same_space(ours, theirs)
    expected, found = local.neighbours(ours, snapshot, k=10), engine.neighbours(theirs, snapshot, k=10)
    coordinates = ours.transform(library.summaries)
    assert_same_neighbours(expected, found, coordinates)
    spread = spread_of(coordinates)
    corrected = (each.neighbours(ours, snapshot, k=10, spread=spread) for each in (local, engine))
    expected, found = corrected
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.distances, expected.distances)


def assert_same_space(ours: SimilaritySpace, theirs: SimilaritySpace) -> None:
    for our, their in zip(ours.maps, theirs.maps, strict=True):
        for name in ("mean", "scale", "weights", "offset"):
            np.testing.assert_allclose(getattr(their, name), getattr(our, name), rtol=1e-5, atol=1e-5)
        assert (our.clip, our.is_unit_length, our.factor) == (their.clip, their.is_unit_length, their.factor)
        np.testing.assert_array_equal(our.columns, their.columns)


def assert_same_neighbours(expected: Neighbours, found: Neighbours, coordinates: np.ndarray) -> None:
    is_none = expected.rows == -1
    np.testing.assert_array_equal(found.rows == -1, is_none)
    np.testing.assert_allclose(found.distances[~is_none], expected.distances[~is_none], atol=1e-5)
    # Where two distances differ by more than 1e-5, the order is the same: the distance from a track
    # to the i-th neighbour of one engine is its distance to the i-th of the other.
    differs = found.rows != expected.rows
    places = coordinates.astype(np.float64)
    row, column = np.nonzero(differs)
    apart = np.linalg.norm(places[found.rows[row, column]] - places[row], axis=1)
    np.testing.assert_allclose(apart, expected.distances[row, column], atol=1e-5)
