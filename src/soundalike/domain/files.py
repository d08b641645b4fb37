"""Files as a scan finds them, and the results of analysing them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from soundalike.domain.features import FeatureVectors
from soundalike.domain.tags import Tags
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, RootName

NOTHING_ANALYSED = DurationMs(0)

_DISC = re.compile(
    rb"(?:cd|dis[ck]|dvd|lp|side|vinyl)[ ._-]*(?:(\d{1,3})|([a-h]))(?![a-z0-9]).*", re.IGNORECASE | re.DOTALL
)


class ProblemReason(StrEnum):
    """Why a file cannot be used; the values are part of the ``--json`` output."""

    EMPTY = "empty"
    NOT_AUDIO = "not audio"
    UNSUPPORTED_CODEC = "unsupported codec"
    TOO_SHORT = "shorter than 1 s"
    SILENT = "silent"
    ABSURD_SAMPLES = "not finite or absurd samples"
    HEADER_TOO_LONG = "header longer than the audio"
    UNREADABLE = "unreadable"
    NOT_REGULAR = "not a regular file"
    BROKEN_LINK = "a link that loops or dangles"
    CRASHED = "crashed the decoder"
    BROKEN_SHEET = "a broken CUE sheet"

    @property
    def is_listed(self) -> bool:
        """Whether the file is a track all the same: one without sound lacks nothing but features."""
        return self is ProblemReason.SILENT

    @property
    def is_worth_retrying(self) -> bool:
        """Whether the same program may be able to use the same bytes next time (permissions, memory).

        Other reasons stay until the program or its decoders change; see `FileProblem.read_by`.
        """
        return self in {
            ProblemReason.UNREADABLE,
            ProblemReason.CRASHED,
            ProblemReason.BROKEN_LINK,
            ProblemReason.NOT_REGULAR,
        }


@dataclass(frozen=True, slots=True)
class Root:
    """A named folder of music; `location` is where this store last saw it."""

    name: RootName
    location: Path


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where a file is: bytes below a named root, which each machine may map elsewhere."""

    root: RootName
    path: RelativePath

    @property
    def folder(self) -> "Location":
        """The folder that it is in."""
        return Location(self.root, RelativePath(self.path.rpartition(b"/")[0]))

    @property
    def disc_number(self) -> int | None:
        """The number of the disc whose folder it is in, such as "CD2" or "Side B"; None for other folders."""
        found = _DISC.match(self.folder.path.rpartition(b"/")[2])
        if found is None:
            return None
        number, letter = found.groups()
        return int(number) if number else 1 + b"abcdefgh".index(letter.lower())

    @property
    def album_folder(self) -> "Location":
        """The folder that it is in, or above the folder of a disc."""
        return self.folder if self.disc_number is None else self.folder.folder

    def upwards(self) -> Iterator["Location"]:
        """Yield this location and every folder above it in its root, innermost first."""
        path: bytes = self.path
        while path:
            yield Location(self.root, RelativePath(path))
            path = path.rpartition(b"/")[0]
        yield Location(self.root, RelativePath(b""))


NOWHERE = Location(RootName(""), RelativePath(b""))
"""Where the file of a track without one is said to be, for `LibraryStore.save_track`."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Size and time of change, which show whether a file changed without reading it."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a longer file, such as one track of a CUE image.

    Parameters
    ----------
    start : int
        Its first sample.
    end : int or None
        The sample after its last; None if it goes to the end of the file.
    rate : int
        Samples per second, of `start` and `end`.
    """

    start: int
    end: int | None
    rate: int

    def __post_init__(self) -> None:
        """Check that it is not empty."""
        if self.start < 0 or self.rate < 1 or (self.end is not None and self.end <= self.start):
            msg = f"{self} is not a part of a file"
            raise ValueError(msg)

    @property
    def start_ms(self) -> int:
        """Where it starts in the file."""
        return self.start * 1000 // self.rate

    @property
    def end_ms(self) -> int | None:
        """Where it ends in the file, None for the file's end."""
        return None if self.end is None else self.end * 1000 // self.rate


