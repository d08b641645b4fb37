from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from domain.recommendation.toy_library import (
    DAY_MS,
    Points,
    blob,
    build_index,
    taste_of,
)
from making import make_listen, make_track
from soundalike.domain.recommendation.attribution import Attribution, attribute
from soundalike.domain.recommendation.reasons import ReasonContext, explain
from soundalike.domain.recommendation.results import Because, Note, Role
from soundalike.domain.recommendation.scoring import score_library
from soundalike.domain.recommendation.weighted_tracks import profile_taste
from soundalike.domain.taste import NO_TASTE, Taste, fold_taste
from soundalike.domain.types import TrackId
from soundalike.wire.reasons import TITLE_LENGTH, list_words, note_text, quoted, reason_text, relative_date

DAY_TWO = datetime(1970, 1, 2, 12, 0, tzinfo=UTC)
CORNERS: Points = (
    blob("a", 15, 0, 0) | blob("b", 15, 30, 0) | {"x": [0.0, 0.2], "y": [30.0, 0.2], "z": [0, 60]}
)


@dataclass(frozen=True)
class Told:
    """A reason in words, with the listens that it is due to."""

    text: str
    because: tuple[Because, ...] = ()


def attribution_of(
    track_id: str, taste: Taste, *, role: Role = Role.TASTE, seed: list[float] | None = None
) -> Attribution:
    index = build_index(CORNERS)
    place = None if seed is None else np.array(seed, dtype=np.float32)
    scoring = score_library(index, profile_taste(taste, index), place)
    return attribute(scoring, index.rows_of([TrackId(track_id)]), role)[0]


def told(
    track_id: str,
    taste: Taste,
    *,
    now: datetime = DAY_TWO,
    role: Role = Role.TASTE,
    seed: list[float] | None = None,
    similar_features: tuple[str, ...] = (),
) -> Told:
    place = _track_at(seed)
    context = ReasonContext(
        taste=taste,
        titles={TrackId(name): name.upper() for name in CORNERS},
        seed=make_track(place or "elsewhere", title="Seed") if seed else None,
        similar_features={TrackId(track_id): similar_features},
    )
    reason = explain(TrackId(track_id), attribution_of(track_id, taste, role=role, seed=seed), context)
    return Told(reason_text(reason, track_id=TrackId(track_id), now=now), reason.because)


def _track_at(place: list[float] | None) -> TrackId | None:
    return next((TrackId(name) for name, corner in CORNERS.items() if list(corner) == place), None)


def test_it_names_the_track_that_raised_the_score_most() -> None:
    reason = told("x", taste_of("finished a01", "finished z"))
    assert reason.text == "near “A01”, which you finished today"


def test_of_two_equally_close_tracks_the_one_with_more_weight_is_named() -> None:
    taste = taste_of("liked a01", "finished a02")
    assert told("x", taste).text == "near “A01”, which you liked today"
    assert told("x", taste_of("finished a01", "liked a02")).text == "near “A02”, which you liked today"


@pytest.mark.parametrize(
    ("listens", "days", "words"),
    [
        (["finished a01"], 0, "finished today"),
        (["finished a01", "finished a01"], 1, "finished twice yesterday"),
        (["finished a01"] * 3, 5, "finished three times 5 days ago"),
        (["finished a01"] * 7, 20, "finished often 2 weeks ago"),
        (["liked a01", "finished a01"], 100, "liked in January"),
        (["liked a01", "finished a01", "unliked a01"], 0, "finished today"),
    ],
)
def test_it_says_what_the_listener_did_and_when(listens: list[str], days: int, words: str) -> None:
    reason = told("x", taste_of(*listens), now=DAY_TWO + timedelta(days=days))
    assert reason.text == f"near “A01”, which you {words}"


def test_skips_do_not_hide_finishes() -> None:
    taste = taste_of(*["finished a01"] * 5, *["skipped a01"] * 4)
    reason = told("x", taste)
    assert reason.text == "near “A01”, which you finished often today"
    assert [(one.track_id, one.kind) for one in reason.because] == [("a01", "finished")] * 4


