import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fakes import MemoryStore
from making import SOME_TIME, make_schema, make_track
from shelf import MemoryShelf, brute_neighbours, plain_space
from soundalike.domain.errors import EngineError, TooFewTracksError
from soundalike.domain.features import FeatureVectors
from soundalike.domain.ports import Progress, SimilarityEngine
from soundalike.domain.similarity import (
    DEFAULT_RECIPE,
    LshParameters,
    Neighbours,
    Scaling,
    SimilaritySpace,
    SpaceRecipe,
)
from soundalike.domain.table import LibraryTable, Snapshot
from soundalike.domain.tuning import LshTuning, Objective, SpaceTuning
from soundalike.domain.types import TrackId
from soundalike.model.placing import ArtefactPlacer
from soundalike.model.snapshot import ParquetSnapshots
from soundalike.services.training import Freshness, Method, Training

SCHEMA = make_schema(2)
MIN_MAX = SpaceRecipe(scaling=Scaling.MIN_MAX)
LSH = LshTuning(trials=(), chosen=LshParameters(bucket_length=1.0, tables=2), track_count=5)


class PlainEngine:
    """Fits a space in which vectors stay as they are; its LSH finds one neighbour too few."""

    name = "plain"

    def __init__(self, *, has_lsh: bool = True) -> None:
        self.has_lsh = has_lsh
        self.fitted: list[SpaceRecipe] = []

    def fit(self, recipe: SpaceRecipe, snapshot: Snapshot) -> SimilaritySpace:
        self.fitted.append(recipe)
        return plain_space(len(snapshot.schema))

    def neighbours(self, space: SimilaritySpace, snapshot: Snapshot, *, k: int) -> Neighbours:
        return brute_neighbours(space.place(ParquetSnapshots().read(snapshot).whole), k)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        if not self.has_lsh:
            msg = "the engine plain has no LSH"
            raise EngineError(msg)
        assert parameters == LSH.chosen
        exact = self.neighbours(space, snapshot, k=k)
        rows, distances = exact.rows.copy(), exact.distances.copy()
        rows[:, 1], distances[:, 1] = -1, np.inf
        return Neighbours(rows, distances)

    def close(self) -> None:
        pass


class FixedTuner:
    """Chooses what it is told to."""

    def __init__(self) -> None:
        self.tables: list[LibraryTable] = []
        self.lsh_runs = 0

    def tune_space(self, table: LibraryTable, *, progress: Progress) -> SpaceTuning:
        progress(1, 1)
        self.tables.append(table)
        return SpaceTuning(objective=Objective.HALVES, scores=(), chosen=MIN_MAX, track_count=len(table))

    def tune_lsh(
        self, engine: SimilarityEngine, recipe: SpaceRecipe, snapshot: Snapshot, *, progress: Progress
    ) -> LshTuning:
        progress(1, 1)
        engine.fit(recipe, snapshot)
        self.lsh_runs += 1
        return LSH


class MemoryTunings:
    """The `Tunings` port in memory."""

    def __init__(self) -> None:
        self.kept_space: SpaceTuning | None = None
        self.kept_lsh: LshTuning | None = None

    def space(self) -> SpaceTuning | None:
        return self.kept_space

    def lsh(self) -> LshTuning | None:
        return self.kept_lsh

    def save_space(self, tuning: SpaceTuning) -> None:
        self.kept_space = tuning

    def save_lsh(self, tuning: LshTuning) -> None:
        self.kept_lsh = tuning


class School:
    """A library on a plane, and everything that learns from it."""

    def __init__(self, folder: Path, store: MemoryStore | None = None) -> None:
        self.folder = folder
        self.store, self.shelf, self.tuner = store or MemoryStore(), MemoryShelf(), FixedTuner()
        self.tunings, self.engine = MemoryTunings(), PlainEngine()
        seconds = itertools.count()
        self.training = Training(
            store=self.store,
            snapshots=ParquetSnapshots(),
            shelf=self.shelf,
            tuner=self.tuner,
            tunings=self.tunings,
            placer=ArtefactPlacer(),
            schema=SCHEMA,
            workspace=self.workspace,
            timer=lambda: float(next(seconds)),
        )

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        yield self.folder

    def add(self, name: str, *place: float) -> None:
        parts = (np.array(place, dtype=np.float32) for _ in range(3))
        self.store.save_track(make_track(name, genre="g"), FeatureVectors(SCHEMA, *parts))

    def add_many(self, names: str) -> None:
        for name in names:
            self.add(name, ord(name), (ord(name) * 7) % 5)

    def build(self, method: Method = Method.EXACT) -> None:
        self.training.build(self.engine, method=method, progress=_quietly)

    def neighbours(self) -> dict[str, list[str]]:
        """Each track's neighbours by id, as the artefact in use has them."""
        artefact = self.shelf.current()
        ids = artefact.track_ids
        return {
            ids[row]: [ids[n] for n in found if n >= 0] for row, found in enumerate(artefact.neighbours.rows)
        }


@pytest.fixture
def school(tmp_path: Path) -> School:
    school = School(tmp_path)
    school.add_many("abcde")
    return school


