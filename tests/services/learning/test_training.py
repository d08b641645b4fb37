from pathlib import Path

import pytest

from making import make_track
from services.learning.school import DEFAULT, LSH, MIN_MAX, School, quietly
from soundalike.domain.errors import EngineError, TooFewTracksError
from soundalike.domain.types import TrackId
from soundalike.services.learning.training import Method
from soundalike.services.learning.updating import Freshness


def test_a_build_publishes_every_analysed_track_with_its_neighbours(school: School) -> None:
    school.store.save_track(make_track("mute"))
    report = school.trainer.build(school.engine, progress=quietly)
    artefact = school.artefacts.current()
    assert artefact.track_ids == ("a", "b", "c", "d", "e")
    assert (report.version, report.track_count, report.recall) == (artefact.version, 5, None)
    assert (artefact.facts["engine"], artefact.facts["method"]) == ("plain", "exact")
    assert artefact.neighbours.rows.shape == (5, 50)


def test_a_build_leaves_vanished_tracks_out(school: School) -> None:
    school.store.mark_vanished([TrackId("b")], 0)
    school.build()
    assert "b" not in school.artefacts.current().track_ids


def test_a_build_follows_what_tuning_chose(school: School) -> None:
    school.build()
    school.trainer.tune_space(progress=quietly)
    school.build()
    assert school.engine.fitted == [DEFAULT, MIN_MAX]
    assert school.artefacts.current().recipe == MIN_MAX


def test_tuning_sees_vectors_and_labels(school: School) -> None:
    school.trainer.tune_space(progress=quietly)
    table = school.tuner.tables[0]
    assert (table.track_ids, table.genres) == (("a", "b", "c", "d", "e"), ("g",) * 5)
    assert table.summaries[0].tolist() == [97.0, 4.0]


def test_lsh_is_tuned_when_it_has_no_parameters_yet_and_only_then(school: School) -> None:
    school.build()
    assert school.tuner.lsh_runs == 0
    school.build(Method.LSH)
    school.build(Method.LSH)
    assert school.tuner.lsh_runs == 1


def test_lsh_is_tuned_anew_for_another_space(school: School) -> None:
    school.build(Method.LSH)
    school.trainer.tune_space(progress=quietly)
    school.build(Method.LSH)
    assert school.tuner.lsh_runs == 2


def test_lsh_reports_its_recall_against_exact(school: School) -> None:
    report = school.trainer.build(school.engine, method=Method.LSH, progress=quietly)
    assert report.recall == pytest.approx(3 / 4)


def test_an_engine_without_lsh_says_so(school: School) -> None:
    school.tunings.save_lsh(LSH)
    school.engine.has_lsh = False
    with pytest.raises(EngineError):
        school.build(Method.LSH)
    assert school.artefacts.published == []


def test_an_empty_library_is_an_error(tmp_path: Path) -> None:
    school = School(tmp_path)
    with pytest.raises(TooFewTracksError, match="soundalike extract"):
        school.build()
    with pytest.raises(TooFewTracksError):
        school.trainer.tune_space(progress=quietly)
    assert school.updater.freshness() is Freshness.EMPTY
