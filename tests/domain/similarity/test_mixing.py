"""Spaces of several ingredients, and what the parts of a track tell."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learning.libraries import MIXED, halves_of, make_mixed, make_music, make_table, tiny
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.recipe import Rotation
from soundalike.domain.similarity.statistics import Scale, Sums
from soundalike.domain.snapshot import LibraryTable, TrackParts


def only(table: LibraryTable, number: int, columns: list[int]) -> LibraryTable:
    """Some features of one set, as a library of their own."""
    width = len(table.schemas[0])
    own = np.array(columns)
    alone = make_table(table.summaries[:, own + number * width])
    return LibraryTable(
        schemas=alone.schemas,
        track_ids=alone.track_ids,
        summaries=alone.summaries,
        parts=(table.parts[number].select(own),),
        genres=alone.genres,
        artists=alone.artists,
    )


def test_points_of_ingredients_stand_side_by_side_multiplied_by_their_weights() -> None:
    table = make_mixed(200)
    placed = fit_locally(MIXED, table).transform(table.summaries)
    alone = [only(table, 0, [0, 2, 4]), only(table, 1, list(range(8))), only(table, 0, [1, 3, 5])]
    expected = [
        each.weight * fit_locally(tiny().fitted_by(each.fitting), one).transform(one.summaries)
        for each, one in zip(MIXED.ingredients, alone, strict=True)
    ]
    np.testing.assert_array_equal(placed, np.concatenate(expected, axis=1))


def test_one_ingredient_of_weight_1_is_the_space_of_its_set_to_the_bit() -> None:
    """As it was computed before there were recipes, when a track had two halves."""
    table = make_music(300)
    (fitted,) = fit_locally(tiny(rotation=Rotation.WITHIN, strength=0.5), table).maps
    scaled = (table.summaries.astype(np.float64) - fitted.mean) / fitted.scale
    expected = (scaled @ fitted.weights.astype(np.float64) + fitted.offset).astype(np.float32)
    np.testing.assert_array_equal(
        fit_locally(tiny(rotation=Rotation.WITHIN, strength=0.5), table).transform(table.summaries), expected
    )
    scale = Scale(mean=np.zeros(6), scale=np.ones(6), clip=None)
    first, second = (half.astype(np.float64) for half in halves_of(table))
    difference = first - second
    sums = Sums.of(scale, table.summaries, table.parts[0])
    np.testing.assert_array_equal(sums.within, difference.T @ difference / (2 * len(table)))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_within_is_the_pooled_covariance_of_the_parts_of_tracks(counts: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(sum(counts), 3)).astype(np.float32)
    parts = TrackParts(values, np.array(counts, dtype=np.int64))
    scale = Scale(mean=np.zeros(3), scale=np.ones(3), clip=None)
    sums = Sums.of(scale, np.zeros((len(counts), 3), np.float32), parts)
    of_tracks = np.split(values.astype(np.float64), np.cumsum(counts)[:-1])
    several = [one for one in of_tracks if len(one) > 1]
    scatter = sum((np.cov(one, rowvar=False) * (len(one) - 1) for one in several), np.zeros((3, 3)))
    freedom = sum(max(count - 1, 0) for count in counts)
    np.testing.assert_allclose(sums.within, scatter / max(freedom, 1), atol=1e-9)
    assert sums.freedom == freedom


def test_without_parts_a_rotation_within_tracks_leaves_the_axes_as_they_are() -> None:
    table = make_music(50)
    bare = LibraryTable(
        schemas=table.schemas,
        track_ids=table.track_ids,
        summaries=table.summaries,
        parts=(TrackParts(np.empty((0, 6), np.float32), np.zeros(50, np.int64)),),
        genres=table.genres,
        artists=table.artists,
    )
    (fitted,) = fit_locally(tiny(rotation=Rotation.WITHIN, strength=1.0), bare).maps
    np.testing.assert_array_equal(fitted.weights, np.eye(6, dtype=np.float32))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_parts_follow_their_tracks(counts: list[int], random: Random) -> None:
    owners = np.repeat(np.arange(len(counts)), counts).astype(np.float32)[:, None]
    rows = np.array(sorted(range(len(counts)), key=lambda _: random.random()))
    taken = TrackParts(owners, np.array(counts, dtype=np.int64)).of(rows)
    assert taken.values[:, 0].tolist() == np.repeat(rows, [counts[row] for row in rows]).tolist()
    assert taken.counts.tolist() == [counts[row] for row in rows]
