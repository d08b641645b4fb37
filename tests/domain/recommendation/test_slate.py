from collections.abc import Iterator
from itertools import cycle, pairwise, repeat
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.recommendation.toy_library import candidate
from making import make_track
from soundalike.domain.catalogue import first_artist
from soundalike.domain.recommendation.known_recordings import KnownRecordings
from soundalike.domain.recommendation.results import Role
from soundalike.domain.recommendation.rules import ArtistRules
from soundalike.domain.recommendation.slate import (
    MAX_DELAYED,
    Candidate,
    CandidateLists,
    Candidates,
    Slate,
    diversify,
)

FAR_APART = np.arange(400, dtype=np.float32)[:, None] * 10


def recordings(**places: float) -> KnownRecordings:
    """Every row far from every other, but for rows that are put somewhere, such as ``r3=10.05``."""
    coordinates = FAR_APART.copy()
    for name, place in places.items():
        coordinates[int(name[1:])] = place
    return KnownRecordings(coordinates, thresholds=np.full(len(coordinates), 0.1, dtype=np.float32))


def slate_of(  # noqa: PLR0913 - one keyword per argument, each with a default
    *candidate_lists: list[Candidate],
    turns: Iterator[int] | None = None,
    exploration: list[Candidate] | None = None,
    slots: Iterator[bool] | None = None,
    repeats: list[Candidate] | None = None,
    known: KnownRecordings | None = None,
    rules: ArtistRules | None = None,
    limit: int = 300,
    is_whole: bool = True,
    is_last: bool = False,
) -> Slate:
    lists = CandidateLists(
        tastes=[Candidates(candidates, is_whole) for candidates in candidate_lists],
        turns=turns or cycle(range(len(candidate_lists))),
        exploration=Candidates(exploration or ()),
        slots=slots or repeat(False),  # noqa: FBT003 - what it yields
        repeats=repeats or (),
    )
    rules = rules or ArtistRules({}, are_apart=False)
    return diversify(lists, known or recordings(), rules, limit=limit, is_last=is_last)


def row_numbers(slate: Slate) -> list[int]:
    return [each.row for each in slate.candidates]


def build_slate(*candidate_lists: list[Candidate], **how: Any) -> list[int]:
    return row_numbers(slate_of(*candidate_lists, **how))


def rows(first: int, count: int) -> list[Candidate]:
    return [candidate(row) for row in range(first, first + count)]


def test_candidates_come_in_their_order() -> None:
    assert build_slate(rows(0, 4)) == [0, 1, 2, 3]


def test_candidate_lists_take_turns_and_the_longer_one_continues() -> None:
    assert build_slate(rows(0, 2), rows(10, 4)) == [0, 10, 1, 11, 12, 13]


def test_a_track_of_two_candidate_lists_comes_once() -> None:
    assert build_slate(rows(0, 3), rows(1, 3)) == [0, 1, 2, 3]


def test_a_place_for_exploration_gets_an_explored_track() -> None:
    slots = cycle([False, True, False])
    assert build_slate(rows(0, 4), exploration=rows(10, 2), slots=slots) == [0, 10, 1, 2, 11, 3]


def test_without_explored_tracks_candidates_take_the_place() -> None:
    assert build_slate(rows(0, 3), exploration=rows(10, 1), slots=repeat(True)) == [10, 0, 1, 2]  # noqa: FBT003 - what it yields


def test_the_same_recording_comes_once_by_audio_name_or_sound() -> None:
    same_audio = [candidate(0, audio_hash="h"), candidate(1, audio_hash="h"), candidate(2)]
    assert build_slate(same_audio) == [0, 2]
    same_name = [candidate(0, artist="A", title="Song"), candidate(1, artist="a", title="SONG"), candidate(2)]
    assert build_slate(same_name) == [0, 2]
    assert build_slate(rows(0, 3), known=recordings(r1=0.05)) == [0, 2]
    assert build_slate(rows(0, 3), known=recordings(r1=0.2)) == [0, 1, 2]


def test_an_excluded_recording_does_not_come_from_another_file() -> None:
    known = recordings()
    known.exclude(make_track("x", artist="artist 1", title="title 1"))
    assert build_slate(rows(0, 3), known=known) == [0, 2]


def test_an_artist_who_had_three_of_ten_waits_for_others() -> None:
    candidates = [*(candidate(row, artist="A") for row in range(5)), *rows(10, 8)]
    assert build_slate(candidates) == [0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 3, 4, 17]


def test_if_no_other_is_left_the_artist_continues() -> None:
    slate = slate_of([candidate(row, artist="A") for row in range(5)])
    assert row_numbers(slate) == [0, 1, 2, 3, 4]
    assert slate.has_exceeded_cap


