from soundalike.domain.similarity.lsh import knee
from soundalike.domain.similarity.space import LshParameters
from soundalike.domain.tuning import LshTrial


def trial(tables: int, *, recall: float, candidates: float) -> LshTrial:
    parameters = LshParameters(bucket_length=1.0, tables=tables)
    return LshTrial(parameters=parameters, recall=recall, candidates=candidates, seconds=1.0)


def test_the_knee_is_where_recall_outgrows_the_candidates_by_most() -> None:
    trials = [
        trial(1, recall=0.81, candidates=200),
        trial(2, recall=0.95, candidates=250),
        trial(3, recall=1.0, candidates=900),
    ]
    assert knee(trials, 1001).tables == 2


def test_a_trial_that_misses_too_much_is_not_the_knee() -> None:
    trials = [trial(1, recall=0.6, candidates=10), trial(2, recall=0.85, candidates=700)]
    assert knee(trials, 1001).tables == 2
    assert knee(trials[:1], 1001).tables == 1


def test_of_equals_the_one_with_fewer_candidates_is_chosen() -> None:
    trials = [trial(1, recall=1.0, candidates=1000), trial(2, recall=0.9, candidates=900)]
    assert knee(trials, 1001).tables == 2
