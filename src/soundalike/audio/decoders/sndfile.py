"""MP3, FLAC, Ogg, WAV, AIFF and more, decoded by libsndfile."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from soundalike.audio.containers import mpeg_pieces, ogg, riff, stated
from soundalike.audio.containers.spans import Piece, Span
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.decoders.chained import ChainedDecoder
from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.decoders.mended import MendedDecoder
from soundalike.audio.decoders.spliced import Joined, Spliced
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray

_BLOCK_SAMPLES = 8_192  # a decoder that fails inside a block loses the block
_LEAST_BLOCK_FRAMES = 256
_UNKNOWN_FRAMES = 1 << 62
_OGG_FLAC_HEAD_BYTES = 9  # before "fLaC" in the first packet: mark, version, number of headers


@dataclass(frozen=True, slots=True)
class Source:
    """One stream that libsndfile can read: how it is opened, and what is promised of its length.

    Parameters
    ----------
    open : callable
        Returns it at its beginning, as a new file object.
    promised : callable
        Returns the frames that headers promise, from those that libsndfile believes.
    """

    open: Callable[[], io.RawIOBase]
    promised: Callable[[int], int | None] = int


class SndfileDecoder:
    """Decodes what libsndfile can; a `Decoder`."""

    def __init__(self, source: Source, name: str) -> None:
        """Open the stream and compare what its header promises; `name` is the format's, for messages."""
        self._source, self._name = source, name
        with self._open() as sound:
            self.rate: int = sound.samplerate
            self.frames: int | None = sound.frames if sound.frames < _UNKNOWN_FRAMES else None
            self._block_frames = max(_LEAST_BLOCK_FRAMES, _BLOCK_SAMPLES // sound.channels)
        self.promised_frames = None if self.frames is None else source.promised(self.frames)

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
            sound = soundfile.SoundFile(self._source.open())
        except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
            words = str(getattr(error, "error_string", error)).strip()
            raise UnusableAudioError(ProblemReason.NOT_AUDIO, f"{self._name}: {words}") from error
        # Otherwise soundfile seeks after each block, which doubles the cost and fails in streamed FLAC.
        sound.seekable = lambda: False
        return sound


def open_sndfile(file: BinaryIO, sniffed: Format) -> Decoder:
    """Decode a file by libsndfile: each of the streams that follow each other in it.

    Parameters
    ----------
    file : BinaryIO
        Open for reading.
    sniffed : Format
        What it is.

    Raises
    ------
    UnusableAudioError
        If libsndfile can open none of them.
    """
    sources = _sources(file, sniffed.container)
    decoder = _opened(sources, sniffed.name)
    if sniffed.container is Container.MPEG and len(sources) == 1:
        return MendedDecoder(decoder, lambda: _walked(file, sniffed.name))
    return decoder


def _walked(file: BinaryIO, name: str) -> Decoder | None:
    """Decode an MP3 behind its holes too; None if it has none."""
    pieces = mpeg_pieces.mpeg_pieces(file, is_header_believed=False)
    return _opened([_mpeg_source(file, each) for each in pieces], name) if len(pieces) > 1 else None


def _opened(sources: list[Source], name: str) -> Decoder:
    decoders: list[Decoder] = []
    first_error: UnusableAudioError | None = None
    for source in sources:
        try:
            decoders.append(SndfileDecoder(source, name))
        except UnusableAudioError as error:
            first_error = first_error or error
    if not decoders:
        raise first_error or UnusableAudioError(ProblemReason.NOT_AUDIO, name)
    return decoders[0] if len(sources) == 1 else ChainedDecoder(decoders, lost=len(sources) - len(decoders))


def _sources(file: BinaryIO, container: Container) -> list[Source]:
    whole = Piece(b"", untagged_span(file))
    match container:
        case Container.WAV:
            return [Source(partial(Spliced, riff.repaired(file), file), partial(_promised_of_wav, file))]
        case Container.AIFF:
            return [Source(partial(Spliced, whole, file), partial(_promised_of_aiff, file))]
        case Container.MPEG:
            return [_mpeg_source(file, each) for each in mpeg_pieces.mpeg_pieces(file)]
        case Container.OGG:
            return [_ogg_source(file, link) for link in ogg.links(file)]
        case _:
            return [
                Source(partial(Spliced, whole, file), lambda frames: int(frames * stated.cut_ratio(file)))
            ]


def _promised_of_wav(file: BinaryIO, frames: int) -> int:
    return int(max(1, frames) * riff.cut_ratio(file))


def _promised_of_aiff(file: BinaryIO, frames: int) -> int | None:
    claimed = riff.claimed_frames(file)  # of a compressed one, packets
    return None if claimed is None else max(claimed, int(frames * riff.cut_ratio(file)))


def _mpeg_source(file: BinaryIO, piece: mpeg_pieces.MpegPiece) -> Source:
    return Source(partial(Spliced, piece.piece, file), partial(_promised_of_mpeg, piece.promised_samples))


def _promised_of_mpeg(samples: int | None, frames: int) -> int:
    # Else what was counted, since a decoder may stop at a gap that the count passed over.
    return samples or frames


def _ogg_source(file: BinaryIO, link: Span) -> Source:
    stream = ogg.audio_stream(file, link)
    if stream is None or stream[0] != "flac":
        return Source(partial(Spliced, Piece(b"", link), file))
    # libsndfile reads Ogg FLAC of few encoders; the pages' content is a FLAC stream behind a short head.
    spans = [page.span for page in ogg.pages(file, link) if page.serial == stream[1]]
    spans[0] = Span(spans[0].start + _OGG_FLAC_HEAD_BYTES, spans[0].stop)
    return Source(partial(Joined, spans, file))
