import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import OAS

from learning.libraries import halves_of, make_music, make_table, tiny
from soundalike.domain.errors import TooFewTracksError
from soundalike.domain.similarity.fitting import fit_locally, partial_whitening, shrink
from soundalike.domain.similarity.judging import FITTINGS
from soundalike.domain.similarity.recipe import Columns, Fitting, Recipe, Rotation, Scaling
from soundalike.domain.similarity.statistics import Scale, TableStatistics
from soundalike.domain.types import FloatArray

ALL = Columns(0, np.arange(6), np.arange(6))


def placed(recipe: Recipe, whole: npt.ArrayLike) -> FloatArray:
    table = make_table(whole)
    return fit_locally(recipe, table).transform(table.summaries)


def test_min_max_maps_the_library_onto_0_to_1_and_constants_to_0() -> None:
    where = placed(tiny(scaling=Scaling.MIN_MAX), [[1, 7, 10], [3, 7, 20], [2, 7, 40]])
    expected = [[0.0, 0.0, 0.0], [1.0, 0.0, 1 / 3], [0.5, 0.0, 1.0]]
    np.testing.assert_allclose(where, expected, atol=1e-6)


def test_standardising_divides_by_n_minus_1() -> None:
    where = placed(tiny(), [[1, 7], [3, 7]])
    np.testing.assert_allclose(where, [[-(0.5**0.5), 0], [0.5**0.5, 0]], atol=1e-6)


def test_a_feature_that_differs_by_rounding_is_constant() -> None:
    third = np.float32(1 / 3)
    where = placed(tiny(), [[third, 0], [np.nextafter(third, np.float32(1)), 1]])
    assert (where[:, 0] == 0).all()


def test_clipping_bounds_outliers() -> None:
    where = placed(tiny(clip=1.0), [[0.0], [0.0], [0.0], [9.0]])
    assert where.max() == 1


def test_full_whitening_gives_uncorrelated_features_of_variance_1() -> None:
    table = make_music(5000)
    where = fit_locally(tiny(rotation=Rotation.WHITEN, strength=1.0), table).transform(table.summaries)
    np.testing.assert_allclose(np.cov(where, rowvar=False), np.eye(6), atol=0.05)
    np.testing.assert_allclose(where.mean(axis=0), 0, atol=1e-4)


def test_whitening_within_makes_the_halves_differ_evenly() -> None:
    table = make_music(5000)
    space = fit_locally(tiny(rotation=Rotation.WITHIN, strength=1.0), table)
    first, second = halves_of(table)
    stray = space.transform(first) - space.transform(second)
    # Two halves stray from their mean with variance 1 each: their difference has 2.
    np.testing.assert_allclose(stray.T @ stray / len(table), 2 * np.eye(6), atol=0.1)


def test_half_strength_is_between_none_and_full() -> None:
    covariance = np.diag([16.0, 1.0])
    np.testing.assert_allclose(partial_whitening(covariance, 0.0), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(partial_whitening(covariance, 0.5), np.diag([0.5, 1.0]), atol=1e-12)
    np.testing.assert_allclose(partial_whitening(covariance, 1.0), np.diag([0.25, 1.0]), atol=1e-12)


@given(st.integers(0, 1000), st.sampled_from([0.25, 0.5, 1.0]))
def test_each_component_s_largest_entry_is_positive(seed: int, strength: float) -> None:
    mixing = np.random.default_rng(seed).normal(size=(5, 5))
    weights = partial_whitening(mixing @ mixing.T, strength)
    largest = np.abs(weights).argmax(axis=0)
    assert (weights[largest, np.arange(5)] > 0).all()


@pytest.mark.parametrize("count", [3, 10, 96, 1000])
def test_shrinks_like_the_reference(count: int) -> None:
    # scikit-learn takes the covariance by n and drops the same small terms (eq. 23 of the paper).
    rng = np.random.default_rng(count)
    data = rng.normal(size=(count, 8)) @ rng.normal(size=(8, 8))
    data -= data.mean(axis=0)
    covariance = data.T @ data / count
    fitted = OAS(assume_centered=True).fit(data)
    trace, square = np.trace(covariance), (covariance**2).mean()
    mean_variance = trace / 8
    share = (square + mean_variance**2) / ((count + 1) * (square - mean_variance**2 / 8))
    assert fitted.shrinkage_ == pytest.approx(min(1.0, share))
    ours = shrink(covariance, count)
    off = ~np.eye(8, dtype=bool)
    ratio = ours[off] / covariance[off]
    assert np.ptp(ratio) < 1e-9
    assert 1 - ratio.mean() == pytest.approx(fitted.shrinkage_, abs=0.1)
    assert np.trace(ours) == pytest.approx(trace)


def test_little_evidence_leaves_the_axes_as_they_are() -> None:
    np.testing.assert_array_equal(shrink(np.zeros((3, 3)), 1), np.eye(3))
    single = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert np.linalg.cond(shrink(single, 2)) < np.linalg.cond(shrink(single, 50))


@pytest.mark.parametrize("fitting", FITTINGS, ids=lambda fitting: fitting.title)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_smallest_libraries_have_a_space_too(fitting: Fitting, count: int) -> None:
    table = make_music(count, width=44)
    assert np.isfinite(fit_locally(tiny().fitted_by(fitting), table).transform(table.summaries)).all()


def test_equal_tracks_are_at_one_point() -> None:
    for fitting in FITTINGS:
        assert np.ptp(placed(tiny().fitted_by(fitting), [[1, 2, 3]] * 4), axis=0).tolist() == [0, 0, 0]


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(TooFewTracksError, match="soundalike extract"):
        fit_locally(tiny(), make_music(0))


@settings(max_examples=20)
@given(st.integers(1, 39))
def test_sums_of_parts_are_the_sums_of_all(cut: int) -> None:
    table = make_music(40)
    scale = Scale(mean=np.ones(6), scale=np.array([2.0, 0, 3, 4, 5, 6]), clip=2.0)
    blocks = [table.of(np.arange(cut)), table.of(np.arange(cut, 40))]
    whole = TableStatistics(table, lambda: [table]).sums(scale, ALL)
    joined = TableStatistics(table, lambda: blocks).sums(scale, ALL)
    np.testing.assert_allclose(joined.covariance, whole.covariance, atol=1e-12)
    np.testing.assert_allclose(joined.within, whole.within, atol=1e-12)
    np.testing.assert_allclose(
        whole.covariance, np.cov(scale.apply(table.summaries), rowvar=False), atol=1e-9
    )


@pytest.mark.parametrize("clip", [None, 1.0])
def test_fitting_scales_like_the_space(clip: float | None) -> None:
    table = make_table(np.column_stack([make_music(40).summaries, np.full(40, 7)]))
    space = fit_locally(tiny(clip=clip), table)
    (fitted,) = space.maps
    scale = Scale(mean=fitted.mean.astype(float), scale=fitted.scale.astype(float), clip=clip)
    np.testing.assert_allclose(scale.apply(table.summaries), space.transform(table.summaries), atol=1e-6)
