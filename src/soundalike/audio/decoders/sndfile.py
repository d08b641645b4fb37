"""MP3, FLAC, Ogg, WAV, AIFF and more, decoded by libsndfile."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from soundalike.audio.containers import mpeg, riff
from soundalike.audio.decoders.spliced import Spliced
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray

_BLOCK_SAMPLES = 8_192  # a decoder that fails inside a block loses the block
_LEAST_BLOCK_FRAMES = 256
_UNKNOWN_FRAMES = 1 << 62


class SndfileDecoder:
    """Decodes what libsndfile can; a `Decoder`."""

    def __init__(self, file: BinaryIO, sniffed: Format) -> None:
        """Open the file and compare what its header promises."""
        self._file, self._format = file, sniffed
        self._prefix, self._offset = _repaired_head(file, sniffed.container)
        with self._open() as sound:
            self.rate: int = sound.samplerate
            self.frames: int | None = sound.frames if sound.frames < _UNKNOWN_FRAMES else None
            self._block_frames = max(_LEAST_BLOCK_FRAMES, _BLOCK_SAMPLES // sound.channels)
        self.promised_frames = self._promised()

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`. Each pass opens the file again: a decoder that broke stays broken."""
        import soundfile  # noqa: PLC0415 - only workers load it

        with self._open() as sound:
            try:
                if start:
                    sound.seek(start)
                while len(block := sound.read(self._block_frames, dtype="float32", always_2d=True)):
                    yield block
            except (soundfile.SoundFileError, RuntimeError):
                return

    def _open(self) -> Any:  # noqa: ANN401 - soundfile has no types
        import soundfile  # noqa: PLC0415 - only workers load it

        try:
            sound = soundfile.SoundFile(Spliced(self._prefix, self._file, self._offset))
        except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
            raise self._error(str(getattr(error, "error_string", error))) from error
        # Otherwise soundfile seeks after each block, which doubles the cost and fails in streamed FLAC.
        sound.seekable = lambda: False
        return sound

    def _error(self, words: str) -> UnusableAudioError:
        detail = f"{self._format.name}: {words.strip()}"
        # The chunks that describe and contain the audio are both there: only the codec can be the problem.
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
                # Else what was counted, since a decoder may stop at a gap that the count passed over.
                return (stream and mpeg.vbri_samples(self._file, stream)) or self.frames
            case _:
                return self.frames


def _repaired_head(file: BinaryIO, container: Container) -> tuple[bytes, int]:
    """Return bytes to put in front, and the offset of the file at which to go on."""
    if container is Container.WAV:
        return riff.streamed_header(file)
    if container is Container.MPEG:
        stream = mpeg.find_stream(file, mpeg.mpeg_frame)
        if stream is not None:
            has_length = mpeg.has_xing_header(file, stream)
            return (b"" if has_length else mpeg.length_header(file, stream)), stream.start
    return b"", 0
