from pathlib import Path

import pytest

from web.stage import LaterStage, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def later(tmp_path: Path) -> LaterStage:
    """A stage whose log folds on demand."""
    return LaterStage(tmp_path)
