"""Recommendations, from the store to their explanations."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from artefact_store import MemoryArtefactStore, make_draft
from fakes import MemoryStore
from making import SOME_TIME, make_listen, make_schema, make_track
from soundalike.domain.errors import (
    DamagedArtefactError,
    ModelError,
    NoArtefactError,
    NotAnalysedError,
    QueryError,
    UnknownTrackError,
)
from soundalike.domain.features import FeatureVectors
from soundalike.domain.recommendation.library_index import LibraryIndex, index_library
from soundalike.domain.recommendation.results import Recommendation, Recommendations
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import TrackId, UserId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation import ranking_cache
from soundalike.services.recommendation.recommender import Recommender
from soundalike.wire import recommendations_body

SCHEMA = make_schema(2)
ADA, BOB = UserId("ada"), UserId("bob")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TESTS = Path(__file__).parents[2]


class Stage:
    """A library on a plane, and its listeners."""

    def __init__(self) -> None:
        self.store, self.artefacts = MemoryStore(), MemoryArtefactStore()
        self.now = NOON
        self._listens = 0
        self._points: dict[str, list[float]] = {}
        self.profiles = Profiles(self.store, lateness_ms=7 * 24 * 3600 * 1000)
        self.recommender = self.new_recommender()

    def new_recommender(self) -> Recommender:
        library = Library(self.store, RootMap(self.store, {}))
        return Recommender(self.store, self.artefacts, library, self.profiles, clock=lambda: self.now)

    def add(
        self,
        name: str,
        *place: float,
        artist: str | None = "",
        title: str | None = None,
        audio_hash: str | None = None,
        duration_ms: int = 200_000,
    ) -> None:
        self._points[name] = list(place)
        whole = np.array(place, dtype=np.float32)
        track = make_track(
            name,
            artist=f"artist of {name}" if artist == "" else artist,
            title=title,
            audio_hash=audio_hash,
            duration_ms=duration_ms,
        )
        self.store.save_track(track, FeatureVectors(SCHEMA, whole, whole.copy(), whole.copy()))

    def add_heap(
        self, prefix: str, count: int, *middle: float, artist: str | None = "", seed: int = 0
    ) -> None:
        """Put tracks on a grid of four columns, with a little noise."""
        rng = np.random.default_rng(seed)
        for number in range(count):
            place = np.array(middle) + np.array(divmod(number, 4)) + rng.uniform(-0.1, 0.1, size=2)
            self.add(f"{prefix}{number:02}", *place.tolist(), artist=artist)

    def build(self) -> None:
        self.artefacts.publish(make_draft(self._points, k=10, schema=SCHEMA))

    def listen(self, *deeds: str | tuple[str, int], user: UserId = ADA) -> None:
        """Store listens such as ``"finished a"`` or ``("skipped b", 5000)``, each a minute after the last."""
        listens = []
        for deed in deeds:
            text, position_ms = (deed, None) if isinstance(deed, str) else deed
            kind, track_id = text.split()
            self._listens += 1
            at_ms = int(NOON.timestamp() * 1000) - 3_600_000 + self._listens * 60_000
            listens.append(
                make_listen(
                    self._listens,
                    user_id=user,
                    kind=kind,
                    track_id=track_id,
                    position_ms=position_ms,
                    at_ms=at_ms,
                )
            )
        self.store.add_listens(listens)
        self.profiles.fold(listens)

    def ask(
        self,
        *,
        limit: int = 10,
        seed: str | None = None,
        exclude: Iterable[str] = (),
        adventure: float = 0.0,
        user: UserId = ADA,
    ) -> Recommendations:
        return self.recommender.recommend(
            user,
            limit=limit,
            seed=None if seed is None else TrackId(seed),
            exclude=[TrackId(each) for each in exclude],
            adventure=adventure,
        )

    def names(self, **question: object) -> list[str]:
        return names(self.ask(**question))  # type: ignore[arg-type] # as `ask` takes them


def names(found: Recommendations) -> list[str]:
    return [one.track.id for one in found.recommendations]


def texts(found: Recommendations) -> list[str]:
    return [one.reason.text for one in found.recommendations]


def one(found: Recommendations, name: str) -> Recommendation:
    return next(each for each in found.recommendations if each.track.id == name)


@pytest.fixture
def stage() -> Stage:
    """A stage with harp on the left, metal on the right and others between."""
    stage = Stage()
    stage.add_heap("harp", 12, -20, 0, seed=1)
    stage.add_heap("metal", 12, 20, 0, seed=2)
    stage.add_heap("mid", 12, 0, 0, seed=3)
    stage.build()
    return stage


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


# What is learnt


def test_tracks_similar_to_a_finished_one_are_recommended(stage: Stage) -> None:
    stage.listen("finished harp03")
    found = stage.ask(limit=8)
    assert all(name.startswith("harp") for name in names(found))
    assert "harp03" not in names(found)
    assert texts(found)[0] == "near “Title harp03”, which you finished today"
    assert all("“Title harp03”, which you finished today" in text for text in texts(found))
    assert (found.artefact, found.note) == ("000001", None)
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
    told = {one.reason.text for one in before.recommendations} ^ {
        one.reason.text for one in after.recommendations
    }
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


# Rules


def test_recently_played_tracks_are_not_repeated_while_there_are_new_ones(stage: Stage) -> None:
    played = [f"harp{number:02}" for number in range(12)]
    stage.listen(*(f"finished {name}" for name in played))
    assert not set(played) & set(stage.names(limit=24))


def test_a_track_that_is_playing_is_not_recommended(stage: Stage) -> None:
    stage.listen("finished harp03", "started harp05")
    assert "harp05" not in stage.names(limit=30)


def test_a_recently_played_recording_does_not_come_from_another_file(stage: Stage) -> None:
    stage.add("copy", -20.0, 3.0, artist="Band", title="Song")
    stage.add("louder", -21.0, -3.0, artist="band", title="song")
    stage.add("other-length", -21.0, 3.0, artist="band", title="song", duration_ms=300_000)
    stage.build()
    stage.listen("finished copy")
    found = stage.names(limit=40)
    assert "louder" not in found
    assert "other-length" in found


def test_the_same_recording_comes_once(stage: Stage) -> None:
    for number, name in enumerate(("one", "two", "three")):
        stage.add(name, -20.0 + number * 1e-4, 0.1)
    stage.build()
    stage.listen("finished harp03")
    found = stage.names(limit=40)
    assert len({"one", "two", "three"} & set(found)) == 1


def test_disliked_tracks_and_their_duplicates_are_left_out(stage: Stage) -> None:
    stage.add("twin", *_place(stage, "harp04"))
    stage.build()
    stage.listen("finished harp03", "disliked harp04")
    found = stage.names(limit=40)
    assert "harp04" not in found
    assert "twin" not in found
    stage.listen("undisliked harp04")
    assert {"harp04", "twin"} & set(stage.names(limit=40))


def _place(stage: Stage, name: str) -> list[float]:
    vectors = stage.store.vectors_of(TrackId(name), SCHEMA)
    assert vectors is not None
    return [float(value) for value in vectors.whole]


def test_less_is_negative_without_excluding(stage: Stage) -> None:
    stage.listen("finished harp03", "finished metal03")
    before = stage.names(limit=36)
    liked = next(name for name in before if name.startswith("harp"))
    stage.listen(f"less {liked}")
    after = stage.names(limit=36)
    assert liked in after
    assert after.index(liked) > before.index(liked)


def beside_a_prolific_artist(count: int, *, away: float) -> Stage:
    """Many tracks by one artist, and 15 distant ones by other artists."""
    stage = Stage()
    stage.add_heap("a", count, 0, 0, artist="Prolific")
    stage.add_heap("b", 15, away, 0, seed=1)
    stage.build()
    return stage


def test_no_more_than_three_of_ten_are_by_one_artist() -> None:
    stage = beside_a_prolific_artist(15, away=2)
    stage.listen("finished b00")
    found = stage.ask(limit=12)
    by_artist = [one.track.artist == "Prolific" for one in found.recommendations]
    assert all(sum(by_artist[begin : begin + 10]) <= 3 for begin in range(3))


def test_an_artist_whom_the_listener_plays_all_the_time_may_come_more_often() -> None:
    stage = beside_a_prolific_artist(25, away=9)
    stage.listen(*(f"finished a{number:02}" for number in range(10)))
    found = stage.ask(limit=10)
    assert sum(one.track.artist == "Prolific" for one in found.recommendations) > 3


def test_the_cap_applies_from_one_answer_to_the_next() -> None:
    stage = beside_a_prolific_artist(25, away=1)
    stage.listen("liked a00")
    played = []
    for _ in range(12):
        first = stage.ask(limit=1).recommendations[0].track
        played.append(first.artist)
        stage.listen(f"started {first.id}")
    # The like gives its artist a fourth place.
    assert all(played[start : start + 10].count("Prolific") <= 4 for start in range(3))


def test_excluded_tracks_are_left_out_with_their_duplicates(stage: Stage) -> None:
    stage.add("twin", *_place(stage, "harp04"))
    stage.build()
    stage.listen("finished harp03")
    first = stage.names()
    assert not set(first[:3]) & set(stage.names(exclude=first[:3]))
    assert not {"harp04", "twin"} & set(stage.names(limit=40, exclude=["harp04"]))


def test_what_is_excluded_need_not_exist(stage: Stage) -> None:
    assert len(stage.names(exclude=["nobody"])) == 10


def test_vanished_tracks_are_left_out_and_replaced(stage: Stage) -> None:
    stage.listen("finished harp03")
    first = stage.names(limit=8)
    stage.store.mark_vanished([TrackId(name) for name in first[:4]], 0)
    found = stage.names(limit=8)
    assert len(found) == 8
    assert not set(first[:4]) & set(found)
    assert set(first[4:]) <= set(found)


def test_a_vanished_track_still_counts_and_is_named(stage: Stage) -> None:
    stage.listen("finished harp03")
    stage.store.mark_vanished([TrackId("harp03")], 0)
    assert texts(stage.ask(limit=1)) == ["near “Title harp03”, which you finished today"]


def test_hostile_titles_stay_short_plain_text(stage: Stage) -> None:
    stage.store.save_track(make_track("harp03", title="<b>\x00\n" + "“x”" * 5000), None)
    stage.listen("finished harp03")
    text = texts(stage.ask(limit=1))[0]
    assert len(text) < 120
    assert text.isprintable()


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
    assert "nothing is known about your taste" in (found.note or "")
    assert all(one.reason.because == () for one in found.recommendations)


def test_with_only_skips_the_slate_is_far_from_them(stage: Stage) -> None:
    stage.listen(*((f"skipped harp{number:02}", 1000) for number in range(4)))
    found = stage.ask(limit=8)
    assert sum(name.startswith("harp") for name in names(found)) < 3
    away = one(found, next(name for name in names(found) if name.startswith("metal")))
    assert away.reason.text.endswith("away from what you rejected")
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
    assert one(found, "both-alike").reason.text == "similar even and odd to “Title seed”"
    assert one(found, "even-alike").reason.text == "similar even to “Title seed”"
    assert one(found, "both-alike").distance == pytest.approx(np.hypot(0.05, 1.2), abs=1e-4)


def test_a_seed_outside_the_artefact_is_ranked_by_its_vector(stage: Stage) -> None:
    stage.add("new", 20.0, 0.5)
    assert stage.names(seed="new", limit=3)[0].startswith("metal")


def test_a_seed_must_be_known_and_analysed(stage: Stage) -> None:
    with pytest.raises(UnknownTrackError, match="nobody"):
        stage.ask(seed="nobody")
    stage.store.save_track(make_track("mute"))
    with pytest.raises(NotAnalysedError, match="mute"):
        stage.ask(seed="mute")


@pytest.mark.parametrize("adventure", [-0.1, 1.1, float("nan"), float("inf")])
def test_adventure_is_0_to_1(stage: Stage, adventure: float) -> None:
    with pytest.raises(QueryError, match="adventure"):
        stage.ask(adventure=adventure)


@pytest.mark.parametrize("limit", [0, 101, -5])
def test_limit_is_1_to_100(stage: Stage, limit: int) -> None:
    with pytest.raises(QueryError, match="limit"):
        stage.ask(limit=limit)


# Small libraries


def test_an_empty_library_has_nothing_to_play_and_says_so() -> None:
    stage = Stage()
    found = stage.ask()
    assert (found.artefact, found.recommendations) == (None, ())
    assert "empty" in (found.note or "")


def test_a_library_whose_tracks_have_all_vanished_is_empty(stage: Stage) -> None:
    stage.store.mark_vanished([one.track.id for one in stage.ask(limit=100).recommendations], 0)
    found = stage.ask()
    assert (found.artefact, found.recommendations) == (None, ())


def test_tracks_without_an_artefact_need_a_build() -> None:
    stage = Stage()
    stage.add("a", 0.0, 0.0)
    with pytest.raises(NoArtefactError, match="soundalike build"):
        stage.ask()


def test_an_only_track_is_played_and_played_again() -> None:
    stage = Stage()
    stage.add("a", 0.0, 0.0)
    stage.build()
    assert stage.names(adventure=0.2) == ["a"]
    stage.listen("finished a")
    again = stage.ask(adventure=0.2)
    assert texts(again) == ["a repeat, last played today"]
    assert again.note == "everything was played recently, so these are repeats, the longest ago first"
    assert stage.ask(seed="a").recommendations == ()


def test_of_five_tracks_the_new_come_first_then_the_longest_ago() -> None:
    stage = Stage()
    for number, name in enumerate("abcde"):
        stage.add(name, float(number), 0.0)
    stage.build()
    stage.listen("finished c", "finished a", ("skipped b", 900))
    found = stage.ask()
    assert set(names(found)[:2]) == {"d", "e"}
    assert names(found)[2:] == ["c", "a", "b"]
    assert "longest ago" in (found.note or "")


def test_if_everything_is_disliked_nothing_plays_and_the_note_says_why() -> None:
    stage = Stage()
    for number, name in enumerate("ab"):
        stage.add(name, float(number), 0.0)
    stage.build()
    stage.listen("disliked a", "disliked b")
    found = stage.ask()
    assert found.recommendations == ()
    assert "disliked" in (found.note or "")
    assert found.artefact == "000001"


def test_if_everything_is_excluded_the_note_says_why() -> None:
    stage = Stage()
    stage.add("a", 0.0, 0.0)
    stage.build()
    assert "excluded" in (stage.ask(exclude=["a"]).note or "")


def test_a_library_of_one_artist_is_played_and_the_note_says_so() -> None:
    stage = Stage()
    stage.add_heap("a", 15, 0, 0, artist="Only")
    stage.build()
    stage.listen("finished a03")
    found = stage.ask(limit=10)
    assert len(found.recommendations) == 10
    assert found.note == "all tracks are by one artist, because there are too few others"


def test_a_library_of_equal_tracks_is_one_recording() -> None:
    stage = Stage()
    for name in "abc":
        stage.add(name, 1.0, 1.0)
    stage.build()
    assert len(stage.names()) == 1


def test_a_liked_track_that_was_not_played_is_recommended_itself(stage: Stage) -> None:
    stage.listen("liked metal07")
    assert texts(stage.ask(limit=1)) == ["you liked it today"]
    assert stage.names(limit=1) == ["metal07"]


# The same question, the same answer


def body(found: Recommendations) -> str:
    return json.dumps(recommendations_body(found))


def test_the_same_question_has_the_same_answer_with_any_cache(stage: Stage) -> None:
    stage.listen("finished harp03", "liked metal05", ("skipped mid01", 4000))
    question = {"adventure": 0.4, "limit": 15, "exclude": ["harp01", "metal01"]}
    first = body(stage.ask(**question))  # type: ignore[arg-type] # as `ask` takes them
    assert body(stage.ask(**question)) == first  # type: ignore[arg-type] # the same
    stage.recommender = stage.new_recommender()
    assert body(stage.ask(**question)) == first  # type: ignore[arg-type] # the same
    stage.now += timedelta(hours=1)
    assert body(stage.ask(**question | {"exclude": ["metal01", "harp01"]})) == first  # type: ignore[arg-type] # the same


def test_each_part_of_the_question_changes_the_random_numbers(stage: Stage) -> None:
    stage.listen("finished harp03")
    plain = stage.names(limit=12, adventure=0.5)
    assert stage.names(limit=13, adventure=0.5)[:12] != plain
    assert stage.names(limit=12, adventure=0.5, exclude=["nobody"]) != plain


PROGRAM = """
import sys
from services.recommendation.test_recommender import Stage, body
stage = Stage()
stage.add_heap("a", 20, 0, 0)
stage.add_heap("b", 20, 9, 0, seed=1)
stage.build()
stage.listen("finished a03", "liked b05", ("skipped a07", 2000), "disliked b09", "finished a11")
print(body(stage.ask(limit=20, adventure=0.3, exclude={"a01", "b01", "b02"})))
"""


def test_the_same_listens_give_the_same_answer_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            check=True,
            cwd=TESTS,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)},
        ).stdout
        for seed in ("1", "77")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


def test_many_threads_at_once_get_the_answers_of_one(stage: Stage) -> None:
    users = [UserId(f"u{number}") for number in range(6)]
    for number, user in enumerate(users):
        stage.listen(f"finished harp{number:02}", f"finished metal{number:02}", user=user)
    alone = {user: body(stage.ask(user=user, adventure=0.2)) for user in users}
    stage.recommender = stage.new_recommender()
    answers: list[tuple[UserId, str]] = []

    def ask(user: UserId) -> None:
        answers.extend((user, body(stage.ask(user=user, adventure=0.2))) for _ in range(5))

    threads = [threading.Thread(target=ask, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 30
    assert all(answer == alone[user] for user, answer in answers)


def test_the_order_of_tracks_in_the_artefact_changes_nothing(stage: Stage) -> None:
    stage.listen("finished harp03", "finished metal03", ("skipped mid01", 100))
    first = stage.names(limit=20)
    points = dict(reversed(list(stage._points.items())))  # noqa: SLF001 - the stage's own
    stage.artefacts.publish(make_draft(points, k=10, schema=SCHEMA))
    assert stage.names(limit=20) == first


def test_a_track_that_came_back_is_recommended_again(stage: Stage) -> None:
    stage.listen("finished harp03")
    first = stage.names(limit=3)
    stage.store.mark_vanished([TrackId(first[0])], 0)
    stage.names(limit=3)
    stage.store.save_track(make_track(first[0], artist=f"artist of {first[0]}", added_at=SOME_TIME))
    assert stage.names(limit=3) == first
