import pytest

from soundalike.web.server.limits import Limits, Seats, limits_for, shortage

FEW = Limits(connections=16, least_share=1, reserved=4, reserved_share=2)


def take(seats: Seats, client: str, count: int, *, is_proxy: bool = False) -> list[bool | None]:
    """Take seats; say of each whether it is reserved, None where there was none."""
    taken = (seats.take(client, is_proxy=is_proxy) for _ in range(count))
    return [None if seat is None else seat.is_reserved for seat in taken]


def test_an_address_has_its_share_and_then_a_few_reserved_seats() -> None:
    assert FEW.share == 2
    assert take(Seats(FEW), "192.0.2.1", 6) == [False, False, True, True, None, None]


def test_one_address_leaves_seats_for_the_others() -> None:
    seats = Seats(FEW)
    take(seats, "192.0.2.1", 1000)
    assert take(seats, "192.0.2.2", 2) == [False, False]


def test_a_proxy_may_have_all_seats() -> None:
    assert take(Seats(FEW), "192.0.2.1", 22, is_proxy=True) == [False] * 16 + [True] * 4 + [None] * 2


def test_what_many_addresses_cannot_take_is_reserved() -> None:
    seats = Seats(FEW)
    for number in range(8):
        assert take(seats, f"192.0.2.{number}", 2) == [False, False]
    assert take(seats, "198.51.100.1", 3) == [True, True, None]
    assert take(seats, "198.51.100.2", 3) == [True, True, None]
    assert take(seats, "198.51.100.3", 1) == [None]


def test_where_files_are_short_only_reserved_seats_are_left() -> None:
    seat = Seats(FEW).take("192.0.2.1", is_proxy=True, has_files=False)
    assert seat is not None
    assert seat.is_reserved


def test_a_seat_that_is_given_back_is_free_again() -> None:
    seats = Seats(FEW)
    first = seats.take("192.0.2.1", is_proxy=False)
    take(seats, "192.0.2.1", 3)
    assert first is not None
    seats.leave(first)
    assert take(seats, "192.0.2.1", 2) == [False, None]


@pytest.mark.parametrize("files", [20, 128, 160, 256, 1024, None])
def test_no_share_is_below_what_one_browser_opens(files: int | None) -> None:
    seats = Seats(limits_for(files))
    assert take(seats, "192.0.2.1", 8) == [False] * 8


@pytest.mark.parametrize(
    ("files", "is_short"), [(20, True), (160, True), (227, True), (228, False), (None, False)]
)
def test_too_few_files_for_eight_browsers_are_told(files: int | None, *, is_short: bool) -> None:
    notice = shortage(files)
    assert (notice is not None) == is_short
    assert notice is None or f"only {files} files open" in notice


@pytest.mark.parametrize(
    ("files", "connections"), [(None, 1000), (1_000_000, 1000), (1024, 462), (256, 78), (20, 10)]
)
def test_each_connection_may_have_a_file_open(files: int | None, connections: int) -> None:
    assert limits_for(files).connections == connections
