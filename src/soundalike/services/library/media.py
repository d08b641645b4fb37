"""A track's audio and cover, from the file that was scanned."""

from dataclasses import dataclass
from typing import BinaryIO

from soundalike.domain.errors import NoCoverError, TrackGoneError
from soundalike.domain.ports.audio import AudioFiles, Cover
from soundalike.domain.tracks import Track
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
    size_bytes : int
        Of the whole file.
    media_type : str
        Such as ``"audio/mpeg"``.
    etag : str
        Changes with the file; without quotes.
    """

    file: BinaryIO
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
        TrackGoneError
            If its file is not the one that was scanned.
        """
        track = self._library.track(track_id)
        return AudioStream(
            file=self._open(track),
            size_bytes=track.stamp.size_bytes,
            media_type=track.media_type,
            etag=f"{track.audio_hash[:16]}-{track.stamp.size_bytes:x}-{track.stamp.mtime_ns:x}",
        )

    def cover(self, track_id: TrackId) -> Cover:
        """Read the picture in a track's tags.

        Raises
        ------
        UnknownTrackError
            If no track has this id.
        TrackGoneError
            If its file is not the one that was scanned.
        NoCoverError
            If the tags have no picture that a browser may show.
        """
        track = self._library.track(track_id)
        with self._open(track) as file:
            cover = self._files.cover(file)
        if cover is None:
            msg = f"track {track_id!r} has no cover"
            raise NoCoverError(msg)
        return cover

    def _open(self, track: Track) -> BinaryIO:
        path = track.target or self._roots.path_of(track.location)
        if path is None:
            msg = (
                f"the folder {track.location.root!r} of track {track.id!r} is not known on this machine; "
                f"add it to 'roots' in the settings"
            )
            raise TrackGoneError(msg)
        return self._files.open(path, track.stamp)
