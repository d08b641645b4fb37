import logging
from pathlib import Path

import pytest

from soundalike.domain.errors import ModelError
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE, Fitting, Ingredient, Recipe, Rotation, Scaling
from soundalike.domain.similarity.space import LshParameters
from soundalike.domain.tuning import LshTrial, LshTuning, Objective, SpaceScore, SpaceTuning
from soundalike.learning.tuning_file import TuningFile

RECIPE = DEFAULT_RECIPE.fitted_by(
    Fitting(scaling=Scaling.MIN_MAX, clip=2.5, rotation=Rotation.WITHIN, strength=0.5)
)
MIXED = Recipe(
    (
        Ingredient(feature_set="timbre", groups=("mfcc", "zcr"), weight=0.5, fitting=Fitting(clip=3.0)),
        Ingredient(feature_set="other"),
    )
)
SPACE = SpaceTuning(
    objective=Objective.HALVES,
    scores=(SpaceScore(recipe=RECIPE, score=0.5, standard_error=float("inf"), hubness=-0.25),),
    chosen=RECIPE,
    track_count=96,
)
PARAMETERS = LshParameters(bucket_length=1.5, tables=4)
LSH = LshTuning(
    recipe=MIXED,
    trials=(LshTrial(parameters=PARAMETERS, recall=0.9, candidates=12.5, seconds=3.25),),
    chosen=PARAMETERS,
    track_count=96,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deeper" / "tuning.json"


def test_what_was_chosen_is_remembered(path: Path) -> None:
    TuningFile(path).save_space(SPACE)
    TuningFile(path).save_lsh(LSH)
    assert TuningFile(path).space() == SPACE
    assert TuningFile(path).lsh() == LSH
    assert [entry.name for entry in path.parent.iterdir()] == ["tuning.json"]


def test_nothing_tuned_is_none(path: Path) -> None:
    assert TuningFile(path).space() is None
    assert TuningFile(path).lsh() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"space": 3, "lsh": {}}',
        b'{"space": {"objective": "x"}, "lsh": {"trials": [], "chosen": {"bucket_length": 0, "tables": 1}}}',
    ],
)
def test_a_damaged_file_is_ignored_and_logged_once(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    file = TuningFile(path)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert file.space() is None
            assert file.lsh() is None
    assert len(caplog.messages) == 1
    assert "soundalike tune" in caplog.text
    file.save_space(SPACE)
    assert file.space() == SPACE


def test_a_recipe_out_of_range_is_not_used(path: Path) -> None:
    file = TuningFile(path)
    file.save_space(SPACE)
    path.write_text(path.read_text().replace('"strength": 0.5', '"strength": -5'))
    assert file.space() is None


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "deeper").write_text("a file in the way")
    with pytest.raises(ModelError, match=r"tuning\.json"):
        TuningFile(tmp_path / "deeper" / "tuning.json").save_lsh(LSH)
