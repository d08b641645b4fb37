"""Parts of files."""

import pytest

from soundalike.domain.files import Part


@pytest.mark.parametrize(
    ("part", "start_ms", "end_ms"),
    [
        (Part(0, 44_100, 44_100), 0, 1000),
        (Part(75, None, 75), 1000, None),
        (Part(44_145, 88_199, 44_100), 1001, 1999),
    ],
)
def test_bounds_in_ms_are_rounded_down(part: Part, start_ms: int, end_ms: int | None) -> None:
    assert (part.start_ms, part.end_ms) == (start_ms, end_ms)


@pytest.mark.parametrize("bounds", [(-1, 5, 75), (5, 5, 75), (5, 4, 75), (0, 5, 0)])
def test_an_empty_part_is_none(bounds: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a part"):
        Part(*bounds)
