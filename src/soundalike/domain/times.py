"""The one place where times become whole milliseconds since 1970 (UTC), or text, and back."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(time: datetime) -> int:
    """Return the whole milliseconds since 1970, UTC, of a time with a zone; fractions are cut off."""
    return (time - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the UTC time of milliseconds since 1970."""
    return _EPOCH + ms * _MILLISECOND


def rfc3339(time: datetime) -> str:
    """Write a UTC time by RFC 3339 with milliseconds: ``2026-01-31T12:00:00.000Z``."""
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
