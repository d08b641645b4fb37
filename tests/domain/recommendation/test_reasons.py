import pytest

from domain.recommendation.toy_library import build_index, candidate, scatter, taste_of
from making import make_track
from soundalike.domain.listens import ListenKind
from soundalike.domain.recommendation.attribution import attribute
from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.reasons import ReasonContext, describe, explain
from soundalike.domain.recommendation.results import Because, Cause, Likeness, Note, Reason, Role
from soundalike.domain.recommendation.scoring import score_library
from soundalike.domain.recommendation.slate import Candidate, Slate
from soundalike.domain.recommendation.weighted_tracks import profile_taste
from soundalike.domain.types import TrackId


def test_a_reason_is_the_track_that_counts_most_and_what_was_done_with_it() -> None:
    taste = taste_of("finished b", "finished b", "skipped c")
    index = build_index({"a": [0.0], "b": [0.1], "c": [50.0], **scatter(20, size=1)})
    scoring = score_library(index, profile_taste(taste, index))
    attribution = attribute(scoring, index.rows_of([TrackId("a")]), Role.TASTE)[0]
    reason = explain(TrackId("a"), attribution, ReasonContext(taste=taste, titles={TrackId("b"): "B"}))
    times = (24 * 3600 * 1000, 24 * 3600 * 1000 + 60_000)
    assert reason == Reason(
        code=Role.TASTE,
        because=tuple(Because(TrackId("b"), ListenKind.FINISHED, at_ms) for at_ms in reversed(times)),
        cause=Cause(track_id=TrackId("b"), title="B", is_near=True, kind=ListenKind.FINISHED, times_ms=times),
    )


def test_a_reason_by_a_seed_says_in_what_the_two_are_alike() -> None:
    taste = taste_of()
    index = build_index({"a": [0.0], "b": [0.1], "c": [50.0], **scatter(20, size=1)})
    scoring = score_library(index, profile_taste(taste, index), index.coordinates[1])
    attribution = attribute(scoring, index.rows_of([TrackId("a")]), Role.SEED)[0]
    context = ReasonContext(
        taste=taste,
        titles={},
        seed=make_track("b", title="B"),
        similar_features={TrackId("a"): ("timbre",)},
    )
    likeness = Likeness(seed_id=TrackId("b"), title="B", features=("timbre",), is_close=True)
    assert explain(TrackId("a"), attribution, context) == Reason(code=Role.SEED, likeness=likeness)


def notes(  # noqa: PLR0913 - one keyword per argument, each with a default
    *candidates: Candidate,
    seed: str | None = None,
    limit: int = 3,
    excluded: int = 0,
    disliked: int = 0,
    exceeded: bool = False,
    cut: bool = False,
    vanished: bool = False,
) -> tuple[Note, ...]:
    question = Question(
        seed=None if seed is None else TrackId(seed),
        limit=limit,
        exclude=[TrackId(str(number)) for number in range(excluded)],
    )
    slate = Slate(list(candidates), has_exceeded_cap=exceeded, is_cut=cut)
    return describe(slate, question, disliked=disliked, has_mostly_vanished=vanished)


def of(*roles: Role) -> list[Candidate]:
    return [candidate(row, role=role) for row, role in enumerate(roles)]


def test_a_full_slate_by_taste_has_no_note() -> None:
    assert notes(*of(Role.TASTE, Role.TASTE, Role.EXPLORATION)) == ()


@pytest.mark.parametrize(
    ("roles", "note"),
    [
        ([Role.COLD_START] * 3, Note.UNKNOWN_TASTE),
        ([Role.TASTE], Note.NO_MORE),
        ([Role.REPEAT] * 3, Note.ALL_REPEATS),
        ([Role.TASTE, Role.REPEAT, Role.REPEAT], Note.SOME_REPEATS),
    ],
)
def test_what_is_unusual_is_noted(roles: list[Role], note: Note) -> None:
    assert notes(*of(*roles)) == (note,)


def test_the_note_of_an_empty_slate_says_why() -> None:
    assert notes(disliked=3) == (Note.ALL_DISLIKED,)
    assert notes(excluded=3) == (Note.ALL_EXCLUDED,)
    assert notes(excluded=3, disliked=1) == (Note.ALL_DISLIKED_OR_EXCLUDED,)
    assert notes() == (Note.NOTHING,)
    assert notes(seed="a") == (Note.ONLY_SEED,)


def test_a_slate_of_one_artist_says_so() -> None:
    alone = [candidate(row, artist="A") for row in range(3)]
    assert notes(*alone, exceeded=True) == (Note.ALL_ONE_ARTIST,)
    assert notes(*alone[:2], candidate(7), exceeded=True) == (Note.MANY_ONE_ARTIST,)
    assert notes(*alone) == ()


def test_a_slate_that_ends_early_says_so_if_much_has_vanished() -> None:
    assert notes(*of(Role.TASTE), cut=True, vanished=True) == (Note.MANY_VANISHED,)
    assert notes(cut=True, vanished=True) == (Note.MANY_VANISHED,)
    assert notes(*of(Role.TASTE), cut=True, vanished=True, limit=1) == ()


def test_a_slate_that_ends_early_for_another_reason_does_not_say_that_tracks_have_vanished() -> None:
    assert notes(*of(Role.TASTE), cut=True) == (Note.NO_MORE,)
    assert notes(cut=True, excluded=3) == (Note.ALL_EXCLUDED,)
