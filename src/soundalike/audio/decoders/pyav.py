"""What libsndfile lacks (AAC, ALAC, WMA ...), decoded by PyAV: an extra, as its wheels bundle GPL codecs."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from soundalike.audio.containers import mp4, riff, stated
from soundalike.audio.containers.spans import Piece, Span, size_of
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.decoders.spliced import Spliced
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray

INSTALL = "pip install 'soundalike[codecs]'"

# FFmpeg's names of containers that say how long their audio is; of others FFmpeg guesses it.
_HONEST = {"mov", "matroska", "asf", "wv", "tta", "ape", "mpc", "mpc8", "tak", "dsf", "iff", "caf", "flac"}


class NoPyavError(UnusableAudioError):
    """Only PyAV could decode the file, and it is not installed."""

    def __init__(self, name: str) -> None:
        """Say how to install it."""
        super().__init__(ProblemReason.UNSUPPORTED_CODEC, f"{name} needs PyAV: {INSTALL}")


class PyavDecoder:
    """Decodes the first audio stream of a file; a `Decoder`."""

    def __init__(self, file: BinaryIO, sniffed: Format) -> None:
        """Open the file and decode a first frame: only that shows the true rate."""
        self._file, self._format = file, sniffed
        with self._open() as container:
            stream = _audio_stream(container)
            errors: set[type[Exception]] = set()
            first = next(_decoded(container, stream, errors), None)
            if first is None:
                raise self._nothing(errors)
            self.rate: int = first.sample_rate
            is_honest = sniffed.demuxer in _HONEST or (
                sniffed.container is Container.WAV and riff.cut_ratio(file) > 1
            )
            claimed = _claimed_frames(container, stream, self.rate) if is_honest else None
            if claimed is not None and sniffed.demuxer == "caf":  # FFmpeg says what is there
                claimed = int(claimed * stated.cut_ratio(file))
        # An index makes it cheap to try the claim of an MP4; all else is counted.
        self.frames = claimed if sniffed.container is Container.MP4 else None
        self.promised_frames = claimed

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
            for frame in _decoded(container, stream, set()):
                if position is None:
                    position = round((frame.time or 0.0) * self.rate)
                samples = _samples(to_float, frame)
                begin, position = max(0, start - position), position + len(samples)
                if begin < len(samples):
                    yield samples[begin:]

    def _nothing(self, errors: set[type[Exception]]) -> UnusableAudioError:
        import av  # noqa: PLC0415 - an extra

        words = f"{self._format.name}: no frame can be decoded"
        if self._is_cut():
            return UnusableAudioError(ProblemReason.HEADER_TOO_LONG, words)
        if errors & {av.PatchWelcomeError, av.error.NotImplementedError}:  # this kind of the codec is unknown
            return UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, words)
        return UnusableAudioError(ProblemReason.NOT_AUDIO, f"{words} (damaged?)")

    def _is_cut(self) -> bool:
        return self._format.container is Container.MP4 and mp4.is_cut(self._file)

    def _open(self) -> Any:  # noqa: ANN401 - closed by the callers
        try:
            import av  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise NoPyavError(self._format.name) from error
        span = Span(untagged_span(self._file).start, size_of(self._file))
        source = Spliced(Piece(b"", span), self._file)
        try:
            # The format by name: FFmpeg's guess might be a playlist, which names other files.
            return av.open(source, mode="r", format=self._format.demuxer or None, metadata_errors="replace")
        except (av.FFmpegError, ValueError) as error:
            reason = ProblemReason.HEADER_TOO_LONG if self._is_cut() else ProblemReason.NOT_AUDIO
            words = getattr(error, "strerror", None) or error
            raise UnusableAudioError(reason, f"{self._format.name}: {words} (damaged?)") from error


def _audio_stream(container: Any) -> Any:  # noqa: ANN401 - PyAV is an extra
    if not container.streams.audio:
        raise UnusableAudioError(ProblemReason.NOT_AUDIO, "the file has no audio stream")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, "no decoder for the audio stream")
    stream.codec_context.thread_count = 1
    return stream


def _claimed_frames(container: Any, stream: Any, rate: int) -> int | None:  # noqa: ANN401 - PyAV is an extra
    """Return how many frames the file says its audio has; None if it says nothing."""
    if stream.duration:
        return int(stream.duration * stream.time_base * rate)
    # A film may be longer than its audio.
    return (
        int(container.duration * rate // 1_000_000)
        if container.duration and not container.streams.video
        else None
    )


def _seek(container: Any, stream: Any, time: int) -> bool:  # noqa: ANN401 - PyAV is an extra
    """Go to a time; return whether there can be anything."""
    import av  # noqa: PLC0415 - an extra

    try:
        container.seek(time, stream=stream)
    except (av.FFmpegError, OverflowError):  # a length that the file only claims
        return False
    return True


def _decoded(container: Any, stream: Any, errors: set[type[Exception]]) -> Iterator[Any]:  # noqa: ANN401 - PyAV is an extra
    """Yield frames, skipping damaged packets, until the file ends or breaks; add the errors of packets."""
    import av  # noqa: PLC0415 - an extra

    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError as error:  # one packet; the next may be good
                errors.add(type(error))
                continue
            yield from frames
    except av.FFmpegError:
        return


def _samples(to_float: Any, frame: Any) -> FloatArray:  # noqa: ANN401 - PyAV is an extra
    """Return a frame as float32, shape (frames, channels)."""
    planes = [piece.to_ndarray() for piece in to_float.resample(frame)]
    return np.concatenate(planes, axis=1).T if planes else np.empty((0, 1), np.float32)
