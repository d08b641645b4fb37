"""Tags as the standards have them, written byte by byte.

https://id3.org/id3v2-00, https://id3.org/id3v2.3.0, https://id3.org/id3v2.4.0-structure,
https://wiki.hydrogenaud.io/index.php?title=APEv2_specification, EBU Tech 3306.
"""

import re
import struct
import zlib
from collections.abc import Sequence

from audio.sounds import riff_chunk

SOUND = b"\xff\xfb\x90\x00".ljust(417, b"\0") * 4
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 3 + b"\xff\x00\xff\xff\xe1\xff\xd9"

UNSYNCHRONISED, EXTENDED = 0x80, 0x40
GROUPED, COMPRESSED, ENCRYPTED, FRAME_UNSYNCHRONISED, HAS_LENGTH = 0x40, 0x08, 0x04, 0x02, 0x01


def synchsafe(number: int, size: int = 4) -> bytes:
    return bytes(number >> 7 * place & 0x7F for place in reversed(range(size)))


def unsynchronise(data: bytes) -> bytes:
    """Put a zero behind each FF that looks like a sync with what follows, or like one that had been so."""
    return re.sub(rb"\xff(?=[\xe0-\xff\0])|\xff\Z", b"\xff\0", data)


def tag(version: int, body: bytes, *, flags: int = 0, size: int | None = None) -> bytes:
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body) if size is None else size) + body


def frame22(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(3, "big") + data


def frame23(name: bytes, data: bytes, *, is_compressed: bool = False, group: int | None = None) -> bytes:
    flags, prefix = 0, b""
    if is_compressed:
        flags, prefix, data = 0x80, struct.pack(">I", len(data)), zlib.compress(data)
    if group is not None:
        flags, prefix = flags | 0x20, prefix + bytes([group])
    return name + struct.pack(">IH", len(prefix + data), flags) + prefix + data


def frame24(name: bytes, data: bytes, *, flags: int = 0, group: int = 7, is_plain: bool = False) -> bytes:
    """A frame; sizes that are plain numbers are iTunes'."""
    length = len(data)
    data = zlib.compress(data) if flags & COMPRESSED else data
    data = unsynchronise(data) if flags & FRAME_UNSYNCHRONISED else data
    prefix = (bytes([group]) if flags & GROUPED else b"") + (b"\x80" if flags & ENCRYPTED else b"")
    prefix += synchsafe(length) if flags & HAS_LENGTH else b""
    size = len(prefix + data)
    return (
        name + (struct.pack(">I", size) if is_plain else synchsafe(size)) + bytes([0, flags]) + prefix + data
    )


def extended23(*, crc: int | None = None) -> bytes:
    body = struct.pack(">HI", 0 if crc is None else 0x8000, 0) + (
        b"" if crc is None else struct.pack(">I", crc)
    )
    return struct.pack(">I", len(body)) + body


def extended24(*, crc: int | None = None) -> bytes:
    body = b"\x01" + (b"\0" if crc is None else b"\x20\x05" + synchsafe(crc, 5))
    return synchsafe(4 + len(body)) + body


def text(value: str, encoding: int = 3) -> bytes:
    codec = ("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding]
    return bytes([encoding]) + value.encode(codec)


def picture(data: bytes, *, kind: int = 3, description: str = "") -> bytes:
    return b"\1image/jpeg\0" + bytes([kind]) + (description + "\0").encode("utf-16") + data


def ape(*items: tuple[str, bytes, int], has_header: bool = True, version: int = 2_000) -> bytes:
    """Items are a key, a value, and a kind: 0 text, 1 binary."""
    body = b"".join(
        struct.pack("<II", len(value), kind << 1) + key.encode() + b"\0" + value for key, value, kind in items
    )

    def block(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", version, len(body) + 32, len(items), flags) + bytes(8)

    front = 1 << 31 if has_header else 0
    return (block(front | 1 << 29) if has_header else b"") + body + block(front)


def id3v1(
    title: bytes, artist: bytes = b"", album: bytes = b"", *, track: int = 0, genre: int = 255
) -> bytes:
    fields = title.ljust(30, b"\0") + artist.ljust(30, b"\0") + album.ljust(30, b"\0") + b"1999"
    return b"TAG" + fields + bytes(28) + bytes([0, track, genre])


def comments(fields: Sequence[bytes]) -> bytes:
    listed = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return struct.pack("<I", 6) + b"vendor" + struct.pack("<I", len(fields)) + listed


def flac(*blocks: tuple[int, bytes]) -> bytes:
    parts = [(0, bytes(34)), *blocks]
    return b"fLaC" + b"".join(
        bytes([kind | (0x80 if number == len(parts) - 1 else 0)]) + len(data).to_bytes(3, "big") + data
        for number, (kind, data) in enumerate(parts)
    )


def flac_picture(data: bytes, kind: int = 3) -> bytes:
    head = struct.pack(">II", kind, 10) + b"image/jpeg" + struct.pack(">I", 0)
    return head + struct.pack(">IIIII", 1, 1, 24, 0, len(data)) + data


def info(*fields: tuple[bytes, bytes], order: str = "<") -> bytes:
    return riff_chunk(
        b"LIST", b"INFO" + b"".join(riff_chunk(*field, order=order) for field in fields), order=order
    )


def wav(*parts: bytes, head: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(parts)
    return head + struct.pack(">I" if head == b"RIFX" else "<I", len(body)) + body


def rf64(before: bytes, after: bytes, *, head: bytes = b"RF64", data: bytes = bytes(100)) -> bytes:
    """A file whose sizes are in ds64 alone: of all of it, of the samples, and how many there are."""
    form = riff_chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16))
    rest = form + before + b"data\xff\xff\xff\xff" + data + after
    ds64 = riff_chunk(b"ds64", struct.pack("<QQQI", len(rest) + 40, len(data), len(data) // 2, 0))
    return head + b"\xff\xff\xff\xffWAVE" + ds64 + rest


def aiff(*parts: bytes) -> bytes:
    body = b"AIFF" + b"".join(parts)
    return b"FORM" + struct.pack(">I", len(body)) + body
