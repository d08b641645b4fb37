"""The CUE sheet inside a file: a tag ``CUESHEET``, or FLAC's block of that name."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import BinaryIO

from soundalike.audio.containers.lengths import longest_s
from soundalike.audio.containers.spans import read_at
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.cue import MOST_TRACKS, SheetError, read_sheet
from soundalike.audio.files import open_regular
from soundalike.audio.formats import suffix_of
from soundalike.audio.observed import Activity, OpenFile, observed_file
from soundalike.audio.tag_fields import tags_of
from soundalike.audio.tagging.reading import tag_sources
from soundalike.audio.tagging.source import TagSource
from soundalike.domain.files import FoundFile, OwnParts, Part
from soundalike.domain.tags import Tags

# Images of albums; others would be read twice for nothing.
_SUFFIXES = frozenset(b".flac .fla .wv .ape .tta .tak".split())
_MOST_BLOCKS = 10_000
_CUESHEET = 5
_HEAD_BYTES, _TRACK_BYTES, _INDEX_BYTES = 396, 36, 12
_MOST_BLOCK_BYTES = _HEAD_BYTES + (MOST_TRACKS + 1) * (_TRACK_BYTES + 100 * _INDEX_BYTES)

_Pieces = tuple[tuple[Part | None, Tags], ...]


def read_own_parts(
    found: FoundFile, *, activity: Activity | None = None, open_file: OpenFile = open_regular
) -> OwnParts | None:
    """Return the parts that the sheet inside a file makes of it; None where there is none, or a broken one.

    A sheet beside the file counts more.

    Parameters
    ----------
    found : FoundFile
        As scanned.
    activity : Activity or None
        Counts what has been done.
    open_file : callable
        Opens it.
    """
    is_meant = found.part is None and found.sheet is None
    if not is_meant or suffix_of(bytes(found.location.path)) not in _SUFFIXES:
        return None
    try:
        with observed_file(found.real_path, open_file, activity or Activity()) as file:
            pieces = _tag_pieces(file) or _block_pieces(file)
            end_s = longest_s(file) if len(pieces) > 1 else None
    except OSError:  # analysing it says what is wrong
        return None
    parts = tuple((part, tags) for part, tags in pieces if part is not None)
    if len(parts) < 2 or (end_s is not None and _last_start_s(parts) >= end_s):  # noqa: PLR2004 - a whole file
        return None
    return OwnParts(parts)


def _last_start_s(parts: Sequence[tuple[Part, Tags]]) -> float:
    last, _ = parts[-1]
    return last.start / last.rate


def _tag_pieces(file: BinaryIO) -> _Pieces:
    for text in (one for source in tag_sources(file) for one in source.values("cuesheet")):
        try:
            files = read_sheet(text.encode("utf-8", "ignore"))
        except SheetError:
            continue
        if len(files) == 1:
            return files[0].pieces()
    return ()


def _block_pieces(file: BinaryIO) -> _Pieces:
    """Read a block as https://www.rfc-editor.org/rfc/rfc9639#section-8.7 says; it has no titles."""
    blocks = dict(_flac_blocks(file))
    info, block = blocks.get(0, b""), blocks.get(_CUESHEET, b"")
    rate = int.from_bytes(info[10:13], "big") >> 4
    tracks = list(_tracks(block))
    starts = [start for _, start, _ in tracks]
    is_sound = rate and 1 < len(tracks) <= MOST_TRACKS and all(one < next_ for one, next_ in pairwise(starts))
    if not is_sound:
        return ()
    ends = [*starts[1:], None]
    return tuple(
        (Part(start, end, rate), _tags(number, isrc))
        for (number, start, isrc), end in zip(tracks, ends, strict=True)
    )


def _flac_blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    at = untagged_span(file).start
    if read_at(file, at, 4) != b"fLaC":
        return
    at += 4
    for _ in range(_MOST_BLOCKS):
        head = read_at(file, at, 4)
        size = int.from_bytes(head[1:], "big")
        if len(head) < 4:  # noqa: PLR2004 - cut inside the metadata
            return
        if head[0] & 0x7F in {0, _CUESHEET}:
            yield head[0] & 0x7F, read_at(file, at + 4, min(size, _MOST_BLOCK_BYTES))
        if head[0] & 0x80:
            return
        at += 4 + size


def _tracks(block: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield number, first sample and ISRC of each audio track; the lead-out has no index."""
    at = _HEAD_BYTES
    for _ in range(block[at - 1] if len(block) >= at else 0):
        track, indices = block[at : at + _TRACK_BYTES], at + _TRACK_BYTES
        if len(track) < _TRACK_BYTES:
            return
        at = indices + track[-1] * _INDEX_BYTES
        is_audio = not track[21] & 0x80
        for index in range(indices, at, _INDEX_BYTES):
            if is_audio and block[index + 8 : index + 9] == b"\x01":
                offset = int.from_bytes(track[:8], "big") + int.from_bytes(block[index : index + 8], "big")
                yield track[8], offset, track[9:21].rstrip(b"\0").decode("ascii", "ignore")


def _tags(number: int, isrc: str) -> Tags:
    source = TagSource()
    for name, value in (("title", f"Track {number}"), ("track", str(number)), ("isrc", isrc)):
        source.add(name, value)
    return tags_of(source)
