"""What a file says of itself, tamed: tags are text from strangers."""

import re
import unicodedata
from typing import BinaryIO

from tinytag import TinyTag

from soundalike.domain.files import Tags

MOST_CHARACTERS = 1_000
_LAST_YEAR = 9_999
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")


def read_tags(file: BinaryIO) -> Tags:
    """Read a file's tags; none where they cannot be read, for the sound may be good all the same."""
    file.seek(0)
    try:
        found = TinyTag.get(file_obj=file, tags=True, duration=False, image=False)
    except Exception:  # noqa: BLE001 - hostile tags make a parser raise anything; the audio is still used
        return Tags()
    return Tags(
        title=_text(found.title),
        artist=_text(found.artist) or _text(found.albumartist),
        album=_text(found.album),
        genre=_text(found.genre),
        year=_year(_text(found.year)),
    )


def _text(value: object) -> str | None:
    """Strip, drop control characters and cut; None where nothing is left."""
    if not isinstance(value, str):
        return None
    kept = "".join(_plain(character) for character in value[: 4 * MOST_CHARACTERS])
    return " ".join(kept.split())[:MOST_CHARACTERS].strip() or None


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cs", "Cn"} else character


def _year(text: str | None) -> int | None:
    """Return the first four digits that stand alone, 1 to 9999."""
    match = _YEAR.search(text or "")
    year = int(match[0]) if match else 0
    return year if 1 <= year <= _LAST_YEAR else None
