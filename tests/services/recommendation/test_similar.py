from dataclasses import replace

import numpy as np
import pytest

from artefact_store import MemoryArtefactStore, make_draft
from fakes import MemoryStore
from making import SOME_TIME, file_of, make_schema, make_track, with_halves
from soundalike.domain.errors import (
    DamagedArtefactError,
    NoArtefactError,
    NotAnalysedError,
    QueryError,
    UnknownTrackError,
)
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.similarity.space import Artefact, ArtefactDraft, Neighbours, Similar
from soundalike.domain.types import FloatArray, IndexArray, TrackId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.recommendation.similar import NeighbourFinder

SCHEMA = make_schema(1)
LINE = {"a": [0.0], "b": [1.0], "c": [3.0], "d": [7.0], "e": [15.0]}


class Stage:
    """A library of tracks on a line, and an artefact of some of them."""

    def __init__(self, artefacts: MemoryArtefactStore | None = None) -> None:
        self.store = MemoryStore()
        self.artefacts = artefacts or MemoryArtefactStore()
        self.neighbours = NeighbourFinder(
            self.store, self.artefacts, Library(self.store, RootMap(self.store, {}))
        )

    def add(self, name: str, place: float | None, *, artist: str | None = None) -> None:
        vectors = []
        if place is not None:
            parts = (np.array([place], dtype=np.float32) for _ in range(3))
            vectors = [with_halves(SCHEMA, *parts)]
        self.store.save_track(make_track(name, artist=artist or f"artist {name}"), *vectors)

    def similar(self, name: str, limit: int = 20) -> Similar:
        return self.neighbours.similar(TrackId(name), limit=limit)


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    for name, (place,) in LINE.items():
        stage.add(name, place)
    stage.artefacts.publish(make_draft(LINE, k=2, schema=SCHEMA))
    return stage


def names(similar: Similar) -> list[str]:
    return [neighbour.track.id for neighbour in similar.neighbours]


def distances(similar: Similar) -> list[float]:
    return [neighbour.distance for neighbour in similar.neighbours]


def test_the_nearest_come_first_with_their_distance(stage: Stage) -> None:
    found = stage.similar("b", limit=2)
    assert (names(found), distances(found)) == (["a", "c"], [1.0, 2.0])
    assert found.artefact == "000001"


class TestTwoArtefacts:
    """One of the audio, and one of imported features."""

    OTHER = make_schema(2, name="other")

    @pytest.fixture
    def stage(self, stage: Stage) -> Stage:
        others = MemoryArtefactStore()
        others.publish(make_draft({"x": [0.0, 0.0], "y": [1.0, 0.0], "z": [3.0, 0.0]}, schema=self.OTHER))
        for name in "xyz":
            stage.store.save_track(make_track(name, has_file=False))
        library = Library(stage.store, RootMap(stage.store, {}))
        stage.neighbours = NeighbourFinder(stage.store, stage.artefacts, library, others=[others])
        return stage

    def test_similar_tracks_come_from_the_one_that_holds_the_track(self, stage: Stage) -> None:
        assert names(stage.similar("x")) == ["y", "z"]
        assert names(stage.similar("b", limit=2)) == ["a", "c"]

    def test_a_track_that_none_holds_is_said(self, stage: Stage) -> None:
        stage.store.save_track(make_track("w", has_file=False))
        with pytest.raises(NotAnalysedError, match="has no audio here"):
            stage.similar("w")
        stage.add("f", None)
        with pytest.raises(NotAnalysedError, match=r"not been analysed for tiny-v1.*'soundalike extract'"):
            stage.similar("f")

    def test_if_the_one_of_the_audio_is_missing_the_other_answers_alone(self, stage: Stage) -> None:
        stage.artefacts = MemoryArtefactStore()
        others = stage.neighbours._others  # noqa: SLF001 - the same as in the fixture
        library = Library(stage.store, RootMap(stage.store, {}))
        stage.neighbours = NeighbourFinder(stage.store, stage.artefacts, library, others=others)
        assert names(stage.similar("x")) == ["y", "z"]
        assert [(pair.first.id, pair.second.id) for pair in stage.neighbours.pairs(limit=1)] == [("x", "y")]
        assert stage.neighbours.artefact_version() is None
        with pytest.raises(NoArtefactError):
            stage.similar("a")


def test_a_list_longer_than_the_artefact_has_continues_with_the_rest(stage: Stage) -> None:
    found = stage.similar("a", limit=100)
    assert (names(found), distances(found)) == (["b", "c", "d", "e"], [1.0, 3.0, 7.0, 15.0])


def test_a_track_is_not_its_own_neighbour(stage: Stage) -> None:
    assert "c" not in names(stage.similar("c"))


def test_vanished_tracks_are_left_out_and_replaced(stage: Stage) -> None:
    stage.store.mark_vanished([TrackId("b")], 0)
    assert names(stage.similar("a", limit=2)) == ["c", "d"]


def test_a_vanished_track_still_has_neighbours(stage: Stage) -> None:
    stage.store.mark_vanished([TrackId("a")], 0)
    assert names(stage.similar("a", limit=1)) == ["b"]


def test_a_track_outside_the_artefact_is_compared_by_its_vector(stage: Stage) -> None:
    stage.add("new", 6.0)
    found = stage.similar("new", limit=2)
    assert (names(found), distances(found)) == (["d", "c"], [1.0, 3.0])


