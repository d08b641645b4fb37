"""Times become milliseconds and text, and come back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from soundalike.domain.times import from_ms, rfc3339, to_ms


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 1_999, tzinfo=UTC), 1),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), 1_769_860_800_000),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999),
    ],
)
def test_a_time_is_whole_milliseconds_since_1970(time: datetime, ms: int) -> None:
    assert to_ms(time) == ms
    assert timedelta() <= time - from_ms(ms) < timedelta(milliseconds=1)


def test_text_has_milliseconds_and_a_z() -> None:
    assert rfc3339(datetime(2026, 1, 31, 12, 0, 0, 1_999, tzinfo=UTC)) == "2026-01-31T12:00:00.001Z"
    assert rfc3339(from_ms(0)) == "1970-01-01T00:00:00.000Z"
