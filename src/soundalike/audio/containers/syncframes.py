"""AC-3, E-AC-3 and SBC: frames, one after another, whose headers say how long they are."""

from soundalike.audio.containers.mpeg import Frame

_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_RATES = (48_000, 44_100, 32_000)
_AC3_SAMPLES = 1536
_LAST_AC3 = 10  # of the versions of the bit stream; later ones are E-AC-3
_LAST_EAC3 = 16
_SBC_RATES = (16_000, 32_000, 44_100, 48_000)
_MONO, _DUAL, _JOINT = 0, 1, 3
_HEADER_BYTES = 6


def ac3_frame(header: bytes) -> Frame | None:
    """Read the head of a frame of AC-3 or E-AC-3 (ETSI TS 102 366, 4.3.1 and E.1.2), or None."""
    if len(header) < _HEADER_BYTES or header[:2] != b"\x0b\x77":
        return None
    rate_index, version = header[4] >> 6, header[5] >> 3
    if _LAST_AC3 < version <= _LAST_EAC3:
        words = ((header[2] & 7) << 8 | header[3]) + 1
        return Frame(2 * words, _AC3_SAMPLES, 0, (version, rate_index))
    size_code = header[4] & 0x3F
    if version > _LAST_AC3 or rate_index >= len(_AC3_RATES) or size_code >= 2 * len(_AC3_KBPS):
        return None
    rate = _AC3_RATES[rate_index]
    words = _AC3_KBPS[size_code >> 1] * 1000 * _AC3_SAMPLES // 16 // rate
    padding = size_code & 1 if rate == 44_100 else 0  # noqa: PLR2004 - the only one that does not divide
    return Frame(2 * (words + padding), _AC3_SAMPLES, rate, (version, rate_index, size_code >> 1))


def sbc_frame(header: bytes) -> Frame | None:
    """Read the head of an SBC frame (Bluetooth A2DP, 12.9), or None."""
    if len(header) < 4 or header[0] != 0x9C:  # noqa: PLR2004 - the format's own bits
        return None
    rate, blocks = _SBC_RATES[header[1] >> 6], 4 * ((header[1] >> 4 & 3) + 1)
    mode, subbands, bitpool = header[1] >> 2 & 3, 8 if header[1] & 1 else 4, header[2]
    channels = 1 if mode == _MONO else 2
    if not 1 < bitpool <= (16 if mode in {_MONO, _DUAL} else 32) * subbands:
        return None
    bits = blocks * bitpool * (channels if mode == _DUAL else 1) + (subbands if mode == _JOINT else 0)
    length = 4 + subbands * channels // 2 + (bits + 7) // 8
    return Frame(length, blocks * subbands, rate, (header[1],))
