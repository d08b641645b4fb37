"""Formats: recognised by a file's content; a name only decides whether the file is read."""

from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from soundalike.audio.containers.mp4 import QUICKTIME_BOXES, sample_description
from soundalike.audio.containers.mpeg import SEARCH_BYTES, adts_frame, find_stream, is_chain, mpeg_frame
from soundalike.audio.containers.ogg import first_page, ogg_codec
from soundalike.audio.containers.spans import CHUNK_BYTES, Span, read_at, size_of
from soundalike.audio.containers.syncframes import sbc_frame
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.containers.transport import is_sound_alone


class Container(Enum):
    """Containers that are handled differently; FOREIGN: known to PyAV alone, UNSUPPORTED: to nothing."""

    MPEG = "mpeg"
    FLAC = "flac"
    OGG = "ogg"
    WAV = "wav"
    AIFF = "aiff"
    OTHER = "other"
    MP4 = "mp4"
    ADTS = "adts"
    FOREIGN = "foreign"
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
    demuxer : str
        FFmpeg's name of the container; empty where it may find out.
    """

    container: Container
    media_type: str
    name: str
    demuxer: str = ""


SNDFILE_SUFFIXES = frozenset(
    b".mp3 .mp2 .mp1 .mpga .flac .fla .ogg .oga .opus .wav .wave .bwf .rf64 .w64"
    b" .bw64 .aif .aiff .aifc .afc .caf .au .snd".split()
)
PYAV_SUFFIXES = frozenset(
    b".m4a .m4b .m4p .m4r .mp4 .aac .adts .3gp .3gpp .3g2 .webm .weba .mka .wma .asf .ape .wv .mpc .mpp .mp+"
    b" .dsf .dff .tta .tak .spx .ra .rm .amr .awb .ac3 .eac3 .dts .shn".split()
)
# What plays without PyAV, but has tags that only PyAV reads.
_TAGGED_FOR_PYAV = frozenset(b".w64 .caf .au .snd".split())
AUDIO_SUFFIXES = SNDFILE_SUFFIXES | PYAV_SUFFIXES | {b".ofr"}

_OGG_TYPES = {
    "vorbis": Format(Container.OGG, "audio/ogg", "Ogg Vorbis", "ogg"),
    "opus": Format(Container.OGG, "audio/ogg; codecs=opus", "Ogg Opus", "ogg"),
    "flac": Format(Container.OGG, "audio/ogg; codecs=flac", "Ogg FLAC", "ogg"),
    "speex": Format(Container.FOREIGN, "audio/ogg; codecs=speex", "Ogg Speex", "ogg"),
}


def _foreign(media_type: str, name: str, demuxer: str) -> Format:
    return Format(Container.FOREIGN, media_type, name, demuxer)


def _other(media_type: str, name: str, demuxer: str = "") -> Format:
    return Format(Container.OTHER, media_type, name, demuxer)


def _unsupported(name: str) -> Format:
    return Format(Container.UNSUPPORTED, "application/octet-stream", name)


# First bytes, and the format they mean.
_MAGIC = (
    (b"fLaC", Format(Container.FLAC, "audio/flac", "FLAC", "flac")),
    (b"riff\x2e\x91\xcf\x11", _other("audio/x-w64", "Wave64", "w64")),
    (b"caff", _other("audio/x-caf", "CAF", "caf")),
    (b".snd", _other("audio/basic", "AU", "au")),
    (b"Creative Voice File\x1a", _other("audio/x-voc", "VOC", "voc")),
    (b"NIST_1A", _other("audio/x-nist", "NIST SPHERE", "nistsphere")),
    (b"PVF1\n", _other("audio/x-pvf", "PVF", "pvf")),
    (b" paf\0\0\0\0", _other("audio/x-paf", "PARIS")),
    (b"fap \0\0\0\0", _other("audio/x-paf", "PARIS")),
    (b"ALawSoundFile**\0", _other("audio/x-psion", "Psion WVE", "wve")),
    *((bytes((0x64, 0xA3, n, 0)), _other("audio/x-ircam", "IRCAM", "ircam")) for n in range(1, 5)),
    *((bytes((0, n, 0xA3, 0x64)), _other("audio/x-ircam", "IRCAM", "ircam")) for n in range(1, 5)),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _foreign("audio/x-ms-wma", "Windows Media Audio", "asf")),
    (b"MAC ", _foreign("audio/x-ape", "Monkey's Audio", "ape")),
    (b"wvpk", _foreign("audio/x-wavpack", "WavPack", "wv")),
    (b"MPCK", _foreign("audio/x-musepack", "Musepack", "mpc8")),
    (b"MP+", _foreign("audio/x-musepack", "Musepack", "mpc")),
    (b"DSD ", _foreign("audio/x-dsf", "DSD", "dsf")),
    (b"FRM8", _foreign("audio/x-dff", "DSD", "iff")),
    (b"TTA1", _foreign("audio/x-tta", "True Audio", "tta")),
    (b"tBaK", _foreign("audio/x-tak", "TAK", "tak")),
    (b"#!AMR", _foreign("audio/amr", "AMR", "amr")),
    (b".ra\xfd", _foreign("audio/x-realaudio", "RealAudio", "rm")),
    (b".RMF", _foreign("audio/x-realaudio", "RealAudio", "rm")),
    (b"\x0b\x77", _foreign("audio/ac3", "AC-3", "")),
    (b"\x7f\xfe\x80\x01", _foreign("audio/vnd.dts", "DTS", "dts")),
    (b"\xfe\x7f\x01\x80", _foreign("audio/vnd.dts", "DTS", "dts")),
    (b"\x1f\xff\xe8\x00", _foreign("audio/vnd.dts", "DTS", "dts")),
    (b"\xff\x1f\x00\xe8", _foreign("audio/vnd.dts", "DTS", "dts")),
    (b"nut/multimedia container\0", _foreign("audio/x-nut", "NUT", "nut")),
    (b"FLV\x01\x04", _foreign("audio/x-flv", "Flash", "flv")),  # with audio, without video
    (b"TWIN", _foreign("audio/x-twinvq", "TwinVQ", "vqf")),
    (b"EA3\1", _foreign("audio/x-oma", "ATRAC", "oma")),
    (b"ea3\3", _foreign("audio/x-oma", "ATRAC", "oma")),
    (b"Extended Instrument: ", _other("audio/x-xi", "FastTracker instrument")),
    (b"ajkg", _foreign("audio/x-shorten", "Shorten", "shn")),
    (b"OFR ", _unsupported("OptimFROG")),
    (b"ADIF", _unsupported("AAC in ADIF")),
    (b"LA0", _unsupported("Lossless Audio")),
    (b"RKA7", _unsupported("RK Audio")),
)
_AIFF, _SVX = Format(Container.AIFF, "audio/aiff", "AIFF", "aiff"), _other("audio/x-8svx", "8SVX", "iff")
_FORMS = {
    b"AIFF": _AIFF,
    b"AIFC": _AIFF,
    b"8SVX": _SVX,
    b"16SV": _SVX,
    b"XWMA": _foreign("audio/x-ms-wma", "xWMA", "xwma"),
    b"QLCM": _foreign("audio/qcelp", "QCP", "qcp"),
}
HEAD_BYTES = 8 << 10
"""Of a file, where a scan looks for audio: four frames of any MPEG audio."""

_SBC_FRAMES = 8
_PERIODS = (10_000_000 // 96_000, 10_000_000 // 4_000)  # of samples, in units of 100 ns
# What browsers want to know of the codec inside, by what Matroska calls it.
_MATROSKA_CODECS = (
    (b"A_OPUS", "opus"),
    (b"A_VORBIS", "vorbis"),
    (b"A_FLAC", "flac"),
    (b"A_AAC", "mp4a.40.2"),
)
# Protected music of shops, which no decoder reads without its key.
_ENCRYPTED_MP4 = {b"drms", b"enca", b"aavd"}
_ENCRYPTED_ASF = _unsupported("encrypted Windows Media Audio")
# Content encryption, and its extended form (Advanced Systems Format, 3.14 and 3.15).
_ENCRYPTIONS = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
# By the name of the sample description: media type, and the codec's name.
_MP4_CODECS = {
    b"mp4a": ("audio/mp4", "AAC"),
    b"mp4a.69": ("audio/mp4; codecs=mp3", "MP3 in MP4"),
    b"mp4a.6b": ("audio/mp4; codecs=mp3", "MP3 in MP4"),
    b"mp4a.a5": ("audio/mp4; codecs=ac-3", "AC-3 in MP4"),
    b"mp4a.a6": ("audio/mp4; codecs=ec-3", "E-AC-3 in MP4"),
    b"mp4a.a9": ("audio/mp4; codecs=dtsc", "DTS in MP4"),
    b"mp4a.ad": ("audio/mp4; codecs=opus", "Opus in MP4"),
    b"mp4a.dd": ("audio/mp4; codecs=vorbis", "Vorbis in MP4"),
    b"alac": ("audio/mp4; codecs=alac", "ALAC"),
    b"fLaC": ("audio/mp4; codecs=flac", "FLAC in MP4"),
    b"Opus": ("audio/mp4; codecs=opus", "Opus in MP4"),
    b"ac-3": ("audio/mp4; codecs=ac-3", "AC-3 in MP4"),
    b"ec-3": ("audio/mp4; codecs=ec-3", "E-AC-3 in MP4"),
    b"samr": ("audio/3gpp", "AMR in 3GP"),
    b"sawb": ("audio/3gpp", "AMR in 3GP"),
}


def is_audio_name(name: bytes) -> bool:
    """Return whether a file's name ends like audio."""
    return suffix_of(name) in AUDIO_SUFFIXES


