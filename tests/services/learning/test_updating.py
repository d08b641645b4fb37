from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import MemoryStore
from making import SOME_TIME, make_track, with_halves
from services.learning.school import SCHEMA, School
from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.types import TrackId
from soundalike.services.learning.updating import Freshness


class ReadingStore(MemoryStore):
    """Notes whose vectors are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def vectors_in(
        self, track_id: TrackId, schemas: Sequence[FeatureSchema]
    ) -> tuple[FeatureVectors, ...] | None:
        self.read.append(track_id)
        return super().vectors_in(track_id, schemas)

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        self.read.append("all")
        return super().track_vectors(schema)


@pytest.fixture
def reading(tmp_path: Path) -> School:
    """Five tracks, learned from, with a store that notes what is read."""
    school = School(tmp_path, ReadingStore())
    school.add_many("abcde")
    school.build()
    read_of(school).clear()
    return school


def read_of(school: School) -> list[str]:
    assert isinstance(school.store, ReadingStore)
    return school.store.read


def test_only_the_vectors_of_new_and_changed_tracks_are_read(reading: School) -> None:
    reading.add("b", 1000.0, 1000.0)
    reading.add_many("f")
    reading.store.drop_vectors(TrackId("c"))
    reading.store.mark_vanished([TrackId("d")], 0)
    assert reading.updater.freshness() is Freshness.OUTGROWN
    assert reading.updater.update() == 3
    # The last change before the build may be looked at once more.
    assert set(read_of(reading)) == {"b", "d", "e", "f"}
    artefact = reading.artefacts.current()
    assert artefact.track_ids == tuple("abdef")
    anew = exact_neighbours(artefact.coordinates, artefact.neighbours.rows.shape[1])
    np.testing.assert_array_equal(artefact.neighbours.rows, anew.rows)


def test_what_was_compared_and_is_right_is_not_read_again(reading: School) -> None:
    for name in "abcd":
        track = reading.store.track(TrackId(name))
        assert track is not None
        reading.store.save_track(replace(track, title="Another"))
    assert reading.updater.freshness() is Freshness.CURRENT
    assert read_of(reading) == ["a", "b", "c", "d", "e"]
    read_of(reading).clear()
    assert reading.updater.freshness() is Freshness.CURRENT
    assert read_of(reading) == ["d"]


def test_an_artefact_that_names_no_change_is_compared_with_all(reading: School) -> None:
    """As one that an older version made."""
    reading.add("b", 1000.0, 1000.0)
    reading.artefacts.in_use = replace(reading.artefacts.current(), library_change="")
    assert reading.updater.update() == 1
    assert read_of(reading) == ["a", "b", "c", "d", "e"]


def test_after_a_backup_is_restored_changes_with_the_same_numbers_are_found(reading: School) -> None:
    """The artefact is of changes that the backup has not; then others are made."""
    reading.add_many("f")
    reading.updater.update()
    restored = School(reading.folder)
    restored.add_many("abcd")
    restored.artefacts.in_use = reading.artefacts.current()
    restored.add("b", 1000.0, 1000.0)
    restored.add_many("eaaa")
    assert restored.updater.update() == 1
    assert restored.artefacts.current().coordinates[1].tolist() == [1000, 1000]


def test_imported_vectors_that_changed_alone_are_found(reading: School) -> None:
    parts = (np.full(2, 1000.0, dtype=np.float32) for _ in range(3))
    reading.store.save_stored_vectors([StoredVectors.of(TrackId("b"), with_halves(SCHEMA, *parts))])
    assert reading.updater.update() == 1
    assert reading.neighbours() == _from_scratch(reading)


def test_many_changed_tracks_are_read_in_one_scan(reading: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.services.learning.snapshots._MOST_SINGLE", 2)
    reading.add("a", 1000.0, 1000.0)
    reading.add("b", 2000.0, 1000.0)
    reading.store.mark_vanished([TrackId("c")], 0)
    assert reading.updater.update() == 2
    assert read_of(reading) == ["all"]
    assert reading.artefacts.current().coordinates[:2].tolist() == [[1000, 1000], [2000, 1000]]


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
    school.updater.update()
    assert school.updater.freshness() is Freshness.CURRENT
    school.add("a", 1000.0, 1000.0)
    assert school.updater.freshness() is Freshness.OUTGROWN
    school.updater.update()
    assert school.updater.freshness() is Freshness.OUTGROWN
    school.build()
    assert school.updater.freshness() is Freshness.CURRENT


def test_a_vanished_track_does_not_make_an_artefact_old(school: School) -> None:
    school.build()
    school.store.mark_vanished([TrackId("a")], 0)
    assert school.updater.freshness() is Freshness.CURRENT
    assert school.updater.update() == 0


def test_new_tracks_are_added_without_fitting(school: School) -> None:
    school.build()
    school.add_many("fg")
    assert school.updater.update() == 2
    assert len(school.engine.fitted) == 1
    assert school.neighbours() == _from_scratch(school)


def test_a_changed_track_is_updated(school: School) -> None:
    school.build()
    school.add("a", 1000.0, 1000.0)
    assert school.updater.update() == 1
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
    assert school.updater.update() == 1
    artefact = school.artefacts.current()
    assert (artefact.version, artefact.added_count) == ("000003", 1)
    assert artefact.track_ids == tuple("abcdefghijkl")
    assert school.neighbours() == _from_scratch(school)


def test_a_track_that_can_no_longer_be_analysed_leaves_the_artefact(school: School) -> None:
    school.build()
    school.store.drop_vectors(TrackId("a"))
    assert school.updater.update() == 1
    assert school.artefacts.current().track_ids == ("b", "c", "d", "e")


def test_if_nothing_can_be_analysed_any_more_the_artefact_stays(school: School) -> None:
    school.build()
    for name in "abcde":
        school.store.drop_vectors(TrackId(name))
    assert school.updater.update() == 0
    assert len(school.artefacts.published) == 1


def test_an_update_before_the_first_build_does_nothing(school: School) -> None:
    assert school.updater.update() == 0
    assert school.artefacts.published == []


def test_an_update_without_changes_publishes_nothing(school: School) -> None:
    school.build()
    assert school.updater.update() == 0
    assert len(school.artefacts.published) == 1


def test_a_vanished_track_stays_in_the_artefact(school: School) -> None:
    school.build()
    school.store.save_track(make_track("a", vanished_at=SOME_TIME))
    school.add_many("f")
    school.updater.update()
    assert "a" in school.artefacts.current().track_ids


def _from_scratch(school: School) -> dict[str, list[str]]:
    """The neighbours that a new build would find."""
    other = School(school.folder, school.store)
    other.build()
    return other.neighbours()
