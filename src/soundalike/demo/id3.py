"""ID3v2.4 tags, as at https://id3.org/id3v2.4.0-structure and id3v2.4.0-frames."""

from soundalike.demo.tags import Picture, TrackTags, encode_text

_MAX_TAG_BYTES = 1 << 28
_LATIN_1 = b"\x00"
_UTF_8 = b"\x03"
_FRONT_COVER = b"\x03"


def tag_mp3(mp3: bytes, tags: TrackTags) -> bytes:
    """Put an ID3v2.4 tag before MP3 frames.

    Raises
    ------
    ValueError
        If there is a tag already, or this one would be too large for ID3.
    """
    if mp3.startswith(b"ID3"):
        msg = "the MP3 has an ID3 tag already"
        raise ValueError(msg)
    frames = b"".join(
        [
            _text_frame(b"TIT2", tags.title),
            _text_frame(b"TPE1", tags.artist),
            _text_frame(b"TALB", tags.album),
            _text_frame(b"TCON", tags.genre),
            _text_frame(b"TDRC", str(tags.year)),
            _text_frame(b"TRCK", f"{tags.number}/{tags.number_of}"),
            _picture_frame(tags.cover),
        ]
    )
    return b"ID3\x04\x00\x00" + _sync_safe(len(frames)) + frames + mp3


def _text_frame(name: bytes, text: str) -> bytes:
    return _frame(name, _UTF_8 + encode_text(text)) if text else b""


def _picture_frame(picture: Picture) -> bytes:
    no_description = b"\x00"
    return _frame(b"APIC", _LATIN_1 + b"image/png\x00" + _FRONT_COVER + no_description + picture.png)


def _frame(name: bytes, content: bytes) -> bytes:
    return name + _sync_safe(len(content)) + b"\x00\x00" + content


def _sync_safe(size_bytes: int) -> bytes:
    """Write a size as four bytes of seven bits, so that none looks like the start of an MP3 frame."""
    if size_bytes >= _MAX_TAG_BYTES:
        msg = f"{size_bytes} bytes are too many for an ID3 tag"
        raise ValueError(msg)
    return bytes(size_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