def may_need_pyav_for_tags(name: bytes) -> bool:
    """Return whether a file that plays without PyAV may have tags that only PyAV reads."""
    suffix = suffix_of(name)
    return suffix in _TAGGED_FOR_PYAV or suffix not in AUDIO_SUFFIXES


def suffix_of(name: bytes) -> bytes:
    """Return the ending of a name in lower case with its dot, or ``b""``."""
    dot = name.rfind(b".")
    return name[dot:].lower() if dot > 0 else b""


def sniff(file: BinaryIO) -> Format | None:
    """Return the format of a file by its content alone; None if it is not known audio."""
    return sniff_magic(file) or _sniff_frames(file)


def sniff_magic(file: BinaryIO) -> Format | None:
    """Return the format that the first bytes behind a tag name; None if they name none."""
    start = untagged_span(file).start
    head = read_at(file, start, 32)
    for magic, known in _MAGIC:
        if head.startswith(magic):
            return _ENCRYPTED_ASF if known.demuxer == "asf" and _is_encrypted_asf(file, start) else known
    return _sniff_chunked(file, start, head) or _sniff_built(head) or _sniff_run(file, start)


def _is_encrypted_asf(file: BinaryIO, start: int) -> bool:
    header = read_at(file, start, CHUNK_BYTES)
    return any(mark in header for mark in _ENCRYPTIONS)