def test_a_changed_track_is_compared_by_its_new_vector(stage: Stage) -> None:
    stage.add("a", 14.0)
    assert names(stage.similar("a", limit=1)) == ["e"]


def test_a_track_without_a_vector_is_not_analysed(stage: Stage) -> None:
    stage.add("mute", None)
    with pytest.raises(NotAnalysedError, match=f"'mute' has not been analysed for {SCHEMA.key};"):
        stage.similar("mute")


def test_a_silent_track_is_said_to_be_silent(stage: Stage) -> None:
    stage.add("mute", None)
    file = file_of(stage.store.track(TrackId("mute")))
    stage.store.save_problem(FileProblem(location=file.location, reason=ProblemReason.SILENT))
    with pytest.raises(NotAnalysedError, match="'mute' is silent, so nothing sounds like it"):
        stage.similar("mute")


def test_a_track_that_lost_its_vector_is_compared_by_its_place_in_the_artefact(stage: Stage) -> None:
    assert stage.store.forget_set(SCHEMA.key)
    assert names(stage.similar("a", limit=2)) == ["b", "c"]


def test_an_unknown_track_is_unknown(stage: Stage) -> None:
    with pytest.raises(UnknownTrackError):
        stage.similar("nobody")


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_is_1_to_100(stage: Stage, limit: int) -> None:
    with pytest.raises(QueryError, match="1 to 100"):
        stage.similar("a", limit)


def test_before_the_first_build_there_is_no_artefact() -> None:
    stage = Stage()
    stage.add("a", 0.0)
    assert stage.neighbours.artefact_version() is None
    with pytest.raises(NoArtefactError, match="soundalike build"):
        stage.similar("a")


class DamagedArtefactStore(MemoryArtefactStore):
    """Has no intact version."""

    def current(self) -> Artefact:
        msg = "the artefact 000001 is damaged; run 'soundalike build'"
        raise DamagedArtefactError(msg)


def test_if_no_artefact_is_intact_none_is_in_use() -> None:
    stage = Stage(DamagedArtefactStore())
    stage.add("a", 0.0)
    assert stage.neighbours.artefact_version() is None
    with pytest.raises(DamagedArtefactError, match="000001"):
        stage.similar("a")


def test_a_new_artefact_is_used_from_the_next_request(stage: Stage) -> None:
    stage.similar("a")
    stage.artefacts.publish(make_draft({"a": [0.0], "e": [15.0]}, k=1, schema=SCHEMA))
    found = stage.similar("a")
    assert (found.artefact, names(found)) == ("000002", ["e"])


def test_an_only_track_has_no_neighbours() -> None:
    stage = Stage()
    stage.add("a", 0.0)
    stage.artefacts.publish(make_draft({"a": [0.0]}, schema=SCHEMA))
    assert stage.similar("a").neighbours == ()


def test_neighbours_that_lsh_missed_still_come_by_distance(stage: Stage) -> None:
    draft = make_draft(LINE, k=1, schema=SCHEMA)
    rows = draft.neighbours.rows.copy()
    away = draft.neighbours.distances.copy()
    rows[0], away[0] = 2, 3.0  # b, which is nearer to a than c, was missed
    rows[4], away[4] = -1, np.inf
    stage.artefacts.publish(_with_neighbours(draft, rows, away))
    assert distances(stage.similar("a")) == [1.0, 3.0, 7.0, 15.0]
    assert names(stage.similar("e")) == ["d", "c", "b", "a"]


def test_pairs_come_closest_first_and_once(stage: Stage) -> None:
    found = stage.neighbours.pairs(limit=3)
    assert [({pair.first.id, pair.second.id}, pair.distance) for pair in found] == [
        ({"a", "b"}, 1.0),
        ({"b", "c"}, 2.0),
        ({"a", "c"}, 3.0),
    ]


def test_pairs_leave_vanished_tracks_out(stage: Stage) -> None:
    stage.store.save_track(make_track("a", vanished_at=SOME_TIME))
    found = stage.neighbours.pairs(limit=1)
    assert {found[0].first.id, found[0].second.id} == {"b", "c"}


def test_pairs_leave_out_neighbours_that_lsh_did_not_find(stage: Stage) -> None:
    draft = make_draft(LINE, k=1, schema=SCHEMA)
    rows = np.full((5, 1), -1, dtype=np.int32)
    away = np.full((5, 1), np.inf, dtype=np.float32)
    rows[0], away[0] = 1, 1.0
    stage.artefacts.publish(_with_neighbours(draft, rows, away))
    found = stage.neighbours.pairs()
    assert [(pair.first.id, pair.second.id, pair.distance) for pair in found] == [("a", "b", 1.0)]


def _with_neighbours(draft: ArtefactDraft, rows: IndexArray, away: FloatArray) -> ArtefactDraft:
    return replace(draft, neighbours=Neighbours(rows, away))


def test_copies_are_left_out_on_request(stage: Stage) -> None:
    for name, recording in {"a": "one", "b": "one", "c": "two", "e": "two"}.items():
        track = stage.store.track(TrackId(name))
        assert track is not None
        stage.store.save_track(replace(track, entry=replace(track.entry, recording=recording)))
    assert names(stage.similar("a")) == ["b", "c", "d", "e"]
    assert names(stage.neighbours.similar(TrackId("a"), hides_duplicates=True)) == ["c", "d"]
