import pytest

from making import SOME_TIME, make_track
from services.learning.school import School
from soundalike.domain.types import TrackId
from soundalike.services.learning.updating import Freshness


def test_an_artefact_is_current_until_the_library_changes(school: School) -> None:
    assert school.updater.freshness() is Freshness.MISSING
    school.build()
    assert school.updater.freshness() is Freshness.CURRENT
    school.add_many("f")
    assert school.updater.freshness() is Freshness.BEHIND
    school.add_many("ghij")
    assert school.updater.freshness() is Freshness.OUTGROWN


def test_an_artefact_is_outgrown_by_many_small_updates(school: School) -> None:
    school.build()
    school.add_many("f")
    school.updater.update(school.engine)
    assert school.updater.freshness() is Freshness.CURRENT
    school.add("a", 1000.0, 1000.0)
    assert school.updater.freshness() is Freshness.OUTGROWN
    school.updater.update(school.engine)
    assert school.updater.freshness() is Freshness.OUTGROWN
    school.build()
    assert school.updater.freshness() is Freshness.CURRENT


def test_a_vanished_track_does_not_make_an_artefact_old(school: School) -> None:
    school.build()
    school.store.mark_vanished([TrackId("a")], 0)
    assert school.updater.freshness() is Freshness.CURRENT
    assert school.updater.update(school.engine) == 0


def test_new_tracks_are_added_without_fitting(school: School) -> None:
    school.build()
    school.add_many("fg")
    assert school.updater.update(school.engine) == 2
    assert len(school.engine.fitted) == 1
    assert school.neighbours() == _from_scratch(school)


def test_a_changed_track_is_updated(school: School) -> None:
    school.build()
    school.add("a", 1000.0, 1000.0)
    assert school.updater.update(school.engine) == 1
    assert len(school.engine.fitted) == 1
    assert school.neighbours() == _from_scratch(school)


@pytest.mark.parametrize("place", [(1000.0, 1000.0), None], ids=["changed", "new"])
def test_what_was_built_during_an_update_is_not_lost(
    school: School, place: tuple[float, float] | None
) -> None:
    """Both begin with the first artefact; the build is published before the update is."""
    school.build()
    if place:
        school.add("a", *place)
    school.add_many("f")

    def build_once() -> None:
        school.artefacts.before_publishing = lambda: None
        school.add_many("ghijk")
        school.build()
        school.add_many("l")

    school.artefacts.before_publishing = build_once
    assert school.updater.update(school.engine) == 1
    artefact = school.artefacts.current()
    assert (artefact.version, artefact.added_count) == ("000003", 1)
    assert artefact.track_ids == tuple("abcdefghijkl")
    assert school.neighbours() == _from_scratch(school)


def test_a_track_that_can_no_longer_be_analysed_leaves_the_artefact(school: School) -> None:
    school.build()
    school.store.drop_vectors(TrackId("a"))
    assert school.updater.update(school.engine) == 1
    assert school.artefacts.current().track_ids == ("b", "c", "d", "e")


def test_if_nothing_can_be_analysed_any_more_the_artefact_stays(school: School) -> None:
    school.build()
    for name in "abcde":
        school.store.drop_vectors(TrackId(name))
    assert school.updater.update(school.engine) == 0
    assert len(school.artefacts.published) == 1


def test_an_update_before_the_first_build_does_nothing(school: School) -> None:
    assert school.updater.update(school.engine) == 0
    assert school.artefacts.published == []


def test_an_update_without_changes_publishes_nothing(school: School) -> None:
    school.build()
    assert school.updater.update(school.engine) == 0
    assert len(school.artefacts.published) == 1


def test_a_vanished_track_stays_in_the_artefact(school: School) -> None:
    school.build()
    school.store.save_track(make_track("a", vanished_at=SOME_TIME))
    school.add_many("f")
    school.updater.update(school.engine)
    assert "a" in school.artefacts.current().track_ids


def _from_scratch(school: School) -> dict[str, list[str]]:
    """The neighbours that a new build would find."""
    other = School(school.folder, school.store)
    other.build()
    return other.neighbours()
