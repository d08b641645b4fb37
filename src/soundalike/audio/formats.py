"""Formats: recognised by a file's content; a name only decides whether the file is read."""

from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from soundalike.audio.containers.mp4 import has_alac
from soundalike.audio.containers.mpeg import adts_frame, find_stream, mpeg_frame
from soundalike.audio.containers.ogg import ogg_codec
from soundalike.audio.containers.spans import read_at
from soundalike.audio.containers.tagged import untagged_span


class Container(Enum):
    """Containers that are handled differently."""

    MPEG = "mpeg"
    FLAC = "flac"
    OGG = "ogg"
    WAV = "wav"
    AIFF = "aiff"
    OTHER = "other"
    MP4 = "mp4"
    ADTS = "adts"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Format:
    """What a file is.

    Parameters
    ----------
    container : Container
        Layout of its bytes, which decides on the decoder.
    media_type : str
        Sent to browsers.
    name : str
        Shown to users.
    """

    container: Container
    media_type: str
    name: str


SUPPORTED_SUFFIXES = frozenset(
    b".mp3 .mp2 .mp1 .mpga .flac .fla .ogg .oga .opus .wav .wave .bwf .rf64 .w64"
    b" .aif .aiff .aifc .afc .caf .au .snd .m4a .m4b .m4p .m4r .mp4 .aac .adts".split()
)
UNSUPPORTED_SUFFIXES = frozenset(
    b".wma .asf .ape .wv .mpc .mpp .mp+ .dsf .dff .tta .tak .ofr .spx .ra .amr .mka .ac3 .dts .shn".split()
)
AUDIO_SUFFIXES = SUPPORTED_SUFFIXES | UNSUPPORTED_SUFFIXES

_OGG_TYPES = {
    "vorbis": Format(Container.OGG, "audio/ogg", "Ogg Vorbis"),
    "opus": Format(Container.OGG, "audio/ogg; codecs=opus", "Ogg Opus"),
    "flac": Format(Container.OGG, "audio/ogg; codecs=flac", "Ogg FLAC"),
}

# First bytes, and the format they mean.
_MAGIC = (
    (b"fLaC", Format(Container.FLAC, "audio/flac", "FLAC")),
    (b"riff\x2e\x91\xcf\x11", Format(Container.OTHER, "audio/x-w64", "Wave64")),
    (b"caff", Format(Container.OTHER, "audio/x-caf", "CAF")),
    (b".snd", Format(Container.OTHER, "audio/basic", "AU")),
)
_UNSUPPORTED_MAGIC = (
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media Audio"),
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b"TTA1", "True Audio"),
    (b"tBaK", "TAK"),
    (b"OFR ", "OptimFROG"),
    (b"#!AMR", "AMR"),
    (b".ra\xfd", "RealAudio"),
    (b"ADIF", "AAC in ADIF"),
    (b"\x1a\x45\xdf\xa3", "Matroska"),
    (b"\x0b\x77", "AC-3"),
    (b"\x7f\xfe\x80\x01", "DTS"),
    (b"ajkg", "Shorten"),
)


def is_audio_name(name: bytes) -> bool:
    """Return whether a file's name ends like audio."""
    return suffix_of(name) in AUDIO_SUFFIXES


def suffix_of(name: bytes) -> bytes:
    """Return the ending of a name in lower case with its dot, or ``b""``."""
    dot = name.rfind(b".")
    return name[dot:].lower() if dot > 0 else b""


def sniff(file: BinaryIO) -> Format | None:
    """Return the format of a file by its content alone; None if it is not known audio."""
    head = read_at(file, untagged_span(file).start, 32)
    for magic, known in _MAGIC:
        if head.startswith(magic):
            return known
    for magic, name in _UNSUPPORTED_MAGIC:
        if head.startswith(magic):
            return _unsupported(name)
    return _sniff_chunked(file, head) or _sniff_frames(file)


def _sniff_chunked(file: BinaryIO, head: bytes) -> Format | None:
    if head[:4] in {b"RIFF", b"RIFX", b"RF64"} and head[8:12] == b"WAVE":
        return Format(Container.WAV, "audio/wav", "WAV")
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return Format(Container.AIFF, "audio/aiff", "AIFF")
    if head[:4] == b"OggS":
        codec = ogg_codec(file)
        return _OGG_TYPES.get(codec) or _unsupported(f"Ogg with codec {codec}") if codec else None
    if head[4:8] == b"ftyp":
        is_alac = has_alac(file)
        media_type = "audio/mp4; codecs=alac" if is_alac else "audio/mp4"
        return Format(Container.MP4, media_type, "ALAC" if is_alac else "AAC")
    return None


def _sniff_frames(file: BinaryIO) -> Format | None:
    if find_stream(file, mpeg_frame) is not None:
        return Format(Container.MPEG, "audio/mpeg", "MP3")
    if find_stream(file, adts_frame) is not None:
        return Format(Container.ADTS, "audio/aac", "AAC")
    return None


def _unsupported(name: str) -> Format:
    return Format(Container.UNSUPPORTED, "application/octet-stream", name)
