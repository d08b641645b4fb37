"""Reading CUE sheets, which say where in a long file each track begins, and what it is called.

The format: https://wiki.hydrogenaud.io/index.php?title=Cue_sheet and appendix A of CDRWIN's manual. A sheet
is untrusted text, in the encoding of the program that wrote it.
"""

import codecs
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from soundalike.audio.tag_fields import tags_of
from soundalike.audio.tagging.source import TagSource
from soundalike.audio.tagging.text import decode_bytes, decode_utf16
from soundalike.domain.files import Part
from soundalike.domain.tags import Tags

MOST_BYTES = 256 * 1024
MOST_TRACKS = 99
FRAMES_PER_S = 75
_TIME = re.compile(r"(\d{1,4}):([0-5]?\d):(\d{1,2})", re.ASCII)
_BY_ZERO = {1: "utf-16-le", 0: "utf-16-be"}
_NEWLINE = re.compile(r"\r\n|\r|\n")
# What is called otherwise in tags.
_FIELDS = {"performer": "artist", "date": "year", "discnumber": "disc"}


class SheetError(Exception):
    """A sheet is broken; the text says how."""


@dataclass(frozen=True, slots=True)
class SheetTrack:
    """A track of a sheet.

    Parameters
    ----------
    number : int
        As the sheet counts.
    start : int
        Where it begins in its file, in 1/75 s.
    tags : Tags
        What the sheet says of it.
    """

    number: int
    start: int
    tags: Tags


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file that a sheet names, with the tracks that begin in it, in order."""

    name: str
    tracks: tuple[SheetTrack, ...]

    def is_within(self, longest_s: float | None) -> bool:
        """Whether all tracks begin before a file's end; one of unknown length has them all."""
        return longest_s is None or self.tracks[-1].start < longest_s * FRAMES_PER_S

    def pieces(self) -> tuple[tuple[Part | None, Tags], ...]:
        """Return each track's part of the file with its tags; a track alone is the whole file."""
        if len(self.tracks) == 1:
            return ((None, self.tracks[0].tags),)
        ends = [track.start for track in self.tracks[1:]]
        return tuple(
            (
                Part(track.start, end, FRAMES_PER_S),
                replace(track.tags, title=track.tags.title or f"Track {track.number}"),
            )
            for track, end in zip(self.tracks, [*ends, None], strict=True)
        )


def read_sheet(data: bytes) -> tuple[SheetFile, ...]:
    """Return the files of a sheet that have tracks.

    Raises
    ------
    SheetError
        If it is broken.
    """
    if len(data) > MOST_BYTES:
        msg = f"larger than {MOST_BYTES // 1024} KiB"
        raise SheetError(msg)
    reading = _Reading()
    for line in _NEWLINE.split(_text(data)):
        reading.take(*_split(line))
    return reading.files()


def tags_with_sheet(own: Tags, sheet: Tags, *, is_part: bool) -> Tags:
    """Return the tags of a file, or a part of one, with what a sheet says.

    Parameters
    ----------
    own : Tags
        As read from the file.
    sheet : Tags
        What the sheet says.
    is_part : bool
        Of a part the sheet knows more, and what the file says of a track is not true of it.
    """
    if not is_part:
        return own.over(sheet)
    of_album = replace(
        own,
        title=None,
        track_number=None,
        lyrics=None,
        gains=replace(own.gains, track_db=None, track_peak=None, r128_track=None),
        external_ids=tuple(one for one in own.external_ids if not one.kind.names_track),
    )
    return sheet.over(of_album)


