"""Decoders behind one small interface: blocks of samples from any point on, until they end or break."""

import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from soundalike.audio.containers import mpeg, riff
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray

_BLOCK_SAMPLES = 8_192  # a decoder that fails in mid-block loses the block
_LEAST_BLOCK_FRAMES = 256
_UNKNOWN_FRAMES = 1 << 62


class Source(Protocol):
    """A file that can be decoded, from any frame on, as often as wanted."""

    @property
    def rate(self) -> int:
        """Frames a second."""

    @property
    def frames(self) -> int | None:
        """How many the decoder believes there are; None where it cannot know."""

    @property
    def promised_frames(self) -> int | None:
        """How many the file's header promises; None where it promises nothing."""

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks of shape (frames, channels) from frame `start` until sound ends or breaks."""


def open_source(file: BinaryIO, sniffed: Format) -> Source:
    """Choose the decoder for a file.

    Raises
    ------
    UnusableAudioError
        If there is none, or it refuses the file.
    """
    if sniffed.container is Container.UNSUPPORTED:
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, f"{sniffed.name} cannot be decoded")
    if sniffed.container in {Container.MP4, Container.ADTS}:
        from soundalike.audio.aac import AvSource  # noqa: PLC0415 - PyAV is an extra

        return AvSource(file, sniffed)
    return SndfileSource(file, sniffed)


class SndfileSource:
    """Whatever libsndfile decodes."""

    def __init__(self, file: BinaryIO, sniffed: Format) -> None:
        """Open the file and compare what its header promises."""
        self._file, self._format = file, sniffed
        self._prefix, self._offset = _mended_head(file, sniffed.container)
        with self._open() as sound:
            self.rate: int = sound.samplerate
            self.frames: int | None = sound.frames if sound.frames < _UNKNOWN_FRAMES else None
            self._block_frames = max(_LEAST_BLOCK_FRAMES, _BLOCK_SAMPLES // sound.channels)
        self.promised_frames = self._promised()

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Source`. Each pass opens the file anew: a decoder that broke stays broken."""
        import soundfile  # noqa: PLC0415 - workers alone pay for it

        with self._open() as sound:
            try:
                if start:
                    sound.seek(start)
                while len(block := sound.read(self._block_frames, dtype="float32", always_2d=True)):
                    yield block
            except (soundfile.SoundFileError, RuntimeError):
                return

    def _open(self) -> Any:  # noqa: ANN401 - soundfile has no types
        import soundfile  # noqa: PLC0415 - workers alone pay for it

        try:
            if self._prefix:
                sound = soundfile.SoundFile(Spliced(self._prefix, self._file, self._offset))
            else:
                descriptor = os.dup(self._file.fileno())
                os.lseek(descriptor, self._offset, os.SEEK_SET)
                sound = soundfile.SoundFile(descriptor, closefd=True)
        except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
            raise self._refusal(str(getattr(error, "error_string", error))) from error
        # Else soundfile seeks after each block, which doubles the cost and fails in streamed FLAC.
        sound.seekable = lambda: False
        return sound

    def _refusal(self, words: str) -> UnusableAudioError:
        detail = f"{self._format.name}: {words.strip()}"
        # Both the chunk that describes the sound and the one that holds it: only the codec can be at fault.
        is_whole = len(riff.sound_spans(self._file)) > 1
        if self._format.container in {Container.WAV, Container.AIFF} and is_whole:
            return UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, detail)
        return UnusableAudioError(ProblemReason.NOT_AUDIO, f"{detail} (damaged?)")

    def _promised(self) -> int | None:
        if self.frames is None:
            return None
        match self._format.container:
            case Container.WAV:
                return int(max(1, self.frames) * riff.cut_ratio(self._file))
            case Container.AIFF:
                return riff.claimed_frames(self._file)
            case Container.MPEG if self._prefix:
                stream = mpeg.find_stream(self._file, mpeg.mpeg_frame)
                # Else what was counted: decoders may not get over a gap that the count did.
                return (stream and mpeg.vbri_samples(self._file, stream)) or self.frames
            case _:
                return self.frames


def _mended_head(file: BinaryIO, container: Container) -> tuple[bytes, int]:
    """Return bytes to put in front, and the offset from which the file follows them."""
    if container is Container.WAV:
        return riff.streamed_header(file)
    if container is Container.MPEG:
        stream = mpeg.find_stream(file, mpeg.mpeg_frame)
        if stream is not None:
            has_length = mpeg.has_xing_header(file, stream)
            return (b"" if has_length else mpeg.length_header(file, stream)), stream.start
    return b"", 0


class Spliced(io.RawIOBase):
    """A read-only file: some bytes, then another file from an offset on."""

    def __init__(self, prefix: bytes, file: BinaryIO, offset: int) -> None:
        """Stand at the start."""
        super().__init__()
        self._prefix, self._file, self._offset = prefix, file, offset
        self._size = len(prefix) + max(0, file.seek(0, os.SEEK_END) - offset)
        self._position = 0

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; never before the start."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Read into a buffer; returns 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self._position < len(self._prefix):
            data = self._prefix[self._position : self._position + len(view)]
        else:
            self._file.seek(self._offset + self._position - len(self._prefix))
            data = self._file.read(len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
