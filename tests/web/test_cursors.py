import base64
import string
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from soundalike.domain.entries import EntryKind, EntryPosition, EntrySort
from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Position, Sort, SortField, TrackFilter
from soundalike.domain.types import AlbumId, ArtistId, GenreId, TrackId
from soundalike.web.cursors import EntryCursors, TrackCursors, _encode, _signer

URL_SAFE = string.ascii_letters + string.digits + "-_."

keys = st.none() | st.integers(-(2**62), 2**62) | st.text(st.characters(exclude_categories=["Cs"]))
positions = st.builds(Position, keys, st.text(min_size=1).map(TrackId))
sorts = st.builds(Sort, st.sampled_from(SortField), st.booleans())


def encoded(cursors: TrackCursors, position: Position) -> str:
    cursor = cursors.encode(position)
    assert cursor is not None
    return cursor


@given(position=positions, sort=sorts, query=st.text())
def test_a_cursor_is_read_as_it_was_written(position: Position, sort: Sort, query: str) -> None:
    cursors = TrackCursors(sort=sort, query=query)
    cursor = encoded(cursors, position)
    assert set(cursor) <= set(URL_SAFE)
    assert cursors.decode(cursor) == position


@given(position=positions, sort=sorts, place=st.integers(0), letter=st.sampled_from(URL_SAFE))
def test_a_changed_letter_is_noticed(position: Position, sort: Sort, place: int, letter: str) -> None:
    cursors = TrackCursors(sort=sort)
    cursor = encoded(cursors, position)
    place %= len(cursor)
    assume(cursor[place] != letter)
    with pytest.raises(QueryError, match="first page"):
        cursors.decode(cursor[:place] + letter + cursor[place + 1 :])


@given(position=positions, sort=sorts, other=sorts)
def test_a_cursor_is_valid_for_its_own_order_alone(position: Position, sort: Sort, other: Sort) -> None:
    assume(sort != other)
    cursor = encoded(TrackCursors(sort=sort, query="a"), position)
    with pytest.raises(QueryError):
        TrackCursors(sort=other, query="a").decode(cursor)


FILTERS = [
    TrackFilter(),
    TrackFilter(album=AlbumId("x")),
    TrackFilter(artist=ArtistId("x")),
    TrackFilter(genre=GenreId("x")),
    TrackFilter(album=AlbumId("y")),
    TrackFilter(hides_duplicates=True),
    TrackFilter(is_playable=True),
]


@pytest.mark.parametrize(("one", "other"), list(permutations(FILTERS, 2)))
def test_a_cursor_is_valid_for_its_own_filter_alone(one: TrackFilter, other: TrackFilter) -> None:
    cursor = encoded(TrackCursors(sort=Sort(), only=one), Position("a", TrackId("a")))
    with pytest.raises(QueryError):
        TrackCursors(sort=Sort(), only=other).decode(cursor)


def test_a_cursor_of_entries_is_valid_for_its_own_list_alone() -> None:
    position = EntryPosition("a", "x")
    lists = [
        EntryCursors(EntryKind.ALBUM, sort=EntrySort()),
        EntryCursors(EntryKind.ARTIST, sort=EntrySort()),
        EntryCursors(EntryKind.ALBUM, sort=EntrySort(is_descending=True)),
        EntryCursors(EntryKind.ALBUM, sort=EntrySort(), of="x"),
    ]
    for one in lists:
        cursor = one.encode(position)
        assert one.decode(cursor) == position
        for other in lists:
            if other is not one:
                with pytest.raises(QueryError):
                    other.decode(cursor)


@given(text=st.text() | st.text(URL_SAFE))
def test_made_up_cursors_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        TrackCursors(sort=Sort()).decode(text)


@given(position=positions, extra=st.text(min_size=1))
def test_a_cursor_with_something_added_is_refused(position: Position, extra: str) -> None:
    cursor = encoded(TrackCursors(sort=Sort()), position)
    for text in (cursor + extra, extra + cursor):
        with pytest.raises(QueryError):
            TrackCursors(sort=Sort()).decode(text)


@pytest.mark.parametrize("key", [2**63, -(2**63)])
def test_a_number_that_no_store_can_hold_is_refused(key: int) -> None:
    cursors = TrackCursors(sort=Sort(SortField.YEAR))
    cursor = encoded(cursors, Position(key, TrackId("a")))
    with pytest.raises(QueryError):
        cursors.decode(cursor)


@pytest.mark.parametrize("body", ["[" * 100_000, "1" * 10_000, '["a"]', "[1,2,3]", "{}", '[1.5,"a",""]'])
def test_absurd_json_inside_is_refused_even_with_a_right_signature(body: str) -> None:
    payload = base64.urlsafe_b64encode(body.encode()).rstrip(b"=")
    signer = _signer([EntryKind.ALBUM.value, str(EntrySort()), None])
    cursors = EntryCursors(EntryKind.ALBUM, sort=EntrySort())
    position = EntryPosition("a", "x")
    assert cursors.encode(position) == _encode(("a", "x"), signer)
    with pytest.raises(QueryError):
        cursors.decode(signer.sign(payload).decode())
