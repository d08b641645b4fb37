import numpy as np
import pytest

from learning.libraries import halves_of, labelled, make_music, make_table, tiny
from soundalike.domain.similarity.judging import FITTINGS
from soundalike.domain.similarity.recipe import DEFAULT_FITTING, Fitting, Rotation
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.tuning import Objective
from soundalike.services.learning.tuning import tune_space

TINY = tiny()
DEFAULT = TINY.fitted_by(DEFAULT_FITTING)


def silent(done: int, total: int) -> None:
    assert done <= total


@pytest.mark.parametrize(
    ("genres", "artists", "objective"),
    [
        (["Rock", "Pop", "rock", "POP"], ["A", "B", "C", "D"], Objective.GENRE),
        (["Rock", "Pop", "Rock", "Pop"], ["Ólaf", "B", "olaf", "b"], Objective.HALVES),
    ],
)
def test_names_that_differ_in_case_or_marks_are_the_same(
    genres: list[str], artists: list[str], objective: Objective
) -> None:
    tuning = tune_space(TINY, labelled(40, genres, artists), fittings=[Fitting()], progress=silent)
    assert tuning.objective is objective


def test_few_tracks_get_the_default_recipe() -> None:
    tuning = tune_space(TINY, make_music(5), progress=silent)
    assert (tuning.objective, tuning.chosen, tuning.scores) == (Objective.NONE, DEFAULT, ())
    assert tune_space(TINY, make_music(0), progress=silent).chosen == DEFAULT


def drifting(count: int) -> LibraryTable:
    """Tracks that differ in two steady features, with six that drift within a track."""
    rng = np.random.default_rng(3)
    steady = rng.normal(size=(count, 2))
    drift = rng.normal(size=(2, count, 6))
    first, second = (np.hstack([steady + 0.02 * rng.normal(size=(count, 2)), part]) for part in drift)
    return make_table((first + second) / 2, halves=(first, second))


def test_halves_choose_what_reduces_features_that_drift() -> None:
    tuning = tune_space(TINY, drifting(150), progress=silent)
    assert tuning.objective is Objective.HALVES
    assert tuning.chosen.ingredients[0].fitting.rotation is Rotation.WITHIN
    score = {row.recipe: row.score for row in tuning.scores}
    assert score[tuning.chosen] > 2 * score[TINY.fitted_by(Fitting())]


def test_a_space_is_judged_by_tracks_that_it_was_not_fitted_on() -> None:
    """One outlier hides the features that separate tracks, in every space that is fitted on it."""
    rng = np.random.default_rng(0)
    telling, noise = rng.normal(size=(50, 10)), rng.normal(size=(2, 50, 1))
    telling[0] = 1e6
    first, second = (np.hstack([telling, part]) for part in noise)
    table = make_table((first + second) / 2, halves=(first, second))
    tuning = tune_space(TINY, table, fittings=[Fitting()], progress=silent)
    # It is left out of one fit in five: there all are found, elsewhere by chance alone.
    chance = float(np.mean(1 / np.arange(1, 51)))
    assert tuning.scores[0].score == pytest.approx(0.2 + 0.8 * chance, abs=0.06)


def test_halves_that_say_nothing_of_each_other_find_each_other_by_chance() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(2, 40, 30))
    noise = make_table((first + second) / 2, halves=(first, second))
    tuning = tune_space(TINY, noise, progress=silent)
    chance = np.mean(1 / np.arange(1, 41))
    assert all(abs(row.score - chance) < 0.05 for row in tuning.scores)
    # Of what differs by chance alone, the simplest is taken, though others seem better.
    assert max(row.score for row in tuning.scores) > tuning.scores[0].score
    assert tuning.chosen == TINY.fitted_by(FITTINGS[0])


def test_of_equally_good_recipes_the_simplest_is_chosen() -> None:
    rng = np.random.default_rng(0)
    coordinates = rng.normal(size=(60, 4)) * 10
    halves = (coordinates + 0.01 * rng.normal(size=(60, 4)), coordinates)
    assert tune_space(TINY, make_table(coordinates, halves=halves), progress=silent).chosen == TINY.fitted_by(
        FITTINGS[0]
    )


def test_genres_choose_what_brings_them_together() -> None:
    rng = np.random.default_rng(0)
    genre = np.arange(90) % 3
    # The genre is in a small feature; a large one that says nothing drowns it unless it is scaled.
    whole = np.column_stack([genre + 0.1 * rng.normal(size=90), rng.normal(size=90)])
    table = make_table(whole, genres=[f"g{n}" for n in genre], artists=[f"a{n}" for n in range(90)])
    tuning = tune_space(TINY, table, progress=silent)
    assert tuning.objective is Objective.GENRE
    assert len(tuning.scores) == len(FITTINGS)
    assert max(row.score for row in tuning.scores) > 0.9
    assert all(row.standard_error < 0.1 for row in tuning.scores)


def test_a_genre_is_not_found_by_its_artist_s_other_tracks() -> None:
    rng = np.random.default_rng(0)
    artist = np.arange(80) % 4
    # Each artist is apart from all others, and nearest to one of the other genre.
    whole = np.array([0.0, 1.0, 11.0, 10.0])[artist, None] + 0.01 * rng.normal(size=(80, 1))
    genres = [("rock", "pop")[number % 2] for number in artist]
    table = make_table(whole, genres=genres, artists=[f"a{number}" for number in artist])
    tuning = tune_space(TINY, table, fittings=[Fitting()], progress=silent)
    assert (tuning.objective, tuning.scores[0].score) == (Objective.GENRE, 0)


def test_the_same_seed_gives_the_same_table() -> None:
    table = drifting(60)
    first, second = (tune_space(TINY, table, seed=1, progress=silent) for _ in range(2))
    assert first == second


def test_the_same_music_gives_the_same_table_in_any_order() -> None:
    table = drifting(60)
    order = np.random.default_rng(0).permutation(60)
    first, second = halves_of(table)
    shuffled = make_table(table.summaries[order], halves=(first[order], second[order]))
    ours, theirs = (tune_space(TINY, each, progress=silent) for each in (table, shuffled))
    assert ours.chosen == theirs.chosen
    scores = ([row.score for row in tuning.scores] for tuning in (ours, theirs))
    np.testing.assert_allclose(next(scores), next(scores), atol=1e-9)


def test_progress_ends_with_all_recipes() -> None:
    told: list[tuple[int, int]] = []
    tune_space(TINY, drifting(30), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(FITTINGS), len(FITTINGS))
    assert [done for done, _ in told] == list(range(len(FITTINGS) + 1))
