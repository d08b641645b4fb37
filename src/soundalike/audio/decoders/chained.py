"""Pieces of a file, decoded one after another as one track."""

from collections.abc import Iterator, Sequence

import numpy as np

from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.decoders.extent import measure
from soundalike.domain.types import FloatArray


class ChainedDecoder:
    """Decodes what several decoders decode; a `Decoder` at the rate of the first.

    Parameters
    ----------
    decoders : sequence of Decoder
        Not empty, in their order. Their lengths are measured, since the header of each may be wrong.
    lost : int
        How many pieces could not be opened: the file then promised more than there is.
    """

    def __init__(self, decoders: Sequence[Decoder], *, lost: int = 0) -> None:
        self.rate = decoders[0].rate
        self._pieces: list[tuple[Decoder, int]] = []
        promised = lost * self.rate
        for own in decoders:
            decoder = own if own.rate == self.rate else ResampledDecoder(own, self.rate)
            extent = measure(decoder)
            self._pieces.append((decoder, extent.frames))
            promised += max(extent.frames, decoder.promised_frames or 0)
        self.frames: int | None = sum(frames for _, frames in self._pieces)
        self.promised_frames: int | None = promised

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`."""
        for decoder, frames in self._pieces:
            left, start_here, start = frames - start, start, max(0, start - frames)
            if left <= 0:
                continue
            for block in decoder.blocks(start_here):
                yield block[:left]
                left -= len(block)
                if left <= 0:
                    break


class ResampledDecoder:
    """Decodes at another rate than the file's own; a `Decoder`."""

    def __init__(self, decoder: Decoder, rate: int) -> None:
        """Change nothing yet."""
        self._decoder, self.rate = decoder, rate
        self.frames = self._of(decoder.frames)
        self.promised_frames = self._of(decoder.promised_frames)

    def _of(self, frames: int | None) -> int | None:
        return None if frames is None else frames * self.rate // self._decoder.rate

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`."""
        import soxr  # noqa: PLC0415 - only workers load it

        stream, channels = None, 1
        for block in self._decoder.blocks(start * self._decoder.rate // self.rate):
            if stream is None:
                channels = block.shape[1]
                stream = soxr.ResampleStream(self._decoder.rate, self.rate, channels, dtype="float32")
            yield np.reshape(stream.resample_chunk(np.ascontiguousarray(block)), (-1, channels))
        if stream is not None:
            rest = np.empty((0, channels), np.float32)
            yield np.reshape(stream.resample_chunk(rest, last=True), (-1, channels))
