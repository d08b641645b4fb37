"""As little is learned as the library needs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.learning.school import MIN_MAX, School, quietly
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.types import TrackId
from soundalike.services.learning.catching_up import Learner
from soundalike.services.learning.updating import Freshness


@pytest.fixture
def learner(school: School, monkeypatch: pytest.MonkeyPatch) -> Learner:
    monkeypatch.setattr("soundalike.services.learning.training.tune_space", school.tuner.tune_space)

    @contextmanager
    def engine() -> Iterator[tuple[SimilarityEngine, str]]:
        yield school.engine, "the plain one"

    return Learner(
        recipes=school.recipes,
        updater=school.updater,
        trainer=school.trainer,
        artefacts=school.artefacts,
        open_engine=engine,
    )


def test_a_library_without_a_space_is_measured_and_built(school: School, learner: Learner) -> None:
    assert learner.track_count() is None
    learned = learner.catch_up(progress=quietly)
    assert (learned.freshness, learned.engine, learned.placed) == (Freshness.MISSING, "the plain one", 0)
    assert learned.tuning is not None
    assert learned.build is not None
    assert learned.build.recipe == learned.tuning.chosen == MIN_MAX
    assert learner.track_count() == learned.build.track_count == school.store.count_tracks()


def test_what_is_current_is_left_alone(school: School, learner: Learner) -> None:
    learner.catch_up(progress=quietly)
    before = school.artefacts.current().version
    learned = learner.catch_up(progress=quietly)
    assert (learned.freshness, learned.build) == (Freshness.CURRENT, None)
    assert school.artefacts.current().version == before


def test_a_few_new_tracks_are_added_to_the_space_in_use(school: School, learner: Learner) -> None:
    learner.catch_up(progress=quietly)
    school.add_many("f")
    learned = learner.catch_up(progress=quietly)
    assert (learned.freshness, learned.placed, learned.build) == (Freshness.BEHIND, 1, None)
    assert len(school.tuner.tables) == 1


def test_many_new_tracks_need_a_new_space(school: School, learner: Learner) -> None:
    learner.catch_up(progress=quietly)
    school.add_many("fghij")
    learned = learner.catch_up(progress=quietly)
    assert learned.freshness is Freshness.OUTGROWN
    assert learned.build is not None
    assert len(school.tuner.tables) == 2


def test_from_nothing_nothing_is_learned(school: School, learner: Learner) -> None:
    school.store.mark_vanished([TrackId(name) for name in "abcde"], 0)
    learned = learner.catch_up(progress=quietly)
    assert (learned.freshness, learned.tuning, learned.build) == (Freshness.EMPTY, None, None)
