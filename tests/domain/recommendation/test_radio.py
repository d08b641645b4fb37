from collections.abc import Iterator
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from making import make_track
from soundalike.domain.recommendation.radio import radio
from soundalike.domain.similarity.space import Neighbour
from soundalike.domain.types import TrackId


def nearest(*artists: str | None) -> list[Neighbour]:
    return [
        Neighbour(make_track(f"t{number}", artist=artist), distance=float(number))
        for number, artist in enumerate(artists)
    ]


def artists(neighbours: list[Neighbour]) -> list[str | None]:
    return [neighbour.track.artist for neighbour in neighbours]


def play(
    candidates: list[Neighbour], *, recent: frozenset[str] = frozenset(), last: str | None = None
) -> list[Neighbour]:
    return list(radio(candidates, recent={TrackId(each) for each in recent}, last_artist=last))


def test_plays_the_nearest_first() -> None:
    assert artists(play(nearest("A", "B", "C"))) == ["A", "B", "C"]


def test_plays_no_artist_twice_in_a_row_if_another_is_left() -> None:
    assert artists(play(nearest("A", "A", "B", "A", "C"))) == ["A", "B", "A", "C", "A"]


def test_begins_with_another_artist_than_the_one_who_just_played() -> None:
    assert artists(play(nearest("A", "B"), last="A")) == ["B", "A"]


def test_continues_with_the_same_artist_if_no_other_is_left() -> None:
    candidates = nearest("A", "A", "A")
    assert play(candidates) == candidates


def test_artists_are_the_same_however_they_are_written() -> None:
    assert artists(play(nearest("Björk", "BJORK", "Other"))) == ["Björk", "Other", "BJORK"]


def test_unknown_artists_never_clash() -> None:
    candidates = nearest(None, None, "A")
    assert play(candidates) == candidates


def test_repeats_nothing_recent() -> None:
    assert [each.track.id for each in play(nearest("A", "B", "C"), recent=frozenset({"t0", "t2"}))] == ["t1"]


def test_reads_no_more_than_needed() -> None:
    taken = 0

    def endless() -> Iterator[Neighbour]:
        nonlocal taken
        while True:
            taken += 1
            yield Neighbour(make_track(f"t{taken}", artist=f"artist {taken}"), distance=float(taken))

    list(islice(radio(endless(), recent=frozenset(), last_artist=None), 5))
    assert taken == 5


@given(st.lists(st.sampled_from(["A", "B", "C", None]), max_size=30))
def test_plays_every_candidate_once(names: list[str | None]) -> None:
    candidates = nearest(*names)
    assert sorted(each.distance for each in play(candidates)) == [each.distance for each in candidates]


@given(st.lists(st.sampled_from(["A", "B", "C"]), max_size=30))
def test_repeats_an_artist_only_when_everything_left_is_theirs(names: list[str]) -> None:
    order = artists(play(nearest(*names)))
    for index, (one, other) in enumerate(pairwise(order)):
        if one == other:
            assert set(order[index + 1 :]) == {one}
