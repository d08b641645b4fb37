import pytest

from services.recommendation.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """A stage with harp on the left, metal on the right and others between."""
    stage = Stage()
    stage.add_heap("harp", 12, -20, 0, seed=1)
    stage.add_heap("metal", 12, 20, 0, seed=2)
    stage.add_heap("mid", 12, 0, 0, seed=3)
    stage.build()
    return stage
