"""Several feature sets: each is computed for what lacks it, the urgent ones for the whole library first."""

from dataclasses import replace
from pathlib import Path

import pytest

from making import make_schema
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import ProblemReason

OTHER = make_schema(3, name="other")


@pytest.fixture
def user(tmp_path: Path) -> Listener:
    folder = tmp_path / "Music"
    write_song(folder / "a.mp3", audio="aaa", title="Anna")
    write_song(folder / "b.mp3", audio="bbb", title="Bella")
    return Listener(folder)


def having(user: Listener, schema: FeatureSchema) -> set[str]:
    with_vectors = user.store.ids_with_vectors(schema)
    return {track.title for track in user.tracks() if track.id in with_vectors}


def test_sets_of_one_pass_come_from_one_reading(user: Listener) -> None:
    user.analyser.passes = [[SCHEMA, OTHER]]
    assert user.extract().analysed == 2
    assert sorted(user.analyser.heard) == ["a.mp3", "b.mp3"]
    assert having(user, SCHEMA) == having(user, OTHER) == {"Anna", "Bella"}


def test_a_pass_begins_when_the_one_before_is_through(user: Listener) -> None:
    user.analyser.passes = [[SCHEMA], [OTHER]]
    report = user.extract()
    assert [key for _, key in user.analyser.extracted] == ["tiny-v1"] * 2 + ["other-v1"] * 2
    assert (report.added, report.analysed) == (2, 2)
    assert having(user, OTHER) == {"Anna", "Bella"}


@pytest.mark.parametrize("passes", [[[SCHEMA, OTHER]], [[OTHER, SCHEMA]], [[SCHEMA], [OTHER]]])
def test_a_set_that_is_added_reads_each_file_once_and_redoes_nothing(
    user: Listener, passes: list[list[FeatureSchema]]
) -> None:
    user.extract()
    before = {track.id: track for track in user.tracks()}
    user.analyser.passes = passes
    user.extract()
    assert sorted(user.analyser.heard) == ["a.mp3", "b.mp3"]
    assert sorted(user.analyser.extracted) == [("a.mp3", "other-v1"), ("b.mp3", "other-v1")]
    assert {track.id: track for track in user.tracks()} == before
    assert having(user, SCHEMA) == having(user, OTHER) == {"Anna", "Bella"}
    assert user.extract().analysed == 0


@pytest.mark.parametrize("passes", [[[SCHEMA, OTHER]], [[SCHEMA], [OTHER]]])
def test_a_raised_version_analyses_that_set_alone(user: Listener, passes: list[list[FeatureSchema]]) -> None:
    user.analyser.passes = passes
    user.extract()
    raised = replace(OTHER, version=2)
    user.analyser.passes = [[raised if one is OTHER else one for one in sets] for sets in passes]
    user.extract()
    assert sorted(user.analyser.extracted) == [("a.mp3", "other-v2"), ("b.mp3", "other-v2")]


def test_a_copy_of_known_audio_gets_what_is_known_and_what_is_missing(user: Listener) -> None:
    user.extract()
    user.analyser.passes = [[SCHEMA, OTHER]]
    write_song(user.folder / "copy.mp3", audio="aaa", title="Copy")
    user.extract()
    assert ("copy.mp3", "tiny-v1") not in user.analyser.extracted
    assert having(user, SCHEMA) == having(user, OTHER) == {"Anna", "Bella", "Copy"}


def test_new_audio_gets_all_sets_anew(user: Listener) -> None:
    user.analyser.passes = [[SCHEMA], [OTHER]]
    user.extract()
    before = user.store.vectors_of(user.track("Anna").id, OTHER)
    write_song(user.folder / "a.mp3", audio="remastered", title="Anna")
    user.extract()
    after = user.store.vectors_of(user.track("Anna").id, OTHER)
    assert user.analyser.extracted == [("a.mp3", "tiny-v1"), ("a.mp3", "other-v1")]
    assert before is not None
    assert after is not None
    assert (before.values != after.values).any()


