import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from soundalike.web.media.ranges import parse_range


def is_unsatisfiable(header: str, size: int) -> bool:
    """Return whether a range is refused with the file's size."""
    try:
        parse_range(header, size)
    except RequestedRangeNotSatisfiable as error:
        return error.length == size
    return False


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", range(1000)),
        ("bytes=0-0", range(1)),
        ("bytes=100-199", range(100, 200)),
        ("bytes=999-", range(999, 1000)),
        ("bytes=900-5000", range(900, 1000)),
        ("bytes=-1", range(999, 1000)),
        ("bytes=-5000", range(1000)),
        ("Bytes=000-0009", range(10)),
        ("bytes=0-" + "9" * 10_000, range(1000)),
        ("bytes=-" + "9" * 10_000, range(1000)),
        ("bytes=" + "0" * 10_000 + "5-5", range(5, 6)),
    ],
)
def test_a_single_range_is_cut_to_the_file(header: str, expected: range) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize(
    "header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=" + "9" * 10_000 + "-", "bytes=-000"]
)
def test_a_range_after_the_end_cannot_be_satisfied(header: str) -> None:
    assert is_unsatisfiable(header, 1000)


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1-2,4-5", "bytes=1-2, 4-5",
        "items=0-5", "bytes 0-5", "bytes=0-5 ", "bytes= 0-5", "bytes=--5", "bytes=+1-5", "bytes=0x1-5",
        "bytes=\uff11-\uff15", "bytes=0-5;", "bytes=1_0-20", "\x00", "bytes=2000-1000",
    ],
)  # fmt: skip
def test_any_other_header_gets_the_whole_file(header: str | None) -> None:
    assert parse_range(header, 1000) is None


def test_an_empty_file_has_no_first_byte() -> None:
    assert is_unsatisfiable("bytes=0-", 0)
    assert is_unsatisfiable("bytes=-0", 0)
    assert parse_range("bytes=-5", 0) is None


sizes = st.integers(1, 10_000)
numbers = st.integers(0, 20_000)


@given(size=sizes, first=numbers, last=numbers)
def test_a_range_has_the_bytes_that_python_slices(size: int, first: int, last: int) -> None:
    content = range(size)
    header = f"bytes={first}-{last}"
    if last < first:
        assert parse_range(header, size) is None
    elif not content[first : last + 1]:
        assert is_unsatisfiable(header, size)
    else:
        assert parse_range(header, size) == content[first : last + 1]


@given(size=sizes, length=numbers)
def test_a_suffix_has_the_last_bytes(size: int, length: int) -> None:
    header = f"bytes=-{length}"
    if length:
        assert parse_range(header, size) == range(size)[-length:]
    else:
        assert is_unsatisfiable(header, size)


@given(header=st.text(), size=st.integers(0, 10))
def test_any_header_gives_a_part_of_the_file_or_none(header: str, size: int) -> None:
    for text in (header, f"bytes={header}", f"bytes={header}-", f"bytes=-{header}"):
        if not is_unsatisfiable(text, size):
            part = parse_range(text, size)
            assert part is None or 0 <= part.start < part.stop <= size