def test_a_build_publishes_every_analysed_track_with_its_neighbours(school: School) -> None:
    school.store.save_track(make_track("mute"))
    report = school.training.build(school.engine, progress=_quietly)
    artefact = school.shelf.current()
    assert artefact.track_ids == ("a", "b", "c", "d", "e")
    assert (report.version, report.track_count, report.recall) == (artefact.version, 5, None)
    assert (artefact.facts["engine"], artefact.facts["method"]) == ("plain", "exact")
    assert artefact.neighbours.rows.shape == (5, 50)


def test_a_build_leaves_vanished_tracks_out(school: School) -> None:
    school.store.mark_vanished([TrackId("b")], 0)
    school.build()
    assert "b" not in school.shelf.current().track_ids


def test_a_build_follows_what_tuning_chose(school: School) -> None:
    school.build()
    school.training.tune_space(progress=_quietly)
    school.build()
    assert school.engine.fitted == [DEFAULT_RECIPE, MIN_MAX]
    assert school.shelf.current().recipe == MIN_MAX


def test_tuning_sees_vectors_and_labels(school: School) -> None:
    school.training.tune_space(progress=_quietly)
    table = school.tuner.tables[0]
    assert (table.track_ids, table.genres) == (("a", "b", "c", "d", "e"), ("g",) * 5)
    assert table.whole[0].tolist() == [97.0, 4.0]


def test_lsh_is_tuned_when_it_has_no_parameters_yet_and_only_then(school: School) -> None:
    school.build()
    assert school.tuner.lsh_runs == 0
    school.build(Method.LSH)
    school.build(Method.LSH)
    assert school.tuner.lsh_runs == 1


def test_lsh_reports_its_recall_against_exact(school: School) -> None:
    report = school.training.build(school.engine, method=Method.LSH, progress=_quietly)
    assert report.recall == pytest.approx(3 / 4)


def test_an_engine_without_lsh_says_so(school: School) -> None:
    school.tunings.save_lsh(LSH)
    school.engine.has_lsh = False
    with pytest.raises(EngineError):
        school.build(Method.LSH)
    assert school.shelf.published == []


def test_nothing_can_be_learnt_from_nothing(tmp_path: Path) -> None:
    school = School(tmp_path)
    with pytest.raises(TooFewTracksError, match="soundalike extract"):
        school.build()
    with pytest.raises(TooFewTracksError):
        school.training.tune_space(progress=_quietly)
    assert school.training.freshness() is Freshness.EMPTY


def test_an_artefact_is_current_until_the_library_changes(school: School) -> None:
    assert school.training.freshness() is Freshness.MISSING
    school.build()
    assert school.training.freshness() is Freshness.CURRENT
    school.add_many("f")
    assert school.training.freshness() is Freshness.BEHIND
    school.add_many("ghij")
    assert school.training.freshness() is Freshness.OUTGROWN


def test_a_vanished_track_does_not_make_an_artefact_old(school: School) -> None:
    school.build()
    school.store.mark_vanished([TrackId("a")], 0)
    assert school.training.freshness() is Freshness.CURRENT
    assert school.training.place(school.engine) == 0


def test_new_tracks_are_placed_without_fitting(school: School) -> None:
    school.build()
    school.add_many("fg")
    assert school.training.place(school.engine) == 2
    assert len(school.engine.fitted) == 1
    assert school.neighbours() == _from_scratch(school)


def test_a_track_whose_sound_changed_is_placed_anew(school: School) -> None:
    school.build()
    school.add("a", 1000.0, 1000.0)
    assert school.training.place(school.engine) == 1
    assert len(school.engine.fitted) == 1
    assert school.neighbours() == _from_scratch(school)


def test_a_track_that_can_no_longer_be_heard_leaves_the_artefact(school: School) -> None:
    school.build()
    school.store.drop_vectors(TrackId("a"))
    assert school.training.place(school.engine) == 1
    assert school.shelf.current().track_ids == ("b", "c", "d", "e")


def test_placing_before_the_first_build_does_nothing(school: School) -> None:
    assert school.training.place(school.engine) == 0
    assert school.shelf.published == []


def test_placing_what_is_placed_publishes_nothing(school: School) -> None:
    school.build()
    assert school.training.place(school.engine) == 0
    assert len(school.shelf.published) == 1


def test_a_vanished_track_keeps_its_place_for_when_it_returns(school: School) -> None:
    school.build()
    school.store.save_track(make_track("a", vanished_at=SOME_TIME))
    school.add_many("f")
    school.training.place(school.engine)
    assert "a" in school.shelf.current().track_ids


def test_an_export_holds_what_is_known(school: School, tmp_path: Path) -> None:
    snapshot = school.training.export(str(tmp_path / "out.parquet"))
    table = ParquetSnapshots().read(snapshot)
    assert (len(table), table.schema) == (5, SCHEMA)


def _from_scratch(school: School) -> dict[str, list[str]]:
    """The neighbours that a new build would find."""
    other = School(school.folder, school.store)
    other.build()
    return other.neighbours()


def _quietly(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""
