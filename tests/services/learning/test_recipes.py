"""Moving to a richer recipe once the library has its sets."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import MemoryStore
from making import make_schema, make_track, with_halves
from services.learning.school import DEFAULT, MIN_MAX, SCHEMA, School, quietly
from soundalike.domain.features import FeatureSchema, TrackVectors
from soundalike.domain.similarity.recipe import Ingredient, Recipe
from soundalike.domain.types import TrackId
from soundalike.services.learning.updating import Freshness

OTHER = make_schema(3, name="other")
RICHER = Recipe((*DEFAULT.ingredients, Ingredient(feature_set="other", weight=0.5)))


@pytest.fixture
def library(tmp_path: Path) -> School:
    """A hundred tracks, learned from by their only set, and a program that knows another."""
    school = School(tmp_path, recipes=[DEFAULT, RICHER], schemas=[SCHEMA, OTHER])
    for number in range(100):
        school.add(f"t{number:03}", float(number), 0.0)
    school.build()
    return school


class CountingStore(MemoryStore):
    """Counts what is read of vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Counter[str]()

    def ids_with_vectors(self, schema: FeatureSchema) -> frozenset[TrackId]:
        self.read["ids"] += 1
        return super().ids_with_vectors(schema)

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        self.read["vectors"] += 1
        return super().track_vectors(schema)


def hear(library: School, count: int) -> None:
    """Give the first tracks the other set."""
    for number in range(count):
        track = library.store.track(TrackId(f"t{number:03}"))
        assert track is not None
        parts = np.full((3, 3), number, dtype=np.float32)
        library.store.save_track(track, with_halves(OTHER, *parts))


def test_the_recipe_in_use_is_followed_until_95_of_100_have_the_sets_of_a_richer_one(library: School) -> None:
    hear(library, 94)
    assert library.updater.freshness() is Freshness.CURRENT
    assert library.trainer.recipe() == DEFAULT
    hear(library, 95)
    assert library.updater.freshness() is Freshness.OTHER_RECIPE
    assert library.trainer.recipe() == RICHER


def test_the_library_is_read_once_for_all_richer_recipes_and_for_what_follows(tmp_path: Path) -> None:
    store, richest = CountingStore(), Recipe((Ingredient(feature_set="other"),))
    school = School(tmp_path, store, recipes=[DEFAULT, RICHER, richest], schemas=[SCHEMA, OTHER])
    school.add_many("abcde")
    school.build()
    store.read.clear()
    wanted = school.recipes.wanted()
    assert store.read == Counter({"ids": 2, "vectors": 1})
    store.read.clear()
    assert school.updater.freshness(wanted) is Freshness.CURRENT
    assert store.read == Counter({"ids": 1})
    store.read.clear()
    school.trainer.build(school.engine, recipe=school.trainer.as_tuned(wanted), progress=quietly)
    assert store.read["ids"] == 0


def test_a_track_that_lacks_a_set_is_outside_until_it_has_it(library: School) -> None:
    hear(library, 95)
    library.build()
    artefact = library.artefacts.current()
    assert (artefact.recipe, artefact.schemas) == (RICHER, (SCHEMA, OTHER))
    assert len(artefact.track_ids) == 95
    assert "t095" not in artefact.rows
    assert library.updater.freshness() is Freshness.CURRENT
    hear(library, 97)
    assert library.updater.freshness() is Freshness.BEHIND
    assert library.updater.update() == 2
    assert len(library.artefacts.current().track_ids) == 97
    assert library.engine.fitted == [DEFAULT, RICHER]


def test_vanished_tracks_and_those_without_vectors_do_not_count(library: School) -> None:
    for number in range(10):
        library.store.save_track(make_track(f"mute{number}"))
    library.store.mark_vanished([TrackId(f"t{number:03}") for number in range(90, 100)], 0)
    hear(library, 85)
    assert library.updater.freshness() is not Freshness.OTHER_RECIPE
    hear(library, 86)
    assert library.updater.freshness() is Freshness.OTHER_RECIPE


def test_a_richer_recipe_in_use_stays_when_many_tracks_come_that_lack_its_sets(library: School) -> None:
    hear(library, 100)
    library.build()
    for number in range(100, 180):
        library.add(f"t{number:03}", float(number), 0.0)
    assert library.trainer.recipe() == RICHER


def test_a_recipe_whose_set_was_forgotten_is_left(library: School) -> None:
    hear(library, 100)
    library.build()
    library.store.forget_set(OTHER.key)
    assert library.updater.freshness() is Freshness.OTHER_RECIPE
    assert library.trainer.recipe() == DEFAULT
    library.build()
    assert library.updater.freshness() is Freshness.CURRENT


def test_a_recipe_keeps_its_own_fitting_and_tuning_chooses_that_of_the_default(library: School) -> None:
    library.trainer.tune_space(progress=quietly)
    assert library.trainer.recipe() == MIN_MAX
    hear(library, 100)
    assert library.trainer.recipe() == RICHER


def test_what_an_older_version_learned_is_learned_again_by_its_recipe(library: School) -> None:
    library.artefacts.in_use, library.artefacts.of_older_format = None, MIN_MAX
    assert library.updater.freshness() is Freshness.OLD_FORMAT
    library.trainer.build(library.engine, recipe=library.artefacts.old_recipe(), progress=quietly)
    assert library.artefacts.current().recipe == MIN_MAX


def test_a_recipe_in_use_that_the_program_does_not_know_any_more_is_left(library: School) -> None:
    artefact = library.artefacts.current()
    library.artefacts.in_use = replace(artefact, recipe=Recipe((Ingredient(feature_set="tiny", weight=3.0),)))
    assert library.updater.freshness() is Freshness.OTHER_RECIPE
    assert library.trainer.recipe() == DEFAULT
