"""Texts and keys in a form that MongoDB stores, and sorts as Python does."""

import re
from typing import Any

from soundalike.domain.files import Location
from soundalike.domain.types import RelativePath

# The last code point before the surrogates: it is in no real text.
_ESCAPE = "\ud7ff"
_ESCAPED = {ord(_ESCAPE): f"{_ESCAPE}\0"} | {
    code: f"{_ESCAPE}{chr(code - 0xD800 + 0x100)}" for code in range(0xD800, 0xE000)
}
_ESCAPES = re.compile(f"{_ESCAPE}(.)", re.DOTALL)
_BETWEEN = "\0\0"

_LAST_LETTER, _BEFORE_SURROGATES, _AFTER_SURROGATES = "\U0010ffff", "\ud7ff", "\ue000"


def to_text(text: str) -> str:
    """Return text in a form that BSON stores, whatever it contains, with the same order by code points.

    Lone surrogates, which are not valid UTF-8, become two characters; so does the escape character.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.translate(_ESCAPED)
    return text.translate(_ESCAPED) if _ESCAPE in text else text


def from_text(stored: Any) -> str:  # noqa: ANN401 - a damaged document may have anything
    """Undo `to_text`."""
    if not isinstance(stored, str):
        msg = f"{stored!r:.80} is not text"
        raise TypeError(msg)
    return _ESCAPES.sub(_unescaped, stored) if _ESCAPE in stored else stored


def _unescaped(escape: re.Match[str]) -> str:
    code = ord(escape[1])
    return chr(code - 0x100 + 0xD800) if code else _ESCAPE


def to_optional(text: str | None) -> str | None:
    """Return text in a form that BSON stores, or None."""
    return None if text is None else to_text(text)


def from_optional(stored: Any) -> str | None:  # noqa: ANN401 - a damaged document may have anything
    """Undo `to_optional`."""
    return None if stored is None else from_text(stored)


def to_integer(stored: Any) -> int:  # noqa: ANN401 - a damaged document may have anything
    """Check that a stored value is an integer, and return it."""
    if not isinstance(stored, int):
        msg = f"{stored!r:.80} is not an integer"
        raise TypeError(msg)
    return int(stored)


def join_texts(*texts: str) -> str:
    """Return one text made of several: different ones for different texts, in the order of the tuples."""
    *leading, last = map(to_text, texts)
    return "".join(text.replace("\0", "\0\1") + _BETWEEN for text in leading) + last


def location_key(location: Location) -> str:
    """Return the ``_id`` for a location, in the order of root and path."""
    return join_texts(location.root, to_path(location.path))


def to_path(path: bytes) -> str:
    """Return a path as text, one character for each byte, since BSON sorts bytes by length first."""
    return path.decode("latin-1")


def from_path(stored: Any) -> RelativePath:  # noqa: ANN401 - a damaged document may have anything
    """Undo `to_path`."""
    return RelativePath(from_text(stored).encode("latin-1"))


def prefix_range(word: str) -> dict[str, str]:
    """Return the range of the texts that begin with a word."""
    end = _prefix_end(word)
    return {"$gte": word} if end is None else {"$gte": word, "$lt": end}


def _prefix_end(word: str) -> str | None:
    """Return the smallest text after all that begin with a word, None if there is none."""
    stem = word.rstrip(_LAST_LETTER)
    if not stem:
        return None
    last = stem[-1]
    return stem[:-1] + (_AFTER_SURROGATES if last == _BEFORE_SURROGATES else chr(ord(last) + 1))
