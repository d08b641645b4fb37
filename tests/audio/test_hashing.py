"""The audio hash stays while tags come and go, and changes with the sound."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.sounds import apev2, id3v1, id3v2, music, riff_chunk, write, write_av
from soundalike.audio.containers import asf, matroska
from soundalike.audio.formats import sniff
from soundalike.audio.hashing import audio_hash

Retag = Callable[[bytes, bytes], bytes]
NAMES = ("a.mp3", "a.flac", "a.ogg", "a.opus", "a.wav", "a.aiff", "a.m4a", "a.aac", "a.mka", "a.wv")


def retag_mp3(data: bytes, text: bytes) -> bytes:
    lyrics = b"LYRICSBEGIN" + text
    lyrics3 = lyrics + b"%06dLYRICS200" % len(lyrics)
    return id3v2((b"TIT2", b"\0" + text), padding=len(text)) + data + apev2(text) + lyrics3 + id3v1(text[:30])


def retag_adts(data: bytes, text: bytes) -> bytes:
    return id3v2((b"TIT2", b"\0" + text)) + data + id3v1()


def retag_flac(data: bytes, text: bytes) -> bytes:
    """Replace every block but STREAMINFO by a padding block that holds the text."""
    offset, is_last = 4, False
    while not is_last:
        is_last = bool(data[offset] & 0x80)
        offset += 4 + int.from_bytes(data[offset + 1 : offset + 4], "big")
    info = b"\0" + data[5:42]
    return id3v2(padding=9) + b"fLaC" + info + b"\x81" + len(text).to_bytes(3, "big") + text + data[offset:]


def retag_wav(data: bytes, text: bytes) -> bytes:
    return data[:12] + riff_chunk(b"id3 ", text) + data[12:] + riff_chunk(b"LIST", b"INFO" + text)


def retag_aiff(data: bytes, text: bytes) -> bytes:
    return data[:12] + riff_chunk(b"ID3 ", text, order=">") + data[12:] + riff_chunk(b"NAME", text, order=">")


def retag_m4a(data: bytes, text: bytes) -> bytes:
    return data + struct.pack(">I", 8 + len(text)) + b"free" + text


def retag_matroska(data: bytes, text: bytes) -> bytes:
    """Put another element (Void) in front of the first cluster, in a segment of unknown length."""
    void = b"\xec\x40" + bytes([200]) + text.ljust(200, b"\0")[:200]
    segment, cluster = data.index(b"\x18\x53\x80\x67"), data.index(b"\x1f\x43\xb6\x75")
    head = data[:segment] + b"\x18\x53\x80\x67\x01" + b"\xff" * 7
    return head + void + data[segment + 12 : cluster] + data[cluster:]


def retag_wavpack(data: bytes, text: bytes) -> bytes:
    return data + apev2(text)


def retag_ogg(data: bytes, text: bytes) -> bytes:
    """Lay every packet on pages of its own, with another text in the packet of tags."""
    pages, number = [], 0
    for packet in _packets(data):
        is_tags = packet.startswith((b"\x03vorbis", b"OpusTags"))
        body = packet[:8] + text if is_tags else packet
        lacing = bytes([255] * (len(body) // 255) + [len(body) % 255])
        for start in range(0, len(lacing), 200):
            part = lacing[start : start + 200]
            at = sum(lacing[:start])
            header = b"OggS\0" + bytes([start > 0]) + bytes(8) + data[14:18] + struct.pack("<II", number, 0)
            pages.append(header + bytes([len(part)]) + part + body[at : at + sum(part)])
            number += 1
    return b"".join(pages)


def _packets(data: bytes) -> list[bytes]:
    packets, rest, offset = [], b"", 0
    while offset < len(data):
        lacing = data[offset + 27 : offset + 27 + data[offset + 26]]
        offset += 27 + len(lacing)
        for length in lacing:
            rest, offset = rest + data[offset : offset + length], offset + length
            if length < 255:
                packets.append(rest)
                rest = b""
    return packets


_ELEMENTS = (
    b"\x1f\x43\xb6\x75",
    b"\x18\x53\x80\x67",
    b"\xff",
    b"\x01" + b"\xff" * 7,
    b"\x80",
    b"\x84",
    b"\xec",
    bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c"),
    (30).to_bytes(8, "little"),
)
RETAG: dict[str, Retag] = {
    "a.mp3": retag_mp3, "a.flac": retag_flac, "a.ogg": retag_ogg, "a.opus": retag_ogg,
    "a.wav": retag_wav, "a.aiff": retag_aiff, "a.m4a": retag_m4a, "a.aac": retag_adts,
    "a.mka": retag_matroska, "a.wv": retag_wavpack,
}  # fmt: skip


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    sound = music(1.2, rate=48_000)
    for name in NAMES[:6]:
        options = {"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}
        write(folder / name, sound, rate=48_000, **options)
    write_av(folder / "a.m4a", 1.2, codec="aac", form="ipod")
    write_av(folder / "a.aac", 1.2, codec="aac", form="adts")
    write_av(folder / "a.mka", 1.2, codec="flac", form="matroska")
    write_av(folder / "a.wv", 1.2, codec="wavpack", form="wv")
    return {name: (folder / name).read_bytes() for name in NAMES}


def hash_of(data: bytes, folder: Path) -> str:
    path = folder / "file"
    path.write_bytes(data)
    with path.open("rb") as file:
        sniffed = sniff(file)
        assert sniffed is not None
        return audio_hash(file, sniffed.container)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(max_size=600) | st.just(b"\xff\xfb" * 40_000))
def test_tags_do_not_change_the_hash(
    name: str, text: bytes, originals: dict[str, bytes], tmp_path: Path
) -> None:
    original = originals[name]
    assert hash_of(RETAG[name](original, text), tmp_path) == hash_of(original, tmp_path)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.4, 0.8))
def test_one_other_byte_of_sound_does(
    name: str, place: float, originals: dict[str, bytes], tmp_path: Path
) -> None:
    original = originals[name]
    at = original.index(b"mdat") + 40 if name == "a.m4a" else int(place * len(original))
    page = original.rfind(b"OggS", 0, at + 4)
    if page >= 0:  # the head of a page is no sound
        at = max(at, page + 27 + original[page + 26])
    changed = original[:at] + bytes([original[at] ^ 1]) + original[at + 1 :]
    assert hash_of(changed, tmp_path) != hash_of(original, tmp_path)


@given(
    head=st.sampled_from(
        [b"", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")]
    ),
    body=st.binary(max_size=200) | st.lists(st.sampled_from(_ELEMENTS), max_size=30).map(b"".join),
)
def test_readers_of_elements_stay_in_the_file(head: bytes, body: bytes) -> None:
    file = io.BytesIO(head + body)
    spans = [*matroska.cluster_spans(file), *asf.data_spans(file)]
    assert all(0 <= span.start <= span.stop <= len(head + body) for span in spans)


def test_the_hash_is_32_hexadecimal_digits(originals: dict[str, bytes], tmp_path: Path) -> None:
    assert {len(hash_of(data, tmp_path)) for data in originals.values()} == {32}
    assert len({hash_of(data, tmp_path) for data in originals.values()}) >= len(NAMES) - 1
