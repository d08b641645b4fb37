"""How long a track really is."""

from dataclasses import dataclass

from soundalike.audio.decoders.decoder import Decoder

TOLERANCE_MS = 200  # encoders' delay and padding, and a last block that is lost with its end


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a track really is.

    Parameters
    ----------
    frames : int
        That can be decoded.
    is_truncated : bool
        The header promised more.
    """

    frames: int
    is_truncated: bool


def measure(decoder: Decoder) -> Extent:
    """Measure a track without trusting its header: try its end, else count.

    The end is cheap to reach in all formats. Only if nothing is there, or the length is unknown, the
    whole track is decoded and counted, block by block.
    """
    claimed = decoder.frames
    if claimed is not None and _reaches(decoder, claimed):
        frames = claimed
    else:
        frames = sum(len(block) for block in decoder.blocks(0))
    return extent_of(decoder, frames)


def extent_of(decoder: Decoder, frames: int) -> Extent:
    """Return the extent of a track that has so many frames."""
    promised = decoder.promised_frames
    return Extent(frames, is_truncated=promised is not None and frames < promised - tolerance(decoder))


def tolerance(decoder: Decoder) -> int:
    """Return by how many frames a header may be wrong."""
    return decoder.rate * TOLERANCE_MS // 1_000


def _reaches(decoder: Decoder, frames: int) -> bool:
    """Return whether the last second of the claimed length is there."""
    start = max(0, frames - decoder.rate)
    reached = start
    for block in decoder.blocks(start):
        reached += len(block)
        if reached >= frames:
            return True
    return reached > start and reached >= frames - tolerance(decoder)
