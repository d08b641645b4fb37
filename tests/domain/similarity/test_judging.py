import pytest

from learning.libraries import labelled
from soundalike.domain.similarity.judging import FEWEST_TRACKS, choose_objective
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.tuning import Objective


@pytest.mark.parametrize(
    ("table", "objective"),
    [
        (labelled(40, ["Rock", "Pop"], ["A", "B", "C", "D"]), Objective.GENRE),
        (labelled(40, ["Rock", "Pop"], ["A", "B"]), Objective.HALVES),  # no genre has two artists
        (labelled(40, ["Rock"], ["A", "B"]), Objective.HALVES),  # nothing to tell apart
        (labelled(40, [None, None, None, "Rock", "Pop"], ["A", "B", "C"]), Objective.HALVES),
        (labelled(40, [None, "Rock", "Pop"], ["A", "B"]), Objective.GENRE),
        (labelled(40, [None], [None]), Objective.HALVES),
        (labelled(FEWEST_TRACKS - 1, ["Rock", "Pop"], ["A", "B", "C"]), Objective.NONE),
    ],
)
def test_genres_are_the_objective_if_there_are_enough(table: LibraryTable, objective: Objective) -> None:
    assert choose_objective(table) is objective
