from collections.abc import Iterator
from itertools import cycle, islice, repeat

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.recommendation.toy_library import candidate
from making import make_track
from soundalike.domain.recommendation import slate
from soundalike.domain.recommendation.rules import ArtistCap
from soundalike.domain.recommendation.slate import (
    Candidate,
    Recordings,
    Role,
    SlateBuilder,
    without_duplicates,
)

FAR_APART = np.arange(400, dtype=np.float32)[:, None] * 10


def recordings(**places: float) -> Recordings:
    """Every row far from every other, but for rows that are put somewhere, such as ``r3=10.05``."""
    coordinates = FAR_APART.copy()
    for name, place in places.items():
        coordinates[int(name[1:])] = place
    return Recordings(coordinates, thresholds=np.full(len(coordinates), 0.1, dtype=np.float32))


def build_slate(
    *candidate_lists: list[Candidate],
    turns: Iterator[int] | None = None,
    exploration: list[Candidate] | None = None,
    slots: Iterator[bool] | None = None,
    known: Recordings | None = None,
) -> list[int]:
    builder = SlateBuilder(known or recordings(), ArtistCap({}))
    served = builder.build(
        [iter(candidates) for candidates in candidate_lists],
        turns or cycle(range(len(candidate_lists))),
        iter(exploration or ()),
        slots or repeat(False),  # noqa: FBT003 - what it yields
    )
    return [each.row for each in islice(served, 300)]


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


def test_a_copy_of_recordings_is_independent() -> None:
    known = recordings()
    known.add(candidate(0))
    copy = known.copy()
    copy.add(candidate(1))
    assert [known.has(candidate(row)) for row in (0, 1)] == [True, False]
    assert [copy.has(candidate(row)) for row in (0, 1)] == [True, True]


def test_an_artist_who_had_three_of_ten_waits_for_others() -> None:
    candidates = [*(candidate(row, artist="A") for row in range(5)), *rows(10, 8)]
    assert build_slate(candidates) == [0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 3, 4, 17]


def test_if_no_other_is_left_the_artist_continues() -> None:
    builder = SlateBuilder(recordings(), ArtistCap({}))
    candidates = [candidate(row, artist="A") for row in range(5)]
    served = builder.build([iter(candidates)], repeat(0), iter(()), repeat(False))  # noqa: FBT003 - what it yields
    assert [each.row for each in served] == [0, 1, 2, 3, 4]
    assert builder.has_exceeded_cap


def test_another_taste_takes_the_place_of_a_delayed_artist() -> None:
    one = [candidate(row, artist="A") for row in range(5)]
    assert build_slate(one, rows(10, 2), turns=repeat(0)) == [0, 1, 2, 10, 11, 3, 4]


def test_a_library_of_one_artist_is_not_read_to_its_end() -> None:
    read = 0

    def count() -> Iterator[Candidate]:
        nonlocal read
        for row in range(400):
            read += 1
            yield candidate(row, artist="A")

    builder = SlateBuilder(recordings(), ArtistCap({}))
    served = builder.build([count()], repeat(0), iter(()), repeat(False))  # noqa: FBT003 - what it yields
    assert [each.row for each in islice(served, 10)] == list(range(10))
    assert read <= slate.MAX_DELAYED + 10


def test_no_more_is_read_than_is_used() -> None:
    candidates = iter(rows(0, 100))
    builder = SlateBuilder(recordings(), ArtistCap({}))
    list(islice(builder.build([candidates], repeat(0), iter(()), repeat(False)), 5))  # noqa: FBT003 - what it yields
    assert next(candidates).row == 5


def test_repeats_come_in_their_order_each_recording_once() -> None:
    known = recordings(r2=30.05)
    known.add(candidate(3, role=Role.TASTE))
    again = [candidate(row, role=Role.REPEAT) for row in (5, 2, 4, 5)]
    assert [each.row for each in without_duplicates(again, known)] == [5, 4]


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
