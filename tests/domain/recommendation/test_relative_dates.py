from datetime import UTC, datetime, timedelta, timezone

import pytest

from soundalike.domain.recommendation.explanations import when

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def at_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(hours=11), "today"),
        (timedelta(minutes=-4), "today"),
        (timedelta(hours=13), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=55), "7 weeks ago"),
        (timedelta(days=75), "in May"),
        (timedelta(days=600), "in November 2024"),
    ],
)
def test_words_fit_how_long_ago_it_was(ago: timedelta, words: str) -> None:
    assert when(at_ms(NOW - ago), NOW) == words


def test_a_month_of_a_year_ago_is_not_taken_for_this_years() -> None:
    assert when(at_ms(datetime(2025, 7, 20, tzinfo=UTC)), NOW) == "in July 2025"
    assert when(at_ms(datetime(2025, 10, 20, tzinfo=UTC)), NOW) == "in October"


def test_days_begin_where_the_listener_is() -> None:
    east = timezone(timedelta(hours=10))
    late = datetime(2026, 7, 14, 20, 0, tzinfo=UTC)  # the 15th in the east
    assert when(at_ms(late), NOW) == "yesterday"
    assert when(at_ms(late), NOW.astimezone(east)) == "today"