def test_what_vanished_does_not_wait_for_later_sets(user: Listener) -> None:
    user.extract()
    (user.folder / "a.mp3").unlink()
    write_song(user.folder / "c.mp3", audio="ccc", title="Clara")
    user.analyser.passes = [[SCHEMA], [OTHER]]
    user.analyser.stops_after = 1  # in the second pass
    with pytest.raises(KeyboardInterrupt):
        user.extract()
    assert [key for _, key in user.analyser.extracted] == ["tiny-v1", "other-v1"]
    assert user.titles() == ["Bella", "Clara"]
    user.analyser.stops_after = None
    user.extract()
    assert user.store.unsettled(10) == {}


def test_what_has_vanished_is_not_analysed_for_a_new_set(user: Listener) -> None:
    user.extract()
    (user.folder / "a.mp3").unlink()
    user.analyser.passes = [[SCHEMA], [OTHER]]
    report = user.extract()
    assert (report.vanished, report.analysed) == (1, 1)
    assert user.analyser.heard == ["b.mp3"]


def test_what_could_not_be_used_is_not_read_for_later_sets(user: Listener) -> None:
    user.analyser.passes = [[SCHEMA], [OTHER]]
    write_song(user.folder / "bad.mp3", audio="bad: silent")
    write_song(user.folder / "a.mp3", audio="aaa", title="Anna")
    user.extract()
    write_song(user.folder / "a.mp3", audio="bad: not audio")
    user.extract()
    assert user.analyser.heard == ["a.mp3"]


def test_a_file_that_fails_in_a_later_pass_keeps_its_vectors_and_is_tried_again(user: Listener) -> None:
    user.analyser.passes = [[SCHEMA], [OTHER]]
    write_song(user.folder / "a.mp3", audio="bad for other: crashed the decoder", title="Anna")
    for _ in range(2):
        report = user.extract()
        assert having(user, SCHEMA) == {"Anna", "Bella"}
        assert having(user, OTHER) == {"Bella"}
        (problem,) = report.problems
        assert (problem.reason, problem.is_used) == (ProblemReason.CRASHED, True)
        assert ("a.mp3", "other-v1") in user.analyser.extracted
    write_song(user.folder / "a.mp3", audio="mended", title="Anna")
    assert user.extract().problems == ()
    assert having(user, OTHER) == {"Anna", "Bella"}


def test_a_file_of_which_a_later_pass_can_make_nothing_is_read_once(user: Listener) -> None:
    user.analyser.passes = [[SCHEMA], [OTHER]]
    write_song(user.folder / "a.mp3", audio="bad for other: silent", title="Anna")
    write_song(user.folder / "b.mp3", audio="cut short", title="Bella")
    user.extract()
    report = user.extract()
    assert user.analyser.heard == []
    assert {problem.reason for problem in report.problems} == {
        ProblemReason.SILENT, ProblemReason.HEADER_TOO_LONG,
    }  # fmt: skip
    assert having(user, OTHER) == {"Bella"}
    write_song(user.folder / "a.mp3", audio="mended", title="Anna")
    user.extract()
    assert having(user, OTHER) == {"Anna", "Bella"}


def test_a_set_that_fails_costs_no_other_set_its_vectors(user: Listener) -> None:
    write_song(user.folder / "a.mp3", audio="bad for other: crashed the decoder", title="Anna")
    user.extract()
    user.analyser.passes = [[SCHEMA, OTHER]]
    assert [problem.is_used for problem in user.extract().problems] == [True]
    assert having(user, SCHEMA) == {"Anna", "Bella"}


def test_an_interrupted_later_pass_continues_where_it_stopped(user: Listener) -> None:
    user.extract()
    user.analyser.passes = [[SCHEMA], [OTHER]]
    user.analyser.stops_after = 1
    with pytest.raises(KeyboardInterrupt):
        user.extract()
    user.analyser.stops_after = None
    user.extract()
    assert len(user.analyser.heard) == 1
    assert having(user, OTHER) == {"Anna", "Bella"}
