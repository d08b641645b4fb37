"""Which decoder decodes a file."""

from typing import BinaryIO

from soundalike.audio.containers import flac, riff
from soundalike.audio.containers.codec_names import codec_in
from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.decoders.sndfile import open_sndfile
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.formats import Container, Format
from soundalike.domain.files import ProblemReason

_PYAV_ALONE = {Container.MP4, Container.ADTS, Container.FOREIGN}
_LEAST_BYTES = 64  # less is a header without sound, in CAF, AU and Wave64


def open_decoder(file: BinaryIO, sniffed: Format) -> Decoder:
    """Choose the decoder for a file: libsndfile, or PyAV for what that lacks.

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
    from soundalike.audio.decoders.pyav import NoPyavError, PyavDecoder  # noqa: PLC0415 - PyAV is an extra

    if sniffed.container is Container.UNSUPPORTED:
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, f"{sniffed.name} cannot be decoded")
    if sniffed.container in _PYAV_ALONE:
        return PyavDecoder(file, sniffed)
    try:
        return open_sndfile(file, sniffed)
    except UnusableAudioError as error:
        is_lacking = _may_lack_codec(file, sniffed.container)
        damaged = UnusableAudioError(ProblemReason.NOT_AUDIO, f"{error.failure.detail} (damaged?)")
        try:
            return PyavDecoder(file, sniffed)
        except NoPyavError:
            missing = NoPyavError(codec_in(file) or sniffed.name)
            raise (missing if is_lacking else damaged) from error
        except UnusableAudioError as other:
            raise (other if is_lacking else damaged) from error


def _may_lack_codec(file: BinaryIO, container: Container) -> bool:
    """Whether a file may be rejected for its codec alone: what describes and contains its audio is there."""
    match container:
        case Container.WAV | Container.AIFF:
            return len(riff.sound_spans(file)) > 1
        case Container.FLAC:
            return flac.bits_per_sample(file) == 32  # noqa: PLR2004 - all others are known
        case Container.OTHER:
            return bool(file.seek(_LEAST_BYTES) and file.read(1))
        case _:
            return False