@dataclass(slots=True)
class _Track:
    """A track while its lines are read; `start` is None until its INDEX 01."""

    number: int
    is_audio: bool
    start: int | None = None
    fields: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class _Reading:
    """The state of reading a sheet line by line."""

    def __init__(self) -> None:
        self._files: list[tuple[str, list[_Track]]] = []
        self._tracks: list[_Track] = []
        self._album: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, command: str, rest: str) -> None:
        """Take a line; commands that say nothing of tracks are passed over."""
        if command == "REM":
            command, rest = _split(rest)
            self._say(command.lower(), _value(rest))
        elif command in {"TITLE", "PERFORMER", "ISRC"}:
            self._say(command.lower(), _value(rest))
        elif command == "FILE":
            self._files.append(
                (_value(rest) if rest[:1] == '"' else "".join(rest.rsplit(maxsplit=1)[:1]), [])
            )
        elif command == "TRACK":
            number, kind = _split(rest)
            self._tracks.append(_Track(_small_number(number), kind.upper() in {"AUDIO", ""}))
        elif command == "INDEX":
            self._index(rest)

    def _say(self, name: str, value: str) -> None:
        fields = self._tracks[-1].fields if self._tracks else self._album
        fields[_FIELDS.get(name, name)].append(value)

    def _index(self, rest: str) -> None:
        number, time = _split(rest)
        if not (self._files and self._tracks):
            msg = "an INDEX stands before FILE and TRACK"
            raise SheetError(msg)
        track = self._tracks[-1]
        # 00 is the gap before the track, which is heard at the end of the one before; others are within it.
        if _small_number(number) != 1 or not track.is_audio or track.start is not None:
            return
        match = _TIME.fullmatch(time)
        minutes, seconds, frames = map(int, match.groups()) if match else (0, 0, FRAMES_PER_S)
        if frames >= FRAMES_PER_S:
            msg = f"track {track.number} begins at {time[:20]!r}, which is no time"
            raise SheetError(msg)
        track.start = (minutes * 60 + seconds) * FRAMES_PER_S + frames
        # The track belongs to this file, though its gap may be in the one before.
        self._files[-1][1].append(track)

    def files(self) -> tuple[SheetFile, ...]:
        """Return what was read; see `read_sheet`."""
        for track in self._tracks:
            if track.is_audio and track.start is None:
                msg = f"track {track.number} has no INDEX 01"
                raise SheetError(msg)
        found = tuple(
            SheetFile(name, tuple(map(self._finished, tracks))) for name, tracks in self._files if tracks
        )
        if not found:
            msg = "it has no track"
            raise SheetError(msg)
        for one in found:
            _check(one)
        return found

    def _finished(self, track: _Track) -> SheetTrack:
        album_artist = self._album["artist"]
        of_album = {name: values for name, values in self._album.items() if name not in {"title", "isrc"}}
        fields = {
            **of_album,
            "album": self._album["title"],
            "albumartist": album_artist,
            "track": [str(track.number)],
            **track.fields,
        }
        return SheetTrack(track.number, track.start or 0, _tags(fields))


def _check(one: SheetFile) -> None:
    if len(one.tracks) > MOST_TRACKS:
        msg = f"it has more than {MOST_TRACKS} tracks in one file"
        raise SheetError(msg)
    for before, after in zip(one.tracks, one.tracks[1:], strict=False):
        if after.start <= before.start:
            msg = f"track {after.number} does not begin after track {before.number}"
            raise SheetError(msg)


def _tags(fields: Mapping[str, Sequence[str]]) -> Tags:
    source = TagSource()
    for name, values in fields.items():
        source.add(name, *values)
    return tags_of(source)


def _split(line: str) -> tuple[str, str]:
    """Return a line's first word in capitals, and what follows it behind spaces or tabs."""
    first, *rest = line.split(maxsplit=1) or [""]
    return first.upper(), rest[0].strip() if rest else ""


def _value(rest: str) -> str:
    """Return what is between the first quote and the last, since titles have quotes; else all of it."""
    if not rest.startswith('"'):
        return rest
    end = rest.rfind('"')
    return rest[1:end] if end else rest[1:]


def _small_number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,3}", text, re.ASCII) else 0


def _text(data: bytes) -> str:
    """Decode UTF-16 by its mark or its zeros, UTF-8 if it is valid, else Windows-1252."""
    encoding = _BY_ZERO.get(data[:4].find(0))
    is_utf16 = encoding is not None or data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    text = decode_utf16(data, without_mark=encoding or "") if is_utf16 else decode_bytes(data)
    if "\0" in text:
        msg = "it is not text"
        raise SheetError(msg)
    return text.removeprefix("\ufeff")