def test_the_named_listen_is_among_the_listens_even_if_there_are_many() -> None:
    taste = taste_of(*["finished a01"] * 4, "liked a01", *["finished a02"] * 4, *["finished a03"] * 4)
    reason = told("x", taste)
    assert reason.text == "near “A01”, which you liked today"
    assert len(reason.because) == 8
    assert ("a01", "liked") in [(one.track_id, one.kind) for one in reason.because]


def test_of_plays_on_several_days_the_last_is_named() -> None:
    listens = [make_listen(n, track_id="a01", at_ms=(n + 1) * DAY_MS) for n in range(2)]
    reason = told("x", fold_taste(NO_TASTE, listens), now=DAY_TWO + timedelta(days=2))
    assert reason.text == "near “A01”, which you finished twice, last yesterday"


def test_a_track_that_is_not_near_is_not_called_near() -> None:
    assert told("y", taste_of("finished a01")).text.startswith("somewhat near “A01”")


def test_because_lists_the_listens_that_count_latest_first() -> None:
    reason = told("x", taste_of("finished a01", "skipped b01", "liked a02", "finished a01"))
    assert [(one.track_id, one.kind) for one in reason.because] == [
        ("a01", "finished"),
        ("a02", "liked"),
        ("a01", "finished"),
    ]
    assert [one.at_ms for one in reason.because] == [DAY_MS + minute * 60_000 for minute in (3, 2, 0)]


def test_a_track_that_adds_less_than_a_tenth_is_not_listed() -> None:
    near, far = [f"finished a0{n}" for n in range(3)], ["finished z"]
    taste = taste_of(*near, *far)
    assert {one.track_id for one in told("x", taste).because} == {"a00", "a01", "a02"}


def test_a_judgement_that_was_withdrawn_is_not_listed() -> None:
    reason = told("x", taste_of("finished a01", "liked a01", "unliked a01"))
    assert [one.kind for one in reason.because] == ["finished"]


def test_the_distance_is_to_the_track_that_is_named() -> None:
    index = build_index(CORNERS)
    away = index.coordinates[index.rows[TrackId("x")]] - index.coordinates[index.rows[TrackId("a01")]]
    assert attribution_of("x", taste_of("finished a01")).distance == pytest.approx(
        np.linalg.norm(away), abs=1e-4
    )


def test_a_liked_track_is_its_own_reason() -> None:
    taste = taste_of("liked x")
    assert told("x", taste).text == "you liked it today"
    assert attribution_of("x", taste).distance == 0


def test_with_a_seed_it_names_similar_features_and_no_listens() -> None:
    reason = told("x", NO_TASTE, role=Role.SEED, seed=[0.0, 0.0], similar_features=("timbre", "brightness"))
    assert reason == Told("similar timbre and brightness to “Seed”")
    assert attribution_of("x", NO_TASTE, role=Role.SEED, seed=[0.0, 0.0]).distance == pytest.approx(0.2)


def test_a_seed_that_was_liked_is_named_once() -> None:
    reason = told(
        "x", taste_of("liked a01"), role=Role.SEED, seed=list(CORNERS["a01"]), similar_features=("timbre",)
    )
    assert reason.text == "similar timbre to “Seed”, which you liked today"
    assert [one.track_id for one in reason.because] == ["a01"]


def test_without_similar_features_it_says_how_close_the_seed_is() -> None:
    assert told("x", NO_TASTE, role=Role.SEED, seed=[0.0, 0.0]).text == "close to “Seed” overall"
    far = told("z", NO_TASTE, role=Role.SEED, seed=[0.0, 0.1])
    assert far.text == "not very close to “Seed”"


def test_with_a_seed_a_listen_is_named_if_it_counts() -> None:
    reason = told("x", taste_of("liked a01"), role=Role.SEED, seed=[0.0, 0.1], similar_features=("timbre",))
    assert reason.text == "similar timbre to “Seed”; near “A01”, which you liked today"
    assert [one.track_id for one in reason.because] == ["a01"]
    other = told("y", taste_of("liked z"), role=Role.SEED, seed=[30.0, 0.0], similar_features=("timbre",))
    assert other == Told("similar timbre to “Seed”")


def test_exploration_is_called_so() -> None:
    assert told("z", taste_of("finished a01"), role=Role.EXPLORATION) == Told(
        "exploring: picked at random", ()
    )


