"""Recommendations, from the store to their explanations."""

from datetime import timedelta

import numpy as np
import pytest

from making import file_of, make_listen, make_track
from services.recommendation.stage import ADA, BOB, Stage, names, note, one, text_of, texts
from soundalike.domain.errors import (
    DamagedArtefactError,
    ModelError,
    NoArtefactError,
    NotAnalysedError,
    UnknownTrackError,
)
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.recommendation.library_index import LibraryIndex, index_library
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import TrackId
from soundalike.services.recommendation import ranking_cache

# Before anybody asks


def test_the_artefact_is_indexed_once_and_not_again_for_the_first_request(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed: list[str] = []

    def noted(artefact: Artefact) -> LibraryIndex:
        indexed.append(artefact.version)
        return index_library(artefact)

    monkeypatch.setattr(ranking_cache, "index_library", noted)
    stage.recommender.prepare()
    assert indexed == ["000001"]
    assert stage.names()
    assert indexed == ["000001"]


@pytest.mark.parametrize("failure", [NoArtefactError, DamagedArtefactError])
def test_without_an_intact_artefact_there_is_nothing_to_prepare(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, failure: type[ModelError]
) -> None:
    def current() -> Artefact:
        raise failure

    monkeypatch.setattr(stage.artefacts, "current", current)
    stage.recommender.prepare()
    with pytest.raises(failure):
        stage.ask()


# What is learned


def test_tracks_similar_to_a_finished_one_are_recommended(stage: Stage) -> None:
    stage.listen("finished harp03")
    found = stage.ask(limit=8)
    assert all(name.startswith("harp") for name in names(found))
    assert "harp03" not in names(found)
    assert texts(found)[0] == "near “Title harp03”, which you finished today"
    assert all("“Title harp03”, which you finished today" in text for text in texts(found))
    assert (found.artefact, note(found)) == ("000001", "")
    assert found.profile_version == stage.profiles.of(ADA).version


def test_a_fan_of_metal_and_harp_gets_both_and_nothing_between(stage: Stage) -> None:
    stage.listen("finished harp03", "finished metal03", "liked metal03")
    found = stage.names(limit=10)
    assert sum(name.startswith("harp") for name in found) >= 3
    assert sum(name.startswith("metal") for name in found) >= 3
    assert not any(name.startswith("mid") for name in found)


def test_one_other_listen_changes_reason_and_order(stage: Stage) -> None:
    stage.listen("finished harp03", "finished harp05")
    before = stage.ask()
    stage.listen("finished harp03", "finished harp09", user=BOB)
    after = stage.ask(user=BOB)
    assert names(before) != names(after)
    told = set(texts(before)) ^ set(texts(after))
    assert any("harp05" in text for text in told)
    assert any("harp09" in text for text in told)


def test_a_skip_and_a_like_change_the_answer_at_once(stage: Stage) -> None:
    stage.listen("finished mid03")
    before = stage.names()
    stage.listen((f"skipped {before[0]}", 1000))
    skipped = stage.names()
    assert before[0] not in skipped
    stage.listen("liked metal03")
    assert any(name.startswith("metal") for name in stage.names())


def test_a_recent_listen_weighs_more_than_an_old_one(stage: Stage) -> None:
    day = 24 * 3600 * 1000
    listens = [
        make_listen(1, track_id="metal01", at_ms=0),
        make_listen(2, track_id="metal02", at_ms=0),
        make_listen(3, track_id="harp01", at_ms=300 * day),
    ]
    stage.store.add_listens(listens)
    stage.profiles.fold(listens)
    found = stage.names(limit=6)
    assert sum(name.startswith("harp") for name in found) > sum(name.startswith("metal") for name in found)


def test_listeners_are_told_apart(stage: Stage) -> None:
    stage.listen("finished harp03", user=ADA)
    stage.listen("finished metal03", user=BOB)
    assert stage.names(user=ADA)[0].startswith("harp")
    assert stage.names(user=BOB)[0].startswith("metal")


def test_the_clock_changes_only_the_words(stage: Stage) -> None:
    stage.listen("finished harp03")
    today = stage.ask()
    stage.now += timedelta(days=300)
    later = stage.ask()
    assert (names(today), [one.score for one in today.recommendations]) == (
        names(later),
        [one.score for one in later.recommendations],
    )
    assert texts(today)[0].endswith("today")
    assert texts(later)[0].endswith("in March")


def test_every_because_is_a_listen_of_this_listener(stage: Stage) -> None:
    stage.listen("finished harp03", "liked harp03", ("skipped metal03", 2000), "finished mid01", "less mid02")
    stage.listen("finished harp05", user=BOB)
    known = {(one.track_id, one.kind, one.at_ms) for one in stage.store.listens_of(ADA)}
    found = stage.ask(limit=30, adventure=0.3)
    for each in found.recommendations:
        listens = [(one.track_id, one.kind, one.at_ms) for one in each.reason.because]
        assert known.issuperset(listens)
        assert [at_ms for _, _, at_ms in listens] == sorted((at for _, _, at in listens), reverse=True)
        assert not {"skipped", "less"} & {kind for _, kind, _ in listens}


def test_a_new_artefact_ranks_the_same_profile_again(stage: Stage) -> None:
    stage.listen("finished harp03")
    version = stage.ask().profile_version
    for number in range(12):
        stage.add(f"harp{number:02}", 50.0 + number, 50.0)
    stage.add_heap("new", 12, 55, 52)
    stage.build()
    found = stage.ask(limit=15)
    assert (found.artefact, found.profile_version) == ("000002", version)
    assert any(name.startswith("new") for name in names(found))


# Exploration


@pytest.mark.parametrize("adventure", [0.0, 0.2, 0.5, 1.0])
def test_a_share_of_the_list_is_exploration_and_says_so(stage: Stage, adventure: float) -> None:
    stage.listen("finished harp03")
    found = stage.ask(limit=20, adventure=adventure)
    exploring = sum(text.startswith("exploring") for text in texts(found))
    assert abs(exploring - 20 * adventure) <= 1
    if adventure in {0.0, 1.0}:
        assert exploring == 20 * adventure


def test_exploration_keeps_the_rules(stage: Stage) -> None:
    stage.listen("finished harp03", "disliked mid04", "finished mid05")
    found = stage.names(limit=33, adventure=1.0)
    assert not {"harp03", "mid04", "mid05"} & set(found)
    assert len(found) == len(set(found))


# Starts and seeds


def test_without_listens_the_slate_is_diverse_and_says_so(stage: Stage) -> None:
    found = stage.ask(limit=6)
    assert {name.rstrip("0123456789") for name in names(found)[:3]} == {"harp", "metal", "mid"}
    assert set(texts(found)) == {"a first mix from your whole library"}
    assert "nothing is known about your taste" in note(found)
    assert all(one.reason.because == () for one in found.recommendations)


def test_with_only_skips_the_slate_is_far_from_them(stage: Stage) -> None:
    stage.listen(*((f"skipped harp{number:02}", 1000) for number in range(4)))
    found = stage.ask(limit=8)
    assert sum(name.startswith("harp") for name in names(found)) < 3
    away = one(found, next(name for name in names(found) if name.startswith("metal")))
    assert text_of(away).endswith("away from what you rejected")
    assert {listen.kind for listen in away.reason.because} == {"skipped"}


def test_a_seed_comes_before_the_profile(stage: Stage) -> None:
    stage.listen("finished metal01", "finished metal02")
    found = stage.ask(seed="harp03", limit=8)
    assert all(name.startswith("harp") for name in names(found))
    assert "harp03" not in names(found)
    assert all("“Title harp03”" in text for text in texts(found))


def test_with_a_seed_only_similar_features_are_named() -> None:
    stage = Stage()
    rng = np.random.default_rng(0)
    for number in range(60):
        stage.add(f"t{number:02}", *rng.uniform(-10, 10, size=2).tolist())
    stage.add("seed", 0.0, 0.0)
    stage.add("even-alike", 0.05, 9.0)
    stage.add("both-alike", 0.05, 1.2)
    stage.build()
    found = stage.ask(seed="seed", limit=62)
    assert text_of(one(found, "both-alike")) == "similar even and odd to “Title seed”"
    assert text_of(one(found, "even-alike")) == "similar even to “Title seed”"
    assert one(found, "both-alike").distance == pytest.approx(np.hypot(0.05, 1.2), abs=1e-4)


def test_a_seed_outside_the_artefact_is_ranked_by_its_vector(stage: Stage) -> None:
    stage.add("new", 20.0, 0.5)
    assert stage.names(seed="new", limit=3)[0].startswith("metal")


def test_a_seed_must_be_known_and_analysed(stage: Stage) -> None:
    with pytest.raises(UnknownTrackError, match="nobody"):
        stage.ask(seed="nobody")
    stage.store.save_track(make_track("mute"))
    with pytest.raises(NotAnalysedError, match="'mute' has not been analysed"):
        stage.ask(seed="mute")
    file = file_of(stage.store.track(TrackId("mute")))
    stage.store.save_problem(FileProblem(location=file.location, reason=ProblemReason.SILENT))
    with pytest.raises(NotAnalysedError, match="'mute' is silent"):
        stage.ask(seed="mute")
