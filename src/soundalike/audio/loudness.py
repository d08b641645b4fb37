"""How loud a track is: whether its middle is silent, where its sound is, which channel to hear."""

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np

from soundalike.audio.decoders.decoder import Decoder
from soundalike.domain.types import FloatArray

SILENT_POWER = 10 ** (-60 / 10)  # -60 dBFS
CANCELLED_RATIO = 10 ** (-12 / 10)  # of the mean of the channels to a channel
AS_LOUD_RATIO = 10 ** (-0.1 / 10)  # what differs by less is equally loud
_MOST_SQUARE = 16.0  # larger samples are no sound
_STEPS_PER_S = 4
_MOST_STEPS = 1 << 16


class Loudness:
    """The power of channels and of their mean, summed up block by block.

    Channels that cancel (one is the other's opposite) have a silent mean. Of unrelated channels, the mean
    has 3 dB less power than each of two, 8 dB less than each of six.
    """

    def __init__(self) -> None:
        self._channels = np.zeros(0)
        self._mono = 0.0
        self._samples = self._frames = 0

    def add(self, block: FloatArray, mono: FloatArray) -> None:
        """Add a block.

        Parameters
        ----------
        block : FloatArray, shape (frames, channels)
            Its samples.
        mono : FloatArray, shape (frames,)
            The mean of its channels.
        """
        channels = block.shape[1]
        if channels > len(self._channels):  # a later piece of a file may have more
            self._channels = np.pad(self._channels, (0, channels - len(self._channels)))
        for channel in range(channels):
            self._channels[channel] += np.dot(block[:, channel], block[:, channel])
        self._mono += float(np.dot(mono, mono))
        self._samples += block.size
        self._frames += len(block)

    @property
    def is_silent(self) -> bool:
        """Whether the mean power of the channels is below -60 dBFS."""
        return bool(self._channels.sum() < SILENT_POWER * self._samples)

    @property
    def audible_channel(self) -> int | None:
        """The loudest channel, if the mean of all is more than 12 dB below them; else None."""
        if len(self._channels) < 2:  # noqa: PLR2004 - one channel cannot cancel
            return None
        power = self._channels.sum() / max(1, self._samples)
        if self._mono >= CANCELLED_RATIO * power * self._frames:
            return None
        return int(np.argmax(self._channels))


def loudest_stretch(decoder: Decoder, length: int, near: int) -> tuple[int, int]:
    """Find where a track is loudest, decoding all of it once.

    Parameters
    ----------
    decoder : Decoder
        Of the track.
    length : int
        Frames of the stretch.
    near : int
        Where it should begin: of stretches that are equally loud the nearest is taken.

    Returns
    -------
    start, frames : int
        Where the loudest stretch begins, and how many frames the track has.
    """
    energies, step, frames = _energies(decoder)
    width = max(1, -(-length // step))
    total = np.concatenate([[0.0], np.cumsum(energies)])
    if width >= len(energies):
        return near, frames
    stretches = total[width:] - total[:-width]
    loudest = float(stretches.max())
    if not loudest:
        return near, frames
    starts = np.flatnonzero(stretches >= AS_LOUD_RATIO * loudest) * step
    start = int(starts[np.argmin(np.abs(starts - near))])
    if abs(start - near) < step:
        return near, frames
    return max(0, min(start, frames - length)), frames


def _energies(decoder: Decoder) -> tuple[list[float], int, int]:
    """Return the energy of each step of a track, the frames of a step, and those of the track.

    Steps of a very long track become longer, so that their number is bounded.
    """
    step, frames = max(1, decoder.rate // _STEPS_PER_S), 0
    energies: list[float] = []
    for squares in _squares(decoder):
        at = 0
        while at < len(squares):
            if frames // step >= len(energies):
                energies.append(0.0)
            taken = min(len(squares) - at, step - frames % step)
            energies[-1] += float(squares[at : at + taken].sum())
            at, frames = at + taken, frames + taken
        if len(energies) > _MOST_STEPS:
            energies = [sum(pair) for pair in zip_longest(energies[::2], energies[1::2], fillvalue=0.0)]
            step *= 2
    return energies, step, frames


def _squares(decoder: Decoder) -> Iterator[FloatArray]:
    """Yield the mean power of each frame; 0 where a sample is absurd."""
    for block in decoder.blocks(0):
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.einsum("ij,ij->i", block, block) / np.float32(block.shape[1])
        squares[~(squares <= _MOST_SQUARE)] = 0
        yield squares
