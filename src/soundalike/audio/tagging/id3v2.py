"""ID3v2.2, 2.3 and 2.4: the frames of a tag with all that was done to them undone.

The standards are https://id3.org/id3v2-00, https://id3.org/id3v2.3.0, https://id3.org/id3v2.4.0-structure.
Programs that write tags differ about sizes and unsynchronisation, so a tag is read in several ways: the
first one in which frames follow each other to the end of the tag is right, and the standard's comes first.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from soundalike.audio.tagging.text import MOST_TEXT_BYTES

HEADER_BYTES = 10
_V22, _V23, _V24 = 2, 3, 4
_MOST_FRAMES = 10_000
_MOST_INFLATED_BYTES = 32 << 20

_SYNC = re.compile(rb"\xff[\xe0-\xff]")
# The fourth character is missing in frames that iTunes took from a tag of version 2.2.
_NAME = {_V22: re.compile(rb"[A-Z][A-Z0-9]{2}"), _V23: re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9 \0]")}
_NAME[_V24] = _NAME[_V23]
_OTHER_NAME = re.compile(rb"[A-Za-z0-9]{3}[A-Za-z0-9 \0]?")  # of frames that no standard has

_PICTURES = {"APIC", "PIC"}
_SEVEN_BITS = 0x7F
_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: its name, as in its version of the standard, and its content."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _RawFrame:
    name: bytes
    flags: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """The frames by one way of reading, and where they end; `missing_bytes` is what the last one lacks."""

    content: bytes
    frames: list[_RawFrame]
    stop: int
    missing_bytes: int
    is_unsynchronised: bool

    @property
    def heads(self) -> int:
        """How many frames begin, also one that is cut."""
        return len(self.frames) + bool(self.missing_bytes)

    @property
    def is_clean(self) -> bool:
        """Whether frames follow each other up to padding or the very end."""
        return bool(self.frames) and not self.content[self.stop :].strip(b"\0")


def size_in_header(header: bytes) -> int | None:
    """Return how many bytes a tag has in all, by its first ten; None if no tag begins there."""
    if len(header) < HEADER_BYTES or header[:3] != b"ID3" or header[3] not in _NAME:
        return None
    return HEADER_BYTES * (2 if header[5] & _FOOTER else 1) + _synchsafe(header[6:10])


def goes_on(tag: bytes, behind: bytes) -> bool:
    """Return whether frames go on behind a tag, whose header may say too little.

    Parameters
    ----------
    tag : bytes
        As long as its header says.
    behind : bytes
        The first `HEADER_BYTES` that follow.
    """
    reading, head_bytes = _best_reading(tag), _head_bytes(tag[3])
    head = (reading.content[reading.stop :] + behind)[:head_bytes]
    is_at_end = len(reading.content) - reading.stop < head_bytes == len(head)
    return bool(reading.missing_bytes) or (is_at_end and _is_head(tag[3], head))


def missing_bytes(window: bytes) -> int:
    """Return how many bytes a tag, with what follows it, lacks for its last frame."""
    return _best_reading(window).missing_bytes


def end_of_frames(window: bytes) -> int | None:
    """Return where the frames of a tag end in what begins with it; None if bytes were put into them."""
    reading = _best_reading(window)
    is_as_written = len(reading.content) == len(window) - HEADER_BYTES
    return HEADER_BYTES + reading.stop if is_as_written else None


def read_frames(tag: bytes, *, wants_pictures: bool) -> Iterator[Frame]:
    """Yield the frames of a tag that are to be read; those that are encrypted or damaged are left out.

    Parameters
    ----------
    tag : bytes
        The tag from its header on.
    wants_pictures : bool
        Whether frames of pictures are among them.
    """
    reading, left = _best_reading(tag), _MOST_INFLATED_BYTES
    for raw in reading.frames:
        name = raw.name.rstrip(b" \0").decode("ascii")
        is_wanted = name.startswith(("T", "U")) or (wants_pictures and name in _PICTURES)
        most = left if name in _PICTURES else min(left, MOST_TEXT_BYTES)
        if is_wanted and (data := _content(reading, raw, tag[3], most)) is not None:
            left -= max(0, len(data) - (raw.stop - raw.start))
            yield Frame(name, data)


def _best_reading(tag: bytes) -> _Reading:
    """Return the first clean reading; without one, the first with the most frames."""
    best, has_footer = None, tag[-HEADER_BYTES:].startswith(b"3DI")
    body = tag[HEADER_BYTES : -HEADER_BYTES if has_footer else None]
    for reading in _readings(tag[3], tag[5], body):
        if reading.is_clean:
            return reading
        if best is None or reading.heads > best.heads:
            best = reading
    return best or _Reading(b"", [], stop=0, missing_bytes=0, is_unsynchronised=False)


def _readings(version: int, flags: int, body: bytes) -> Iterator[_Reading]:
    if version == _V22 and flags & _EXTENDED:  # there it means compressed, in a way never defined
        return
    for content, is_unsynchronised in _contents(version, body, is_flagged=bool(flags & _UNSYNCHRONISED)):
        for start in _starts(version, content) if flags & _EXTENDED else (0,):
            for is_synchsafe in {_V22: (False,), _V23: (False, True), _V24: (True, False)}[version]:
                yield _walk(
                    content, start, version, is_synchsafe=is_synchsafe, is_unsynchronised=is_unsynchronised
                )


def _contents(version: int, body: bytes, *, is_flagged: bool) -> Iterator[tuple[bytes, bool]]:
    """Yield what may be walked through, and whether each frame is still unsynchronised."""
    whole = body.replace(b"\xff\x00", b"\xff") if is_flagged else body
    if whole == body:
        yield body, is_flagged
    elif version == _V24 or _SYNC.search(body):  # frame by frame since 2.4; or only claimed
        yield body, True
        yield whole, False
    else:
        yield whole, False
        yield body, True


def _starts(version: int, content: bytes) -> Iterator[int]:
    """Yield where the frames may begin in a tag with an extended header, or one that claims to have it."""
    if _NAME[version].fullmatch(content[:4]):
        yield 0
    # Before 2.4 the size of this header does not count itself.
    plain, synchsafe = int.from_bytes(content[:4], "big"), _synchsafe(content[:4])
    yield from (4 + plain, plain) if version == _V23 else (synchsafe, 4 + synchsafe, 4 + plain)
    yield 0


def _walk(
    content: bytes, start: int, version: int, *, is_synchsafe: bool, is_unsynchronised: bool
) -> _Reading:
    """Go from frame to frame, as far as they follow each other."""
    head_bytes = _head_bytes(version)
    name_bytes = 3 if version == _V22 else 4
    frames: list[_RawFrame] = []
    at, missing = start, 0
    while at + head_bytes <= len(content) and len(frames) < _MOST_FRAMES:
        name, size_bytes = content[at : at + name_bytes], content[at + name_bytes : at + 2 * name_bytes]
        if is_synchsafe and max(size_bytes) > _SEVEN_BITS:
            break
        size = _synchsafe(size_bytes) if is_synchsafe else int.from_bytes(size_bytes, "big")
        stop, is_known = at + head_bytes + size, bool(_NAME[version].fullmatch(name))
        if not is_known and not _is_between(content, name, stop):
            break
        if stop > len(content):
            missing = stop - len(content)
            break
        flags = int.from_bytes(content[at + 2 * name_bytes : at + head_bytes], "big")
        if is_known:
            frames.append(_RawFrame(name, flags, at + head_bytes, stop))
        at = stop
    return _Reading(content, frames, at, missing, is_unsynchronised)


def _is_between(content: bytes, name: bytes, stop: int) -> bool:
    """Whether a frame whose name no standard has is followed by another frame."""
    following = content[stop : stop + len(name)]
    return all(_OTHER_NAME.fullmatch(one) and len(one) == len(name) for one in (name, following))


def _is_head(version: int, head: bytes) -> bool:
    """Whether bytes behind a tag begin a frame: by its name, its size and flags that were never used."""
    name_bytes = 3 if version == _V22 else 4
    is_free_of_flags = version == _V22 or not head[8] & 0x0F
    has_size = any(head[name_bytes : 2 * name_bytes])
    return bool(_NAME[version].fullmatch(head[:name_bytes])) and has_size and is_free_of_flags


def _head_bytes(version: int) -> int:
    return 6 if version == _V22 else 10


def _content(reading: _Reading, raw: _RawFrame, version: int, most_bytes: int) -> bytes | None:
    """Undo what was done to a frame; None if that cannot be."""
    is_unsynchronised = reading.is_unsynchronised
    flags = raw.flags & 0xFF
    if version == _V24:  # group, encryption and length come before the content
        is_compressed, is_encrypted = bool(flags & 0x08), bool(flags & 0x04)
        prefix = bool(flags & 0x40) + is_encrypted + 4 * bool(flags & 0x01)
        is_unsynchronised = is_unsynchronised or bool(flags & 0x02)
    else:
        is_compressed, is_encrypted = bool(flags & 0x80), bool(flags & 0x40)
        prefix = 4 * is_compressed + is_encrypted + bool(flags & 0x20)
    if is_encrypted:
        return None
    data = reading.content[raw.start : raw.stop]
    if is_unsynchronised and not _SYNC.search(data):
        data = data.replace(b"\xff\x00", b"\xff")
    if not is_compressed:
        return data[prefix:]
    # Some wrote no length, or one that no flag announces.
    inflated = (_inflated(data[start:], most_bytes) for start in dict.fromkeys((prefix, prefix + 4, 0)))
    return next((one for one in inflated if one), None)


def _inflated(data: bytes, most_bytes: int) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(data, most_bytes) if most_bytes > 0 else None
    except zlib.error:
        return None


def _synchsafe(data: bytes) -> int:
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(data)))
