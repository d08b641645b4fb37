"""The ports of audio files: finding, analysing and playing them."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import (
    Analysis,
    AnalysisFailure,
    FileProblem,
    FileStamp,
    FoundFile,
    LeftOut,
    OwnParts,
    Root,
)
from soundalike.domain.types import (
    AudioHash,
)

Scanned = FoundFile | FileProblem | LeftOut
"""What a scan finds."""

Analysed = Analysis | AnalysisFailure | OwnParts
"""What becomes of a file."""

KnownAudio = Mapping[str, frozenset[AudioHash]]
"""For a feature set's key (`FeatureSchema.key`), the audio that needs no vectors of it."""


class FileScanner(Protocol):
    """Finds audio files."""

    def scan(self, directory: Path, roots: Sequence[Root]) -> Iterator[Scanned]:
        """Yield every audio file below a folder, every problem that shows, and what is left out.

        Links are followed; loops and dangling links are problems. Each location is relative to the
        innermost root that contains it. A folder that cannot be listed is a problem at its own location,
        and so is one whose ignore file cannot be used.

        Parameters
        ----------
        directory : Path
            Absolute and without links.
        roots : sequence of Root
            One of them contains the folder.
        """


class Analyser(Protocol):
    """Analyses audio files, several at a time."""

    @property
    def passes(self) -> Sequence[Sequence[FeatureSchema]]:
        """The feature sets that it computes: those of the first pass over a library, of the second ..."""

    @property
    def versions(self) -> str:
        """Versions of all that decides whether a file can be read: other ones may read what these cannot."""

    def analyse(
        self, files: Iterable[FoundFile], *, sets: Sequence[FeatureSchema], known: KnownAudio
    ) -> Generator[tuple[FoundFile, Analysed], None, None]:
        """Yield the result of each file once it is done, in any order.

        A file is decoded once for all sets. It gets no vectors of those for which its audio is known;
        if it is for all, it is not decoded and gets tags and hash alone. A file that kills its worker
        fails with `ProblemReason.CRASHED`, one that the disk does not give with `ProblemReason.UNREADABLE`;
        the others go on. A slow disk is waited for. Closing the generator stops the workers.
        A file that is parts by a sheet inside it is not analysed itself. Of a part, only that is analysed. Of
        a file that is `stored`, only tags are read.

        Parameters
        ----------
        files : iterable of FoundFile
            As scanned.
        sets : sequence of FeatureSchema
            Of one or more of the passes.
        known : KnownAudio
            Audio that needs no vectors of a set.

        Raises
        ------
        FileUnavailableError
            If the disk no longer answers.
        """


class FolderWatcher(Protocol):
    """Notices that something below folders has changed."""

    def watch(self, places: Sequence[Path]) -> Mapping[Path, str]:
        """Watch these folders with all below them, and no others.

        Called again and again: a folder that has been replaced since, as by another disk, has changed.

        Parameters
        ----------
        places : sequence of Path
            Absolute and without links.

        Returns
        -------
        mapping of Path to str
            Those of which not all is told, and why: they have to be scanned now and then.
        """

    def changed(self) -> frozenset[Path]:
        """Return the folders in which something changed, each change once, as soon as they are quiet.

        Of each folder that is watched it is one: the innermost that has all that changed.
        """

    def close(self) -> None:
        """Watch nothing any more."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture from a track's tags, or from its folder.

    Parameters
    ----------
    media_type : str
        JPEG, PNG, WebP or GIF, found from the first bytes, never from the tag.
    data : bytes
        The picture.
    """

    media_type: str
    data: bytes


class AudioFiles(Protocol):
    """Opens tracks' files for playing."""

    def open(self, real_path: Path, stamp: FileStamp) -> BinaryIO:
        """Open the file that was scanned, following no link; the caller closes it.

        Parameters
        ----------
        real_path : Path
            Absolute and without links.
        stamp : FileStamp
            Of the file when it was scanned.

        Raises
        ------
        TrackGoneError
            If it does not exist, is not a regular file, is behind a link, or has changed since the scan.
        FileUnavailableError
            If its disk, or this machine, does not give it at the moment.
        """

    def cover(self, file: BinaryIO) -> Cover | None:
        """Return the embedded picture, the front cover first; None if a browser may show none.

        Raises
        ------
        FileUnavailableError
            If the file cannot be read at the moment.
        """

    def folder_cover(self, folder: Path) -> Cover | None:
        """Return the picture in a folder that is called like a cover; None if there is none to show.

        No link is followed: neither in the folder's path, which is absolute, nor to the picture.

        Raises
        ------
        FileUnavailableError
            If it cannot be read at the moment.
        """