def test_a_cold_start_is_called_so_and_names_skips_only_if_they_decided() -> None:
    assert told("z", NO_TASTE, role=Role.COLD_START) == Told("a first mix from your whole library", ())
    taste = taste_of("skipped a01", "less a02")
    away = told("z", taste, role=Role.COLD_START)
    assert away.text == "a first mix from your whole library, away from what you rejected"
    assert [(one.track_id, one.kind) for one in away.because] == [("a02", "less"), ("a01", "skipped")]
    assert told("x", taste, role=Role.COLD_START).because == ()


def test_a_repeat_says_when_it_was_played() -> None:
    reason = told("a01", taste_of("finished a01", "skipped a01"), role=Role.REPEAT)
    assert reason.text == "a repeat, last played today"
    assert [one.kind for one in reason.because] == ["skipped", "finished"]
    assert attribution_of("a01", taste_of("finished a01"), role=Role.REPEAT).distance == 0


def test_a_track_without_a_title_in_the_store_is_a_track() -> None:
    taste = taste_of("finished a01")
    reason = explain(TrackId("x"), attribution_of("x", taste), ReasonContext(taste=taste, titles={}))
    text = reason_text(reason, track_id=TrackId("x"), now=DAY_TWO)
    assert text == "near a track, which you finished today"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Plain", "“Plain”"),
        ("two\nlines\tand\x00more", "“two lines and more”"),
        ("turned \u202e round", "“turned round”"),
        ("he said “no”", '“he said "no"”'),
        ("<script>alert(1)</script>", "“<script>alert(1)</script>”"),
        ("\ud800", "“”"),
        ("", "“”"),
    ],
)
def test_a_title_is_one_line_of_plain_text(title: str, shown: str) -> None:
    assert quoted(title) == shown


def test_a_long_title_is_cut() -> None:
    assert len(quoted("x" * 100_000)) <= TITLE_LENGTH + 2
    assert quoted("x" * 100_000).endswith("x…”")


def test_a_listen_that_only_started_says_nothing() -> None:
    taste = fold_taste(NO_TASTE, [make_listen(1, kind="started", track_id="a01", at_ms=DAY_MS)])
    assert len(profile_taste(taste, build_index(CORNERS)).positive) == 0


NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def at_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(hours=11), "today"),
        (timedelta(minutes=-4), "today"),
        (timedelta(hours=13), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=55), "7 weeks ago"),
        (timedelta(days=75), "in May"),
        (timedelta(days=600), "in November 2024"),
    ],
)
def test_dates_are_relative(ago: timedelta, words: str) -> None:
    assert relative_date(at_ms(NOW - ago), NOW) == words


def test_a_month_of_last_year_has_its_year() -> None:
    assert relative_date(at_ms(datetime(2025, 7, 20, tzinfo=UTC)), NOW) == "in July 2025"
    assert relative_date(at_ms(datetime(2025, 10, 20, tzinfo=UTC)), NOW) == "in October"


def test_days_begin_where_the_listener_is() -> None:
    east = timezone(timedelta(hours=10))
    late = datetime(2026, 7, 14, 20, 0, tzinfo=UTC)  # the 15th in the east
    assert relative_date(at_ms(late), NOW) == "yesterday"
    assert relative_date(at_ms(late), NOW.astimezone(east)) == "today"


@pytest.mark.parametrize("hours", [-12, 0, 14])
def test_the_earliest_time_has_a_date_in_every_zone(hours: int) -> None:
    earliest = at_ms(datetime(1, 1, 1, tzinfo=UTC))
    assert relative_date(earliest, NOW.astimezone(timezone(timedelta(hours=hours)))) == "in January 1"


def test_words_are_listed_with_and() -> None:
    assert list_words(["timbre"]) == "timbre"
    assert list_words(["timbre", "brightness"]) == "timbre and brightness"
    assert list_words(["a", "b", "c"]) == "a, b and c"


def test_notes_are_sentences_side_by_side() -> None:
    assert note_text([]) is None
    assert note_text([Note.NO_MORE, Note.MANY_ONE_ARTIST]) == (
        "there are no more tracks to play; many tracks are by one artist, because there are too few others"
    )


@pytest.mark.parametrize("note", Note)
def test_every_note_has_its_words(note: Note) -> None:
    assert note_text([note])
