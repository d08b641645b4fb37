"""Vorbis comments and FLAC pictures, which FLAC and Ogg Vorbis share.

The formats are at https://xiph.org/vorbis/doc/v-comment.html and https://xiph.org/flac/format.html.
"""

import base64
import struct
from collections.abc import Iterator

from soundalike.demo.tags import Picture, TrackTags, encode_text

_VENDOR = b"soundalike demo"
_FRONT_COVER = 3
_BITS_PER_PIXEL = 24
_COMMENT_BLOCK = 4
_PICTURE_BLOCK = 6
_REPLACED_BLOCKS = {1, _COMMENT_BLOCK, _PICTURE_BLOCK}  # padding goes, too
_LAST_BLOCK_FLAG = 0x80
_MAX_BLOCK_BYTES = 1 << 24


def tag_flac(flac: bytes, tags: TrackTags) -> bytes:
    """Replace comments, pictures and padding of a FLAC file.

    Raises
    ------
    ValueError
        If the bytes are not a FLAC file, or a tag is too large for a block.
    """
    if not flac.startswith(b"fLaC"):
        msg = "not a FLAC file"
        raise ValueError(msg)
    kept, audio = _split_flac(flac)
    blocks = [*kept, (_COMMENT_BLOCK, comments(tags)), (_PICTURE_BLOCK, picture_block(tags.cover))]
    last = len(blocks) - 1
    written = (_block(kind, content, is_last=i == last) for i, (kind, content) in enumerate(blocks))
    return b"fLaC" + b"".join(written) + audio


def comments(tags: TrackTags, *extra: tuple[str, str]) -> bytes:
    """Return a comment list without framing; `extra` are further (name, value) pairs."""
    pairs = (
        ("TITLE", tags.title),
        ("ARTIST", tags.artist),
        ("ALBUM", tags.album),
        ("GENRE", tags.genre),
        ("DATE", str(tags.year)),
        ("TRACKNUMBER", str(tags.number)),
        ("TRACKTOTAL", str(tags.number_of)),
        *extra,
    )
    entries = [encode_text(f"{name}={value}") for name, value in pairs if value]
    counted = (struct.pack("<I", len(entry)) + entry for entry in entries)
    vendor = struct.pack("<I", len(_VENDOR)) + _VENDOR
    return vendor + struct.pack("<I", len(entries)) + b"".join(counted)


def picture_comment(picture: Picture) -> tuple[str, str]:
    """Return the comment in which Ogg files have a cover."""
    return "METADATA_BLOCK_PICTURE", base64.b64encode(picture_block(picture)).decode("ascii")


def picture_block(picture: Picture) -> bytes:
    """Return the content of a FLAC picture block with the front cover."""
    media_type = b"image/png"
    return b"".join(
        [
            struct.pack(">II", _FRONT_COVER, len(media_type)),
            media_type,
            struct.pack(">I", 0),  # no description
            struct.pack(">IIII", picture.width_px, picture.height_px, _BITS_PER_PIXEL, 0),
            struct.pack(">I", len(picture.png)),
            picture.png,
        ]
    )


def _split_flac(flac: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    blocks = list(_blocks(flac))
    audio_at = 4 + sum(4 + len(content) for _, content in blocks)
    return [block for block in blocks if block[0] not in _REPLACED_BLOCKS], flac[audio_at:]


def _blocks(flac: bytes) -> Iterator[tuple[int, bytes]]:
    at = 4
    is_last = False
    while not is_last:
        kind, size = flac[at], int.from_bytes(flac[at + 1 : at + 4], "big")
        is_last = bool(kind & _LAST_BLOCK_FLAG)
        yield kind & ~_LAST_BLOCK_FLAG, flac[at + 4 : at + 4 + size]
        at += 4 + size


def _block(kind: int, content: bytes, *, is_last: bool) -> bytes:
    if len(content) >= _MAX_BLOCK_BYTES:
        msg = f"{len(content)} bytes are too many for a FLAC block"
        raise ValueError(msg)
    return bytes([kind | (_LAST_BLOCK_FLAG if is_last else 0)]) + len(content).to_bytes(3, "big") + content
