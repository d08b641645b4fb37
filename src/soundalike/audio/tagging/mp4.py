"""Tags in MP4: iTunes' list of items, each with its values, and what 3GP files of phones have instead.

https://developer.apple.com/documentation/quicktime-file-format/metadata_item_list_atom and 3GPP TS 26.244,
section 8.
"""

import codecs
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from soundalike.audio.containers.spans import Span, claimed_span, read_at, size_of
from soundalike.audio.tagging.id3_genres import GENRES
from soundalike.audio.tagging.source import FRONT_COVER, MOST_VALUES, Picture, TagSource
from soundalike.audio.tagging.text import MOST_TEXT_BYTES, decode_bytes, decode_utf16

_MOST_BOXES = 2_000
_VALUE_HEAD_BYTES = 8
_UTF16 = 2
_FIELDS = {
    b"\xa9nam": "title",
    b"\xa9ART": "artist",
    b"aART": "albumartist",
    b"\xa9alb": "album",
    b"\xa9gen": "genre",
    b"\xa9day": "date",
    b"\xa9lyr": "lyrics",
}
# Of 3GP: a box for each, with a language and one text.
_FIELDS_3GP = {b"titl": "title", b"perf": "artist", b"albm": "album", b"gnre": "genre"}
_HEAD_3GP_BYTES, _LANGUAGE_BYTES = 4, 2
_NUMBERS = {b"trkn": "track", b"disk": "disc", b"cpil": "compilation", b"gnre": "genre"}


def read_mp4(file: BinaryIO, *, wants_pictures: bool) -> TagSource:
    """Read the list of items, and where that says nothing, the boxes of 3GP.

    Parameters
    ----------
    file : BinaryIO
        A file that begins with its boxes.
    wants_pictures : bool
        Whether pictures are read too.
    """
    source, named, whole = TagSource(), TagSource(), Span(0, size_of(file))
    for path in ((b"moov", b"udta", b"meta", b"ilst"), (b"moov", b"meta", b"ilst")):
        for name, span in _boxes(file, _descend(file, whole, path)):
            if name == b"----":
                _read_named(named, file, span)
            elif name in _FIELDS:
                source.add(_FIELDS[name], *_texts(file, span))
            elif name in _NUMBERS:
                source.add(_NUMBERS[name], *_numbers(file, span, name))
            elif name == b"covr" and wants_pictures:
                images = (read_at(file, value.start, value.size) for _, value in _values(file, span))
                source.pictures.extend(Picture(FRONT_COVER, image) for image in images)
    source.fill(named)
    source.fill(_read_3gp(file, _descend(file, whole, (b"moov", b"udta"))))
    return source


def _read_3gp(file: BinaryIO, span: Span) -> TagSource:
    """Read the boxes of 3GP; of texts in several languages the first, of an album also the track's number."""
    source = TagSource()
    for name, content in _boxes(file, span):
        field, start = _FIELDS_3GP.get(name), content.start + _HEAD_3GP_BYTES
        if name == b"yrrc":
            source.add("date", str(int.from_bytes(read_at(file, start, 2), "big")))
        elif field and not source.values(field):
            data = read_at(file, start, min(content.stop - start, MOST_TEXT_BYTES))
            text, rest = _text_3gp(data[_LANGUAGE_BYTES:])
            source.add(field, text)
            if name == b"albm" and rest:
                source.add("track", str(rest[0]))
    return source


def _text_3gp(data: bytes) -> tuple[str, bytes]:
    """Return a text that ends with NUL, UTF-16 if it begins with a mark, and what is behind it."""
    if data[:2] not in {codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE}:
        text, _, rest = data.partition(b"\0")
        return decode_bytes(text), rest
    end = next((at for at in range(2, len(data) - 1, 2) if data[at : at + 2] == b"\0\0"), len(data))
    return decode_utf16(data[:end], without_mark="utf-16-be"), data[end + 2 :]


def _boxes(file: BinaryIO, span: Span) -> Iterator[tuple[bytes, Span]]:
    """Yield the name and the content of each box in a span."""
    at = span.start
    for _ in range(_MOST_BOXES):
        head = read_at(file, at, min(16, span.stop - at))
        length, start = int.from_bytes(head[:4], "big"), at + 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), at + 16
        elif length == 0:
            length = span.stop - at
        if length < start - at or start > span.stop:
            return
        content = claimed_span(start, at + length - start, span.stop)
        yield head[4:8], content
        at = content.stop


def _descend(file: BinaryIO, span: Span, path: tuple[bytes, ...]) -> Span:
    """Return the content of a box in boxes; an empty span if there is none."""
    for name in path:
        span = next((content for own, content in _boxes(file, span) if own == name), Span(0, 0))
        # In ISO's files four bytes of a version come first, in QuickTime's its first box does.
        if name == b"meta" and read_at(file, span.start + 4, 4) != b"hdlr":
            span = Span(min(span.start + 4, span.stop), span.stop)
    return span


def _values(file: BinaryIO, span: Span) -> Iterator[tuple[int, Span]]:
    """Yield the type and the bytes of each value of an item."""
    data = (content for name, content in _boxes(file, span) if name == b"data")
    for content in islice(data, MOST_VALUES):
        start = min(content.start + _VALUE_HEAD_BYTES, content.stop)
        yield int.from_bytes(read_at(file, content.start, 4), "big"), Span(start, content.stop)


def _texts(file: BinaryIO, span: Span) -> Iterator[str]:
    for kind, value in _values(file, span):
        data = read_at(file, value.start, min(value.size, MOST_TEXT_BYTES))
        yield decode_utf16(data, without_mark="utf-16-be") if kind == _UTF16 else decode_bytes(data)


def _numbers(file: BinaryIO, span: Span, name: bytes) -> Iterator[str]:
    for _, value in _values(file, span):
        data = read_at(file, value.start, min(value.size, 8))
        # Of a track or disc: nothing, its number, how many there are.
        number = int.from_bytes(data[2:4] if name in {b"trkn", b"disk"} else data, "big")
        if name != b"gnre":
            yield str(number)
        elif 1 <= number <= len(GENRES):  # counted from one here
            yield GENRES[number - 1]


def _read_named(source: TagSource, file: BinaryIO, span: Span) -> None:
    """Read an item that has its name in a box beside its values."""
    for name, content in _boxes(file, span):
        if name == b"name":
            field = decode_bytes(read_at(file, content.start + 4, min(content.size - 4, MOST_VALUES)))
            source.add(field, *_texts(file, span))
            return
