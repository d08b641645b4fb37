"""A track as the version before the catalogue stored it, for the migrations of both stores.

They write tracks in today's form. Whoever changes that form in a later version of the stores leaves a copy of
today's with the migrations; their tests say which form it is.
"""

import logging
from collections.abc import Callable, Mapping
from operator import index
from typing import Any

from soundalike.domain.errors import StoreError
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track

_log = logging.getLogger(__name__)

Fields = Mapping[str, Any]
"""What was stored of a track, by name."""

_NO_PLACE: Fields = {"root": None, "path": None}

# An extract reads a file again whose size is not that of its track.
_LEFT_OUT: Fields = {
    "artist": None, "album": None, "genre": None, "year": None, "target": None, "size_bytes": 0,
    "mtime_ns": "0", "media_type": "", "duration_ms": 0, "added_ms": 0, "vanished_ms": None,
}  # fmt: skip


def tags_of_before(old: Fields, from_text: Callable[[Any], str]) -> Tags:
    """Return the few tags that were stored.

    Parameters
    ----------
    old : mapping of str to Any
        The track as it was stored.
    from_text : callable
        Reads a text as the store has it.

    Raises
    ------
    AttributeError, TypeError, ValueError
        If they are damaged.
    """
    artist, album, genre = (
        None if old[name] is None else from_text(old[name]) for name in ("artist", "album", "genre")
    )
    return Tags(
        title=from_text(old["title"]),
        artists=() if artist is None else (artist,),
        album=album,
        genres=() if genre is None else (genre,),
        year=None if old["year"] is None else index(old["year"]),
    )


def read_or_mend(old: Fields, read: Callable[[Fields], Track], *, name: str) -> Track:
    """Return a track; one that is damaged is said, and what can be read of it is kept.

    Parameters
    ----------
    old : mapping of str to Any
        The track as it was stored.
    read : callable
        Reads it, or raises `StoreError`.
    name : str
        Names it.

    Raises
    ------
    StoreError
        If nothing of it can be read.
    """
    try:
        return read(old)
    except StoreError as error:
        _log.warning(
            "track %s is damaged (%s): it is migrated without what is damaged, and 'soundalike extract' "
            "reads its file again",
            name,
            error.__cause__ or error,
        )
    left_out = {**_LEFT_OUT, "title": name, "audio_hash": name}
    bare = {**old, **left_out}
    if not _is_readable(bare, read):
        bare |= _NO_PLACE
    sound = [one for one in left_out if _is_readable({**bare, one: old.get(one)}, read)]
    return read({**bare, **{one: old.get(one) for one in sound}, "size_bytes": 0})


def _is_readable(old: Fields, read: Callable[[Fields], Track]) -> bool:
    try:
        read(old)
    except StoreError:
        return False
    return True
