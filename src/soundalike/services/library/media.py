"""A track's audio and cover, from the file that was scanned."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from soundalike.domain.errors import NoAudioError, NoCoverError, TrackGoneError
from soundalike.domain.files import TrackFile
from soundalike.domain.ports.audio import AudioFiles, Cover
from soundalike.domain.types import TrackId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """An open audio file; the caller closes it.

    Parameters
    ----------
    file : BinaryIO
        At its beginning, seekable.
    name : str
        Its path, as it is shown to people.
    size_bytes : int
        Of the whole file.
    media_type : str
        Such as ``"audio/mpeg"``.
    etag : str
        Changes with the file; without quotes.
    """

    file: BinaryIO
    name: str
    size_bytes: int
    media_type: str
    etag: str


class Media:
    """Opens the audio and covers of tracks."""

    def __init__(self, library: Library, roots: RootMap, files: AudioFiles) -> None:
        self._library = library
        self._roots = roots
        self._files = files

    def audio(self, track_id: TrackId) -> AudioStream:
        """Open a track's audio.

        Raises
        ------
        UnknownTrackError
            If no track has this id.
        NoAudioError
            If it has no file.
        TrackGoneError
            If its file is not the one that was scanned.
        FileUnavailableError
            If its file cannot be read at the moment.
        """
        file = self._file_of(track_id)
        path = self._path_of(track_id, file)
        return AudioStream(
            file=self._files.open(path, file.stamp),
            name=os.fsencode(path).decode("utf-8", "replace"),
            size_bytes=file.stamp.size_bytes,
            media_type=file.media_type,
            etag=f"{file.audio_hash[:16]}-{file.stamp.size_bytes:x}-{file.stamp.mtime_ns:x}",
        )

    def cover(self, track_id: TrackId) -> Cover:
        """Read the picture in a track's tags, else that in its folder, or above the folder of a disc.

        Raises
        ------
        UnknownTrackError
            If no track has this id.
        TrackGoneError
            If its file is not the one that was scanned.
        FileUnavailableError
            If its file cannot be read at the moment.
        NoCoverError
            If it has no file, or neither tags nor folder have a picture that a browser may show.
        """
        cover, found = None, self._library.track(track_id).file
        if found is not None:
            path = self._path_of(track_id, found)
            with self._files.open(path, found.stamp) as file:
                cover = self._files.cover(file)
            listed = self._roots.path_of(found.location) or path
            for folder in () if cover else _cover_folders(found, listed):
                cover = cover or self._files.folder_cover(folder)
        if cover is None:
            msg = f"track {track_id!r} has no cover"
            raise NoCoverError(msg)
        return cover

    def _file_of(self, track_id: TrackId) -> TrackFile:
        file = self._library.track(track_id).file
        if file is None:
            msg = f"track {track_id!r} has no audio here: only what an import said of it is known"
            raise NoAudioError(msg)
        return file

    def _path_of(self, track_id: TrackId, file: TrackFile) -> Path:
        path = file.target or self._roots.path_of(file.location)
        if path is None:
            msg = (
                f"the folder {file.location.root!r} of track {track_id!r} is not known on this machine; "
                f"add it to 'roots' in the settings"
            )
            raise TrackGoneError(msg)
        return path


def _cover_folders(file: TrackFile, listed: Path) -> tuple[Path, ...]:
    """Return the folders that may have a file's cover: its own, and the album's above the folder of a disc.

    Parameters
    ----------
    file : TrackFile
        The file.
    listed : Path
        Where it is listed, below its root.
    """
    names = tuple(map(os.fsdecode, file.location.path.split(b"/")))
    path, is_disc = listed, file.location.disc_number is not None
    # A link to a folder has its cover where it leads, but what is above that is not the library's; a link to
    # a file has it beside the link.
    if file.target is not None and file.target.parts[-2:] == names[-2:]:
        path = file.target
        is_disc = is_disc and file.target.parts[-3:] == names[-3:]
    return (path.parent, path.parent.parent) if is_disc else (path.parent,)
