import pytest

from making import SOME_TIME, make_track
from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Sort, SortField


@pytest.mark.parametrize("field", list(SortField))
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_sort_is_read_as_it_is_written(field: SortField, sign: str) -> None:
    sort = Sort.parse(f"{sign}{field}")
    assert sort == Sort(field, is_descending=sign == "-")
    assert str(sort) == f"{sign}{field}"


@pytest.mark.parametrize("text", ["", "-", "--title", "Title", "title ", "name", "title,artist"])
def test_an_unknown_sort_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(QueryError, match="title, artist, album, year, added"):
        Sort.parse(text)


def test_a_track_is_vanished_while_it_has_a_time_of_vanishing() -> None:
    assert not make_track().is_vanished
    assert make_track(vanished_at=SOME_TIME).is_vanished