def _sniff_chunked(file: BinaryIO, start: int, head: bytes) -> Format | None:
    if head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and head[8:12] == b"WAVE":
        return Format(Container.WAV, "audio/wav", "WAV", "wav")
    if head[:4] in {b"FORM", b"RIFF"}:
        return _FORMS.get(head[8:12])
    if head[:4] == b"OggS":
        codec = ogg_codec(file, start)
        return _OGG_TYPES.get(codec) or _unsupported(f"Ogg with codec {codec}") if codec else None
    if head[4:8] == b"ftyp" or (head[4:8] in QUICKTIME_BOXES and sample_description(file)):
        return _sniff_mp4(file)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _sniff_matroska(file, start)
    return None


def _sniff_built(head: bytes) -> Format | None:
    """Return the format of a head that has few marks, but can be told by how it is built."""
    if head[:4] == b"2BIT" and head[12:14] in {b"\0\0", b"\xff\xff"}:
        return _other("audio/x-avr", "AVR")
    if head[:2] == b"\xf0\x7e" and head[3:4] == b"\x01" and head[20:23] == b"\xf7\xf0\x7e":
        return _other("audio/x-sds", "MIDI Sample Dump", "sds")
    if head[8:12] == b"\0\x02\0\0" and _PERIODS[0] <= int.from_bytes(head[4:8], "big") <= _PERIODS[1]:
        return _other("audio/x-htk", "HTK")
    if head[:2] == b"\x01\x04" and head[21:22] in {b"\0", b"\1"} and _is_text(head[2:18]):
        return _other("audio/x-mpc2k", "Akai MPC 2000")
    if head[4:8] in {b"\xf8\x72\x6f\xba", b"\xf8\x72\x6f\xbb"}:
        is_truehd = head[7] == 0xBA  # noqa: PLR2004 - the format's own mark
        return _foreign(
            "audio/vnd.dolby.mlp", "TrueHD" if is_truehd else "MLP", "truehd" if is_truehd else "mlp"
        )
    return None


def _is_text(name: bytes) -> bool:
    return name.isascii() and name.decode().isprintable()


def _sniff_run(file: BinaryIO, start: int) -> Format | None:
    """Return the format of packets or frames that follow each other from the start."""
    if is_sound_alone(read_at(file, start, HEAD_BYTES)):
        return _foreign("audio/mp2t", "MPEG transport stream", "mpegts")
    if is_chain(file, Span(start, size_of(file)), sbc_frame, _SBC_FRAMES):
        return _foreign("audio/x-sbc", "SBC", "sbc")
    return None


def _sniff_mp4(file: BinaryIO) -> Format:
    description = sample_description(file)
    if description in _ENCRYPTED_MP4:
        return _unsupported("encrypted MP4")
    media_type, name = _MP4_CODECS.get(description, ("audio/mp4", "MP4"))
    return Format(Container.MP4, media_type, name, "mov")


def _sniff_matroska(file: BinaryIO, start: int) -> Format:
    head = read_at(file, start, CHUNK_BYTES)
    media_type, name = ("audio/webm", "WebM") if b"webm" in head[:64] else ("audio/x-matroska", "Matroska")
    codec = next((codec for mark, codec in _MATROSKA_CODECS if mark in head), None)
    return _foreign(f"{media_type}; codecs={codec}" if codec else media_type, name, "matroska")


def _sniff_frames(file: BinaryIO) -> Format | None:
    if find_stream(file, mpeg_frame) is not None:
        return Format(Container.MPEG, "audio/mpeg", "MP3", "mp3")
    if find_stream(file, adts_frame) is not None:
        return Format(Container.ADTS, "audio/aac", "AAC", "aac")
    span = untagged_span(file)
    start = first_page(file, Span(span.start, min(span.start + SEARCH_BYTES, span.stop)))
    return None if start is None else _OGG_TYPES.get(ogg_codec(file, start) or "")
