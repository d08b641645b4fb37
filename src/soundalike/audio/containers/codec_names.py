"""What a codec is called, in containers that may have any: for messages about one that is missing."""

from typing import BinaryIO, Literal

from soundalike.audio.containers import flac, riff
from soundalike.audio.containers.spans import read_at
from soundalike.audio.containers.tagged import untagged_span

# Of WAV and Wave64, by the number in `fmt `: registered by Microsoft.
_WAVE = {
    0x50: "MP2",
    0x55: "MP3",
    0xFF: "AAC",
    0x160: "WMA",
    0x161: "WMA",
    0x162: "WMA Professional",
    0x163: "WMA Lossless",
    0x270: "ATRAC3",
    0x28F: "G.722",
    0x1600: "AAC",
    0x1610: "AAC",
    0x2000: "AC-3",
    0x2001: "DTS",
}
_WAVE64_AT, _CAF_AT, _AU_AT = 64, 28, 12


def codec_in(file: BinaryIO) -> str:
    """Return which codec a file has, such as ``"AC-3 in WAV"``; empty where its container says nothing."""
    start = untagged_span(file).start
    match read_at(file, start, 4):
        case b"RIFF" | b"RIFX" | b"RF64" | b"BW64":
            return _in_wave(file, start)
        case b"FORM":
            return _in_aiff(file)
        case b"caff":
            return _lettered(read_at(file, start + _CAF_AT, 4), "CAF")
        case b"riff":
            return _numbered(int.from_bytes(read_at(file, start + _WAVE64_AT, 2), "little"), "Wave64")
        case b".snd":
            return f"AU with encoding {int.from_bytes(read_at(file, start + _AU_AT, 4), 'big')}"
        case _:
            bits = flac.bits_per_sample(file)
            return f"{bits}-bit FLAC" if bits else ""


def _in_wave(file: BinaryIO, start: int) -> str:
    order: Literal["big", "little"]
    order = "big" if read_at(file, start, 4) == b"RIFX" else "little"
    found = next((chunk.span.start for chunk in riff.chunks(file) if chunk.name == b"fmt "), None)
    return "" if found is None else _numbered(int.from_bytes(read_at(file, found, 2), order), "WAV")


def _in_aiff(file: BinaryIO) -> str:
    found = next((chunk.span.start for chunk in riff.chunks(file) if chunk.name == b"COMM"), None)
    return "" if found is None else _lettered(read_at(file, found + 18, 4), "AIFF")


def _numbered(number: int, container: str) -> str:
    known = _WAVE.get(number)
    return f"{known} in {container}" if known else f"{container} with codec 0x{number:04x}"


def _lettered(letters: bytes, container: str) -> str:
    name = letters.decode("latin-1").strip()
    if not (name.isascii() and name.isalnum()):
        return ""
    return f"{name.upper()} in {container}"
