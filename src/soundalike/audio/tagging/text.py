"""Text in tags: what it says that it is encoded in is not always true."""

import codecs
import re

from soundalike.audio.tagging.source import MOST_VALUES

MOST_TEXT_BYTES = 256 << 10  # of a field, with all its values
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF16_WITH_MARK, _UTF16_BE = 1, 2  # ID3v2's numbers
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
_ASCII = re.compile(rb"[\t\n\r -~]*\0?")


def decode_bytes(data: bytes) -> str:
    """Decode text of one byte or more for a character: UTF-8 if it is valid, else Windows-1252.

    Text that a field of fixed length cuts within a character of UTF-8 loses that character.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "ignore")
    is_cut = bool(decoder.getstate()[0])
    # A last letter of Latin-1 looks like a character that is cut.
    return data.decode("cp1252", "ignore") if is_cut and text.isascii() else text


def decode_values(data: bytes) -> list[str]:
    """Decode values with a zero between them, each for itself: one may be UTF-8 and the next not."""
    return [decode_bytes(value) for value in data[:MOST_TEXT_BYTES].split(b"\0", MOST_VALUES)[:MOST_VALUES]]


def decode_utf16(data: bytes, *, without_mark: str = "utf-16-le") -> str:
    """Decode UTF-16 by its byte order mark; lone surrogates and an odd last byte are left out.

    Parameters
    ----------
    data : bytes
        The text.
    without_mark : str
        The encoding of text that has no mark.
    """
    return "\0".join(_utf16_values(data, without_mark))


def _utf16_values(data: bytes, without_mark: str) -> list[str]:
    encoding = _UTF16.get(data[:2], without_mark)
    text = data[: len(data) & ~1].decode(encoding, "ignore")
    # Each of several values may have a mark, and another one than the first.
    return [_unmarked(value) for value in text.split("\0", MOST_VALUES)[:MOST_VALUES]]


def _unmarked(value: str) -> str:
    if value.startswith("\ufffe"):
        value = value.encode("utf-16-le", "ignore").decode("utf-16-be", "ignore")
    return value.lstrip("\ufeff")


def decode_id3(encoding: int, data: bytes) -> list[str]:
    """Decode the values in a text of an ID3v2 frame.

    Parameters
    ----------
    encoding : int
        The frame's first byte: 0 ISO-8859-1, 1 UTF-16 with a mark, 2 UTF-16 without, 3 UTF-8.
    data : bytes
        What follows it.
    """
    data = data[:MOST_TEXT_BYTES]
    if data[:2] in _UTF16:
        return _utf16_values(data, "utf-16-le")
    if encoding not in {_UTF16_WITH_MARK, _UTF16_BE}:
        return decode_values(data)
    order = "utf-16-be" if encoding == _UTF16_BE else _likely_order(data)
    is_by_the_standard = encoding == _UTF16_BE and len(data) % 2 == 0
    if not is_by_the_standard and _is_narrow(data, order):
        return decode_values(data)
    return _utf16_values(data, order)


def _likely_order(data: bytes) -> str:
    """Return the order in which most high bytes are zero, as they are in Latin text."""
    is_big = data[::2].count(0) > data[1::2].count(0) and not _is_usual(data, "utf-16-le")
    return "utf-16-be" if is_big else "utf-16-le"


def _is_narrow(data: bytes, order: str) -> bool:
    """Whether text that is said to be UTF-16 is of one byte for a character."""
    if len(data) % 2 and not _CONTROL.search(data):
        return True
    return bool(_ASCII.fullmatch(data)) and not _is_usual(data, order)


def _is_usual(data: bytes, order: str) -> bool:
    """Whether text in UTF-16 is what is written in Japan or China.

    Two letters of ASCII are a Chinese character too, but hardly ever several that anybody writes.
    """
    text = data[: len(data) & ~1].decode(order, "ignore")
    return any(_is_encodable(text, codec) for codec in ("shift_jis", "gb2312"))


def _is_encodable(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
