"""The tags of the demo library's files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A cover as PNG bytes and its size."""

    png: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackTags:
    """Tags of one track; any text is allowed."""

    title: str
    artist: str
    album: str
    genre: str
    year: int
    number: int
    number_of: int
    cover: Picture


def encode_text(text: str) -> bytes:
    """Encode as UTF-8; NUL, which ends a text in every tag format, becomes a space, a lone surrogate '?'."""
    return text.replace("\0", " ").encode("utf-8", "replace")
