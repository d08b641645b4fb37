import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.web.media.ranges import ByteRange, Unsatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", ByteRange(0, 1000)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=100-199", ByteRange(100, 200)),
        ("bytes=999-", ByteRange(999, 1000)),
        ("bytes=900-5000", ByteRange(900, 1000)),
        ("bytes=-1", ByteRange(999, 1000)),
        ("bytes=-5000", ByteRange(0, 1000)),
        ("Bytes=000-0009", ByteRange(0, 10)),
        ("bytes=0-" + "9" * 10_000, ByteRange(0, 1000)),
        ("bytes=-" + "9" * 10_000, ByteRange(0, 1000)),
        ("bytes=" + "0" * 10_000 + "5-5", ByteRange(5, 6)),
    ],
)
def test_a_single_range_is_cut_to_the_file(header: str, expected: ByteRange) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize(
    "header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=" + "9" * 10_000 + "-", "bytes=-000"]
)
def test_a_range_after_the_end_cannot_be_satisfied(header: str) -> None:
    assert parse_range(header, 1000) == Unsatisfiable()


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1-2,4-5", "bytes=1-2, 4-5",
        "items=0-5", "bytes 0-5", "bytes=0-5 ", "bytes= 0-5", "bytes=--5", "bytes=+1-5", "bytes=0x1-5",
        "bytes=\uff11-\uff15", "bytes=0-5;", "bytes=1_0-20", "\x00", "bytes=2000-1000",
    ],
)  # fmt: skip
def test_whatever_else_gets_the_whole_file(header: str | None) -> None:
    assert parse_range(header, 1000) is None


@pytest.mark.parametrize(
    ("header", "expected"), [("bytes=0-", Unsatisfiable()), ("bytes=-5", None), ("bytes=-0", Unsatisfiable())]
)
def test_an_empty_file_has_no_first_byte(header: str, expected: Unsatisfiable | None) -> None:
    assert parse_range(header, 0) == expected


sizes = st.integers(1, 10_000)
numbers = st.integers(0, 20_000)


@given(size=sizes, first=numbers, last=numbers)
def test_a_range_names_the_bytes_that_python_slices(size: int, first: int, last: int) -> None:
    content = range(size)
    found = parse_range(f"bytes={first}-{last}", size)
    if last < first:
        assert found is None
    elif not content[first : last + 1]:
        assert found == Unsatisfiable()
    else:
        assert isinstance(found, ByteRange)
        assert content[found.start : found.stop] == content[first : last + 1]


@given(size=sizes, length=numbers)
def test_a_suffix_names_the_last_bytes(size: int, length: int) -> None:
    found = parse_range(f"bytes=-{length}", size)
    assert found == (ByteRange(max(0, size - length), size) if length else Unsatisfiable())


@given(header=st.text(), size=st.integers(0, 10))
def test_no_header_breaks_it(header: str, size: int) -> None:
    for text in (header, f"bytes={header}", f"bytes={header}-", f"bytes=-{header}"):
        found = parse_range(text, size)
        assert not isinstance(found, ByteRange) or 0 <= found.start < found.stop <= size
