"""Which pictures in a folder are covers, for tracks that have none in their tags."""

from collections.abc import Iterable

_NAMES = ("cover", "folder", "front", "album")
_SUFFIXES = ("jpg", "jpeg", "png", "webp", "gif")


def cover_names(names: Iterable[str]) -> list[str]:
    """Return those of a folder's names that covers have, in any case of letters, the best first."""
    found = []
    for name in names:
        stem, _, suffix = name.lower().rpartition(".")
        if stem in _NAMES and suffix in _SUFFIXES:
            found.append((_NAMES.index(stem), _SUFFIXES.index(suffix), name))
    return [name for _, _, name in sorted(found)]
