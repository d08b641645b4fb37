"""AAC and ALAC, decoded by PyAV: an extra, since its wheels bundle GPL codecs."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from soundalike.audio.containers import mp4
from soundalike.audio.decoders.spliced import Spliced
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray

INSTALL = "AAC and ALAC need PyAV: pip install 'soundalike[aac]'"


class PyavDecoder:
    """Decodes the first audio stream of an MP4 or ADTS file; a `Decoder`."""

    def __init__(self, file: BinaryIO, sniffed: Format) -> None:
        """Open the file and decode a first frame: only that shows the true rate."""
        self._file, self._format = file, sniffed
        with self._open() as container:
            stream = _audio_stream(container)
            first = next(_decoded(container, stream), None)
            if first is None:
                is_cut = sniffed.container is Container.MP4 and mp4.is_cut(file)
                reason = ProblemReason.HEADER_TOO_LONG if is_cut else ProblemReason.UNSUPPORTED_CODEC
                raise UnusableAudioError(reason, f"{sniffed.name}: no frame can be decoded")
            self.rate: int = first.sample_rate
            self.frames: int | None = None
            # An ADTS stream has no header: its length would be a guess.
            if sniffed.container is Container.MP4 and stream.duration:
                self.frames = int(stream.duration * stream.time_base * self.rate)
        self.promised_frames = self.frames

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`."""
        import av  # noqa: PLC0415 - an extra

        to_float = av.AudioResampler(format="fltp")
        with self._open() as container:
            stream = _audio_stream(container)
            can_seek = start and self._format.container is Container.MP4
            if can_seek and not _seek(container, stream, int(start / self.rate / stream.time_base)):
                return
            position = None if can_seek else 0
            for frame in _decoded(container, stream):
                if position is None:
                    position = round((frame.time or 0.0) * self.rate)
                samples = _samples(to_float, frame)
                begin, position = max(0, start - position), position + len(samples)
                if begin < len(samples):
                    yield samples[begin:]

    def _open(self) -> Any:  # noqa: ANN401 - closed by the callers
        try:
            import av  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, INSTALL) from error
        try:
            return av.open(Spliced(b"", self._file, 0), mode="r", metadata_errors="replace")
        except (av.FFmpegError, ValueError) as error:
            is_cut = self._format.container is Container.MP4 and mp4.is_cut(self._file)
            reason = ProblemReason.HEADER_TOO_LONG if is_cut else ProblemReason.NOT_AUDIO
            words = getattr(error, "strerror", None) or error
            raise UnusableAudioError(reason, f"{self._format.name}: {words}") from error


def _audio_stream(container: Any) -> Any:  # noqa: ANN401 - PyAV is an extra
    if not container.streams.audio:
        raise UnusableAudioError(ProblemReason.NOT_AUDIO, "the file has no audio stream")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, "no decoder for the audio stream")
    stream.codec_context.thread_count = 1
    return stream


def _seek(container: Any, stream: Any, time: int) -> bool:  # noqa: ANN401 - PyAV is an extra
    """Go to a time; return whether there can be anything."""
    import av  # noqa: PLC0415 - an extra

    try:
        container.seek(time, stream=stream)
    except (av.FFmpegError, OverflowError):  # a length that the file only claims
        return False
    return True


def _decoded(container: Any, stream: Any) -> Iterator[Any]:  # noqa: ANN401 - PyAV is an extra
    """Yield frames, skipping damaged packets, until the file ends or breaks."""
    import av  # noqa: PLC0415 - an extra

    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                continue
            yield from frames
    except av.FFmpegError:
        return


def _samples(to_float: Any, frame: Any) -> FloatArray:  # noqa: ANN401 - PyAV is an extra
    """Return a frame as float32, shape (frames, channels)."""
    planes = [piece.to_ndarray() for piece in to_float.resample(frame)]
    return np.concatenate(planes, axis=1).T if planes else np.empty((0, 1), np.float32)
