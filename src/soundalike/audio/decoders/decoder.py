"""What every decoder offers, and which one decodes a file."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from soundalike.audio.decoders.sndfile import SndfileDecoder
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray


class Decoder(Protocol):
    """Decodes one file, from any frame on, as often as needed."""

    @property
    def rate(self) -> int:
        """Frames per second."""

    @property
    def frames(self) -> int | None:
        """How many frames the decoder believes there are; None if it cannot know."""

    @property
    def promised_frames(self) -> int | None:
        """How many frames the file's header promises; None if it promises nothing."""

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks of shape (frames, channels) from frame `start` until the audio ends or breaks."""


def open_decoder(file: BinaryIO, sniffed: Format) -> Decoder:
    """Choose the decoder for a file.

    Parameters
    ----------
    file : BinaryIO
        Open for reading.
    sniffed : Format
        What it is.

    Raises
    ------
    UnusableAudioError
        If there is none, or it rejects the file.
    """
    if sniffed.container is Container.UNSUPPORTED:
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, f"{sniffed.name} cannot be decoded")
    if sniffed.container in {Container.MP4, Container.ADTS}:
        from soundalike.audio.decoders.pyav import PyavDecoder  # noqa: PLC0415 - PyAV is an extra

        return PyavDecoder(file, sniffed)
    return SndfileDecoder(file, sniffed)