def test_another_taste_takes_the_place_of_a_delayed_artist() -> None:
    one = [candidate(row, artist="A") for row in range(5)]
    assert build_slate(one, rows(10, 2), turns=repeat(0)) == [0, 1, 2, 10, 11, 3, 4]


def test_beyond_many_tracks_by_one_artist_the_cap_is_exceeded() -> None:
    prolific = [candidate(row, artist="A") for row in range(MAX_DELAYED + 3)]
    assert build_slate([*prolific, candidate(300)], limit=4) == [0, 1, 2, 3]
    assert build_slate([*prolific[:-1], candidate(300)], limit=4) == [0, 1, 2, 300]


def test_a_list_that_ends_before_its_slate_is_cut() -> None:
    assert not slate_of(rows(0, 5), is_whole=False, limit=5).is_cut
    cut = slate_of(rows(0, 5), is_whole=False, limit=6)
    assert cut.is_cut
    last = slate_of(rows(0, 5), is_whole=False, limit=6, is_last=True, repeats=rows(9, 1))
    assert last.is_cut
    assert row_numbers(last) == [0, 1, 2, 3, 4, 9]


def test_repeats_come_last_each_recording_once() -> None:
    again = [candidate(row, role=Role.REPEAT) for row in (5, 2, 4, 5)]
    assert build_slate([candidate(3)], repeats=again, known=recordings(r2=30.05)) == [3, 5, 4]
    assert build_slate(rows(0, 3), repeats=again, limit=3) == [0, 1, 2]


# No artist twice in a row


def after(artists: str = "") -> ArtistRules:
    """Rules after tracks by some artists."""
    return ArtistRules({}, [first_artist(make_track(artist=artist)) for artist in artists])


def test_no_artist_comes_twice_in_a_row_while_there_is_another() -> None:
    candidates = [candidate(row, artist=artist) for row, artist in enumerate("AABAC")]
    assert build_slate(candidates, rules=after()) == [0, 2, 1, 4, 3]


def test_the_first_is_by_another_artist_than_what_just_played() -> None:
    candidates = [candidate(row, artist=artist) for row, artist in enumerate("AB")]
    assert build_slate(candidates, rules=after("BA")) == [1, 0]


def test_another_artist_is_found_however_far_behind() -> None:
    prolific = [candidate(row, artist="A") for row in range(MAX_DELAYED * 2)]
    assert build_slate([*prolific, candidate(300)], rules=after(), limit=2) == [0, 300]


def test_another_artist_beyond_the_cap_comes_before_the_same_one_again() -> None:
    candidates = [candidate(row, artist="B") for row in range(2)] + [candidate(5, artist="A")]
    slate = slate_of(candidates, rules=after("BBBXA"), limit=3)
    assert row_numbers(slate) == [0, 5, 1]
    assert slate.has_exceeded_cap


def test_if_all_that_is_left_is_by_one_artist_it_comes_again() -> None:
    slate = slate_of([candidate(row, artist="A") for row in range(2)], rules=after())
    assert row_numbers(slate) == [0, 1]
    assert not slate.has_exceeded_cap


def test_repeats_follow_another_artist_too() -> None:
    again = [
        candidate(row, artist=artist, role=Role.REPEAT) for row, artist in ((5, "A"), (6, "B"), (7, "A"))
    ]
    assert build_slate([candidate(3, artist="A")], repeats=again, rules=after()) == [3, 6, 5, 7]


@given(st.lists(st.sampled_from(["A", "B", "C", None]), max_size=30), st.sampled_from("ABX"))
def test_an_artist_comes_twice_in_a_row_only_if_all_that_is_left_is_theirs(
    artists: list[str | None], latest: str
) -> None:
    candidates = [candidate(row, artist=artist or f"only {row}") for row, artist in enumerate(artists)]
    slate = slate_of(candidates, rules=after(latest))
    assert sorted(row_numbers(slate)) == list(range(len(artists)))
    order = [latest, *(one.track.artist for one in slate.candidates)]
    for place, (one, other) in enumerate(pairwise(order)):
        if one == other:
            assert set(order[place + 1 :]) == {one}


@given(
    st.lists(st.sampled_from("ABC"), max_size=30),
    st.lists(st.sampled_from("ABCDE"), max_size=30),
    st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_every_candidate_comes_once(first: list[str], second: list[str], slots: list[bool]) -> None:
    candidate_lists = [
        [candidate(start + row, artist=artist) for row, artist in enumerate(names)]
        for start, names in ((0, first), (100, second))
    ]
    served = build_slate(*candidate_lists, slots=cycle(slots))
    assert sorted(served) == [each.row for candidates in candidate_lists for each in candidates]
