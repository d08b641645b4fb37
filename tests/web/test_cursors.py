import base64
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Position, Sort, SortField
from soundalike.domain.types import TrackId
from soundalike.web.cursors import _signer, decode_cursor, encode_cursor

URL_SAFE = string.ascii_letters + string.digits + "-_."

keys = st.none() | st.integers(-(2**62), 2**62) | st.text(st.characters(exclude_categories=["Cs"]))
positions = st.builds(Position, keys, st.text(min_size=1).map(TrackId))
sorts = st.builds(Sort, st.sampled_from(SortField), st.booleans())


@given(position=positions, sort=sorts, query=st.text())
def test_a_cursor_is_read_as_it_was_written(position: Position, sort: Sort, query: str) -> None:
    cursor = encode_cursor(position, sort=sort, query=query)
    assert set(cursor) <= set(URL_SAFE)
    assert decode_cursor(cursor, sort=sort, query=query) == position


@given(position=positions, sort=sorts, place=st.integers(0), letter=st.sampled_from(URL_SAFE))
def test_a_changed_letter_is_noticed(position: Position, sort: Sort, place: int, letter: str) -> None:
    cursor = encode_cursor(position, sort=sort, query="")
    place %= len(cursor)
    assume(cursor[place] != letter)
    with pytest.raises(QueryError, match="first page"):
        decode_cursor(cursor[:place] + letter + cursor[place + 1 :], sort=sort, query="")


@given(position=positions, sort=sorts, other=sorts)
def test_a_cursor_is_valid_for_its_own_order_alone(position: Position, sort: Sort, other: Sort) -> None:
    assume(sort != other)
    with pytest.raises(QueryError):
        decode_cursor(encode_cursor(position, sort=sort, query="a"), sort=other, query="a")


@given(text=st.text() | st.text(URL_SAFE))
def test_made_up_cursors_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        decode_cursor(text, sort=Sort(), query="")


@given(position=positions, extra=st.text(min_size=1))
def test_a_cursor_with_something_added_is_refused(position: Position, extra: str) -> None:
    cursor = encode_cursor(position, sort=Sort(), query="")
    for text in (cursor + extra, extra + cursor):
        with pytest.raises(QueryError):
            decode_cursor(text, sort=Sort(), query="")


@pytest.mark.parametrize("key", [2**63, -(2**63)])
def test_a_number_that_no_store_can_hold_is_refused(key: int) -> None:
    sort = Sort(SortField.YEAR)
    with pytest.raises(QueryError):
        decode_cursor(encode_cursor(Position(key, TrackId("a")), sort=sort, query=""), sort=sort, query="")


@pytest.mark.parametrize("body", ["[" * 100_000, "1" * 10_000, '["a"]', "[1,2,3]", "{}", '[1.5,"a",""]'])
def test_absurd_json_inside_is_refused_even_with_a_right_signature(body: str) -> None:
    payload = base64.urlsafe_b64encode(body.encode()).rstrip(b"=")
    cursor = _signer(Sort(), "").sign(payload).decode()
    with pytest.raises(QueryError):
        decode_cursor(cursor, sort=Sort(), query="")