@dataclass(frozen=True, slots=True)
class Place:
    """What belongs to one track alone: a file, or a part of one."""

    location: Location
    part: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFile:
    """The file, or the part of one, that a track is played from.

    Parameters
    ----------
    location : Location
        Where the file is, or last was.
    target : Path or None
        Absolute path that a link at `location` led to at the scan; None if there is no link.
    stamp : FileStamp
        Of the file when it was last read.
    tags_stamp : str
        As in `FoundFile`; empty where it is unknown.
    audio_hash : AudioHash
        Of the encoded audio without tags; of a part, also of where it starts and ends.
    media_type : str
        Such as ``"audio/mpeg"``.
    part : Part or None
        None for the whole file.
    """

    location: Location
    target: Path | None = None
    stamp: FileStamp
    tags_stamp: str = ""
    audio_hash: AudioHash
    media_type: str
    part: Part | None = None

    @property
    def place(self) -> Place:
        """The file, and which part of it."""
        return Place(self.location, self.part)


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """What is stored of a file's audio.

    Parameters
    ----------
    audio_hash : AudioHash
        As in `TrackFile`.
    media_type : str
        As in `TrackFile`.
    duration_ms : DurationMs
        Its length.
    """

    audio_hash: AudioHash
    media_type: str
    duration_ms: DurationMs


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A regular file that a scan found.

    Parameters
    ----------
    location : Location
        Root and path below it.
    real_path : Path
        Absolute path with every link resolved: what is opened.
    is_linked : bool
        Whether the file, or a folder above it below the root, is a link.
    stamp : FileStamp
        Size and time of last change.
    tags_stamp : str
        Changes whenever its tags may have: some programs keep size and time of change as they were.
    part : Part or None
        The part of it that is one track; None for the whole file.
    sheet : Tags or None
        What a CUE sheet says of it.
    stored : StoredAudio or None
        Given if nothing but its tags has to be read.
    """

    location: Location
    real_path: Path
    is_linked: bool
    stamp: FileStamp
    tags_stamp: str = ""
    part: Part | None = None
    sheet: Tags | None = None
    stored: StoredAudio | None = None

    @property
    def place(self) -> Place:
        """The file, and which part of it."""
        return Place(self.location, self.part)

    @property
    def target(self) -> Path | None:
        """Where a link led; None if there is no link."""
        return self.real_path if self.is_linked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """Why a file, or a part of one, cannot be used, or not all of it; one is stored for each.

    Parameters
    ----------
    location : Location
        Root and path below it.
    part : Part or None
        The part of the file; None for the whole.
    reason : ProblemReason
        Why.
    analysed_ms : DurationMs
        Length of the audio that could be decoded.
    detail : str
        More about it, such as the extra to install.
    is_used : bool
        True if enough could be decoded to use the track anyway.
    stamp : FileStamp or None
        Of the file, if it has one.
    read_by : str
        Versions of the program's reading and of its decoders when the file was read, as `Analyser.versions`;
        empty if it was not, or by a program that did not keep them.
    """

    location: Location
    reason: ProblemReason
    analysed_ms: DurationMs = NOTHING_ANALYSED
    detail: str = ""
    is_used: bool = False
    stamp: FileStamp | None = None
    part: Part | None = None
    read_by: str = ""

    @property
    def place(self) -> Place:
        """The file, and which part of it."""
        return Place(self.location, self.part)


class LeftOutReason(StrEnum):
    """Why a scan leaves something out; the values are part of the ``--json`` output."""

    BIN = "recycle bin or snapshot"
    IGNORED = "named in .soundalikeignore"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, or a folder with all that is in it, that a scan leaves out."""

    location: Location
    reason: LeftOutReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Result of analysing one file.

    Parameters
    ----------
    tags : Tags
        As read from the file.
    audio_hash : AudioHash
        Of the encoded audio without tags.
    duration_ms : DurationMs
        Length of the whole track.
    media_type : str
        Such as ``"audio/mpeg"``, recognised by the content.
    analysed_ms : DurationMs
        Length of the excerpt that the vectors describe.
    vectors : tuple of FeatureVectors
        Of the feature sets for which the audio was not known already.
    is_truncated : bool
        The header promised more than could be decoded.
    """

    tags: Tags
    audio_hash: AudioHash
    duration_ms: DurationMs
    media_type: str
    analysed_ms: DurationMs
    vectors: tuple[FeatureVectors, ...]
    is_truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisFailure:
    """Why one file could not be analysed.

    Parameters
    ----------
    reason : ProblemReason
        Why.
    analysed_ms : DurationMs
        Length of the audio that could be decoded.
    detail : str
        More about it.
    listed : Analysis or None
        What is known of a file that is a track all the same, but for its vectors: one that is silent.
    """

    reason: ProblemReason
    analysed_ms: DurationMs = NOTHING_ANALYSED
    detail: str = ""
    listed: Analysis | None = None


@dataclass(frozen=True, slots=True)
class OwnParts:
    """The parts that a sheet inside a file makes of it, with what it says of each."""

    parts: tuple[tuple[Part, Tags], ...]
