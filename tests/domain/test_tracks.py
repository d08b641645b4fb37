import pytest

from making import SOME_TIME, make_track
from soundalike.domain.errors import QueryError
from soundalike.domain.tags import Tags
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


@pytest.mark.parametrize(
    ("path", "tagged", "disc"),
    [
        (b"Box/CD2/1.mp3", None, 2),
        (b"Box/CD2/1.mp3", 1, 1),
        (b"Box/1.mp3", 3, 3),
        (b"Box/1.mp3", None, None),
    ],
)
def test_the_disc_is_that_of_the_tags_or_else_of_the_folder(
    path: bytes, tagged: int | None, disc: int | None
) -> None:
    assert make_track(path=path, tags=Tags(title="Song", disc_number=tagged)).disc_number == disc


def test_a_track_without_a_file_has_the_disc_of_its_tags() -> None:
    assert make_track(has_file=False, tags=Tags(title="Song", disc_number=2)).disc_number == 2
    assert make_track(has_file=False, tags=Tags(title="Song")).disc_number is None


def test_a_track_is_vanished_while_it_has_a_time_of_vanishing() -> None:
    assert not make_track().is_vanished
    assert make_track(vanished_at=SOME_TIME).is_vanished
