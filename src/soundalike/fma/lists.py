"""Lists that stand as Python literals in FMA's cells, read without running anything."""

import ast
from functools import lru_cache

from soundalike.fma.rows import plain_text

MOST_CHARACTERS = 20_000
MOST_ITEMS = 200


@lru_cache(maxsize=10_000)
def genres_in(cell: str) -> tuple[tuple[int, str | None], ...]:
    """Read ``[21, 45]``, or ``[{'genre_id': '21', 'genre_title': 'Hip-Hop', ...}]``, as numbers and names.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not cell.strip():
        return ()
    if len(cell) > MOST_CHARACTERS:
        msg = f"it has more than {MOST_CHARACTERS:,} characters"
        raise ValueError(msg)
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        msg = f"it is no literal: {error}"
        raise ValueError(msg) from None
    if not isinstance(found, list) or len(found) > MOST_ITEMS:
        msg = f"it is no list of at most {MOST_ITEMS}"
        raise ValueError(msg)
    return tuple(_genre(item) for item in found)


def _genre(item: object) -> tuple[int, str | None]:
    name = None
    if isinstance(item, dict):
        name = item.get("genre_title")
        item = item.get("genre_id")
    if isinstance(item, str) and item.isascii() and item.isdigit():
        item = int(item)
    if not isinstance(item, int) or isinstance(item, bool):
        msg = f"{item!r} is no number"
        raise ValueError(msg)  # noqa: TRY004 - for the caller it is one of many bad lists
    return item, plain_text(name) if isinstance(name, str) else None
