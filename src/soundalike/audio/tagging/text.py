"""Text in tags: what it says that it is encoded in is not always true."""

import codecs
import re

_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_CP1252 = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}
_ASCII = re.compile(rb"[\t\n\r -~]*\0?")


def decode_bytes(data: bytes) -> str:
    """Decode text of one byte or more for a character: UTF-8 if it is valid, else Windows-1252.

    Text that a field of fixed length cuts within a character of UTF-8 loses that character.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return data.decode("latin-1").translate(_CP1252)
    is_cut = bool(decoder.getstate()[0])
    # A last letter of Latin-1 looks like a character that is cut.
    return data.decode("latin-1").translate(_CP1252) if is_cut and text.isascii() else text


def decode_utf16(data: bytes, *, without_mark: str = "utf-16-le") -> str:
    """Decode UTF-16 by its byte order mark; lone surrogates and an odd last byte are left out.

    Parameters
    ----------
    data : bytes
        The text.
    without_mark : str
        The encoding of text that has no mark.
    """
    encoding = _UTF16.get(data[:2], without_mark)
    text = data[: len(data) & ~1].decode(encoding, "ignore")
    # Each of several values may have a mark, and another one than the first.
    return "\0".join(_unmarked(value) for value in text.split("\0"))


def _unmarked(value: str) -> str:
    if value.startswith("\ufffe"):
        value = value.encode("utf-16-le", "ignore").decode("utf-16-be", "ignore")
    return value.removeprefix("\ufeff")


def decode_id3(encoding: int, data: bytes) -> str:
    """Decode text of an ID3v2 frame.

    Parameters
    ----------
    encoding : int
        The frame's first byte: 0 ISO-8859-1, 1 UTF-16 with a mark, 2 UTF-16 without, 3 UTF-8.
    data : bytes
        What follows it.
    """
    if data[:2] in _UTF16:
        return decode_utf16(data)
    without_mark = {1: _likely_order(data), 2: "utf-16-be"}.get(encoding)
    if without_mark is None or _ASCII.fullmatch(data):
        return decode_bytes(data)
    return decode_utf16(data, without_mark=without_mark)


def _likely_order(data: bytes) -> str:
    """Return the order in which most high bytes are zero, as they are in Latin text."""
    return "utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le"
