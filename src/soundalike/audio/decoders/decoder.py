"""What every decoder offers."""

from collections.abc import Iterator
from typing import Protocol

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
