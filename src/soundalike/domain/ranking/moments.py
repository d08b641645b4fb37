"""When something was, in the words of whoever reads it now."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_TOLD = 14
_WEEKS_TOLD = 8 * 7
_YEAR_DAYS = 330
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip


def when(at_ms: int, now: datetime) -> str:
    """Return ``"today"``, ``"yesterday"``, ``"3 weeks ago"``, ``"in March"`` or ``"in March 2024"``.

    Parameters
    ----------
    at_ms : int
        Since 1970, UTC.
    now : datetime
        With its zone, in which days begin.
    """
    then = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(now.tzinfo)
    days = (now.date() - then.date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < _DAYS_TOLD:
        return f"{days} days ago"
    if days < _WEEKS_TOLD:
        return f"{days // 7} weeks ago"
    month = _MONTHS[then.month - 1]
    return f"in {month}" if days < _YEAR_DAYS else f"in {month} {then.year}"
