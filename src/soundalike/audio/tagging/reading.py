"""All tags of a file, whatever it is."""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar, cast

from soundalike.audio.containers import dsd
from soundalike.audio.containers.mp4 import QUICKTIME_BOXES
from soundalike.audio.containers.spans import read_at, size_of
from soundalike.audio.containers.tagged import is_id3v1, tags_behind, untagged_span
from soundalike.audio.errors import is_passing
from soundalike.audio.formats import sniff_magic
from soundalike.audio.tagging import apev2, id3v2
from soundalike.audio.tagging.chunks import read_chunks
from soundalike.audio.tagging.id3_fields import V1_BYTES, read_id3v1, read_id3v2
from soundalike.audio.tagging.libraries import read_by_pyav, read_by_tinytag
from soundalike.audio.tagging.limited import LimitedReader
from soundalike.audio.tagging.mp4 import read_mp4
from soundalike.audio.tagging.source import TagSource
from soundalike.audio.tagging.vorbis import read_flac, read_ogg

_MOST_TAGS = 8
_MOST_TAG_BYTES = 32 << 20
_LEAST_MORE_BYTES = 64 << 10
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"

_T = TypeVar("_T")


def tag_sources(file: BinaryIO, *, wants_pictures: bool = False) -> list[TagSource]:
    """Return the tags of a file; what an earlier one says goes before what a later one says.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    wants_pictures : bool
        Whether pictures are read too.

    Raises
    ------
    OSError
        If the disk does not give the file at the moment.
    """
    tags = _guarded(file, lambda whole: _front(whole, wants_pictures=wants_pictures))
    front, start = [source for source, _ in tags], tags[-1][1] if tags else 0
    head = b"".join(_guarded(file, lambda rest: [read_at(rest, 0, 16)], start))
    body = _guarded(file, lambda rest: _body(rest, head, wants_pictures=wants_pictures), start)
    back = _guarded(file, lambda whole: _back(whole, wants_pictures=wants_pictures))
    # In FLAC the comments are the format's own tags.
    found = [*body, *front, *back] if head.startswith(b"fLaC") else [*front, *body, *back]
    # It gives no pictures.
    if not wants_pictures and not any(one.has_any for one in found) and not _is_read_here(head):
        return _guarded(file, _by_pyav, start)
    return found


def _by_pyav(file: BinaryIO) -> Iterable[TagSource]:
    """Have a format read whose mark is known: FFmpeg guesses others, and breaks in some that it guesses."""
    known = sniff_magic(file)
    return [read_by_pyav(file, known.demuxer)] if known is not None and known.demuxer else []


def _guarded(file: BinaryIO, read: Callable[[BinaryIO], Iterable[_T]], start: int = 0) -> list[_T]:
    """Return what is read before anything is wrong; raise errors of the disk alone."""
    limited, found = LimitedReader(file, start=start), list[_T]()
    try:
        # It has all methods that are called.
        for one in read(cast("BinaryIO", limited)):
            found.append(one)  # what came before an error is kept
    except Exception as error:  # hostile tags make a parser raise anything; the audio is still used
        if is_passing(error):
            raise
    # A parser may take it for damage, or for the end of the file.
    if limited.error is not None and is_passing(limited.error):
        raise limited.error
    return found


def _front(file: BinaryIO, *, wants_pictures: bool) -> Iterator[tuple[TagSource, int]]:
    """Yield the tags in front of everything, and where each ends."""
    start = 0
    for _ in range(_MOST_TAGS):
        head = read_at(file, start, apev2.FOOTER_BYTES)
        size = id3v2.size_in_header(head)
        if size is not None:
            tag, size = _id3v2(file, start, size)
            yield read_id3v2(tag, wants_pictures=wants_pictures), start + size
        elif head.startswith(apev2.MARK):
            size = apev2.FOOTER_BYTES + int.from_bytes(head[12:16], "little")
            yield apev2.read_front(read_at(file, start, min(size, _MOST_TAG_BYTES))), start + size
        else:
            return
        start += size


def _id3v2(file: BinaryIO, start: int, size: int) -> tuple[bytes, int]:
    """Read a tag, and more than it says while frames go on; return how long it really is, too."""
    tag = window = read_at(file, start, min(size, _MOST_TAG_BYTES))
    while id3v2.goes_on(window, read_at(file, start + len(window), id3v2.HEADER_BYTES)):
        # Twice as much each time, so that all is gone through a few times only.
        wanted = id3v2.missing_bytes(window) + max(len(window), _LEAST_MORE_BYTES)
        more = read_at(file, start + len(window), min(wanted, _MOST_TAG_BYTES - len(window)))
        if not more:
            break
        window += more
    if window is tag:
        return tag, size
    end = id3v2.end_of_frames(window)
    return (window, size) if end is None else (window[: max(end, len(tag))], max(size, end))


def _body(file: BinaryIO, head: bytes, *, wants_pictures: bool) -> Iterable[TagSource]:
    if head.startswith(b"fLaC"):
        return [read_flac(file, wants_pictures=wants_pictures)]
    if head.startswith(b"OggS"):
        return [read_ogg(file, wants_pictures=wants_pictures)]
    if _has_chunks(head):
        return read_chunks(file, wants_pictures=wants_pictures)
    if head[4:8] in {b"ftyp", *QUICKTIME_BOXES}:
        return [read_mp4(file, wants_pictures=wants_pictures)]
    if head.startswith(dsd.MARKS):
        tags = (read_at(file, span.start, min(span.size, _MOST_TAG_BYTES)) for span in dsd.tag_spans(file))
        return (read_id3v2(tag, wants_pictures=wants_pictures) for tag in tags if tag.startswith(b"ID3"))
    return [read_by_tinytag(file, wants_pictures=wants_pictures)] if head.startswith(_ASF) else []


def _back(file: BinaryIO, *, wants_pictures: bool) -> Iterator[TagSource]:
    """Yield the tags behind everything: ID3v2, APE, ID3v1."""
    spans, size = tags_behind(file, untagged_span(file).start), size_of(file)
    for span in spans:
        if id3v2.size_in_header(read_at(file, span.start, id3v2.HEADER_BYTES)) is not None:
            tag = read_at(file, span.start, min(span.size, _MOST_TAG_BYTES))
            yield read_id3v2(tag, wants_pictures=wants_pictures)
    stop = spans[-1].start if spans else size
    tail = read_at(file, max(stop, size - _MOST_TAG_BYTES), _MOST_TAG_BYTES)
    yield apev2.read_back(tail)
    if is_id3v1(tail):
        yield read_id3v1(tail[-V1_BYTES:])


def _has_chunks(head: bytes) -> bool:
    is_wav = head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and head[8:12] == b"WAVE"
    return is_wav or (head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC", b"8SVX", b"16SV"})


def _is_read_here(head: bytes) -> bool:
    """Whether a file has no tags that another library may find: MPEG frames, FLAC, Ogg, chunks."""
    is_mpeg = head[:1] == b"\xff" and head[1:2] >= b"\xe0"
    return is_mpeg or head.startswith((b"fLaC", b"OggS")) or _has_chunks(head)
