"""APEv2 and APEv1: https://wiki.hydrogenaud.io/index.php?title=APEv2_specification."""

from soundalike.audio.tagging.source import FRONT_COVER, Picture, TagSource
from soundalike.audio.tagging.text import decode_values

MARK = b"APETAGEX"
FOOTER_BYTES = 32
_MOST_ITEMS = 10_000
_ITEM_HEAD_BYTES = 8
_TEXT, _BINARY = 0, 1
_IS_HEADER = 1 << 29


def read_front(data: bytes) -> TagSource:
    """Read a tag that begins with its header.

    Parameters
    ----------
    data : bytes
        From the header on; the size in it counts the items and the footer.
    """
    size = int.from_bytes(data[12:16], "little")
    return _read_items(data[FOOTER_BYTES : FOOTER_BYTES + size])


def read_back(tail: bytes) -> TagSource:
    """Read the last tag in the end of a file, as it has a footer; nothing if there is none."""
    at = tail.rfind(MARK)
    while at >= 0 and int.from_bytes(tail[at + 20 : at + 24], "little") & _IS_HEADER:
        at = tail.rfind(MARK, 0, at)
    if at < 0:
        return TagSource()
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    return _read_items(tail[max(0, at + FOOTER_BYTES - size) : at])


def _read_items(items: bytes) -> TagSource:
    source, at = TagSource(), 0
    for _ in range(_MOST_ITEMS):
        size, flags = (int.from_bytes(items[at + start : at + start + 4], "little") for start in (0, 4))
        key_end = items.find(b"\0", at + _ITEM_HEAD_BYTES, at + _ITEM_HEAD_BYTES + 256)
        if key_end < 0 or key_end + 1 + size > len(items):
            break
        key = items[at + _ITEM_HEAD_BYTES : key_end].decode("latin-1")
        at = key_end + 1 + size
        value, kind = items[key_end + 1 : at], flags >> 1 & 3
        if kind == _TEXT:
            source.add(key, *decode_values(value))
        elif kind == _BINARY and key.lower().startswith("cover art"):  # after the name of its file
            picture_kind = FRONT_COVER if "front" in key.lower() else 0
            source.pictures.append(Picture(picture_kind, value.partition(b"\0")[2]))
    return source
