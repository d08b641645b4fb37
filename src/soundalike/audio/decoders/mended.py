"""A decoder in whose place another goes on where it ends too early, at a hole in the file."""

from collections.abc import Callable, Iterator

from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.decoders.extent import tolerance
from soundalike.domain.types import FloatArray


class MendedDecoder:
    """Decodes what one decoder decodes and, if that does not reach its end, what another does; a `Decoder`.

    Parameters
    ----------
    decoder : Decoder
        As the header of the file says.
    mend : callable
        Returns the other, which needs not believe it; None if that finds no more. Called once, if at all.
    """

    def __init__(self, decoder: Decoder, mend: Callable[[], Decoder | None]) -> None:
        self._decoder, self._mend = decoder, mend
        self._mended: Decoder | None = None
        self._is_tried = False
        self.rate = decoder.rate
        self.frames = decoder.frames
        self.promised_frames = decoder.promised_frames

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`."""
        position = start
        if self._mended is None:
            for block in self._decoder.blocks(start):
                position += len(block)
                yield block
            is_early = self.frames is not None and position < self.frames - tolerance(self)
            if is_early and not self._is_tried:
                self._mended, self._is_tried = self._mend(), True
        if self._mended is not None:
            yield from self._mended.blocks(position)
