from pathlib import Path

import pytest

from services.learning.school import School
from soundalike.services.learning import training


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    school = School(tmp_path)
    monkeypatch.setattr(training, "tune_space", school.tuner.tune_space)
    monkeypatch.setattr(training, "tune_lsh", school.tuner.tune_lsh)
    school.add_many("abcde")
    return school
