from pathlib import Path

import pytest

from web.shelf import fill_shelf
from web.stage import LaterStage, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def later(tmp_path: Path) -> LaterStage:
    """A stage whose log folds on demand."""
    return LaterStage(tmp_path)


@pytest.fixture
def shelf(stage: Stage) -> Stage:
    """A stage with albums, artists and genres."""
    fill_shelf(stage)
    return stage
