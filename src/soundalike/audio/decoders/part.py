"""A part of a file, such as one track of a CUE image, as if it were a file of its own."""

from collections.abc import Iterator

from soundalike.audio.decoders.decoder import Decoder
from soundalike.domain.files import Part
from soundalike.domain.types import FloatArray


class PartDecoder:
    """Decodes a part of what another decoder decodes; a `Decoder`."""

    def __init__(self, decoder: Decoder, part: Part) -> None:
        """Find the part's frames; its rate may be another than the file's."""
        self._decoder = decoder
        self.rate = decoder.rate
        self._start = part.start * self.rate // part.rate
        self._end = None if part.end is None else part.end * self.rate // part.rate
        self.frames = self._of(decoder.frames)
        promised = self._end if self._end is not None else decoder.promised_frames
        self.promised_frames = self._of(promised)

    def _of(self, frames: int | None) -> int | None:
        """Return how many of a file's first frames are in the part."""
        if frames is None:
            return None
        end = frames if self._end is None else min(frames, self._end)
        return max(0, end - self._start)

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`."""
        position = self._start + start
        for block in self._decoder.blocks(position):
            left = len(block) if self._end is None else self._end - position
            if left <= 0:
                return
            yield block[:left]
            position += len(block)
