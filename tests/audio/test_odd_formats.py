"""Sound in containers that are rarely met, under whatever name, is found and decoded."""

import os
from pathlib import Path

import pytest

from audio.sounds import AV_FORMATS, FILE_RATE, analysed, music, write, write_av
from soundalike.audio.recognise import Kind, begins_like_audio, has_audio, kind_of

SECONDS = 4.0
# By libsndfile's name: the coding of samples, and the rate.
BY_SNDFILE = {
    "VOC": ("PCM_16", FILE_RATE),
    "IRCAM": ("PCM_16", FILE_RATE),
    "NIST": ("PCM_16", FILE_RATE),
    "PAF": ("PCM_16", FILE_RATE),
    "PVF": ("PCM_16", FILE_RATE),
    "AVR": ("PCM_16", FILE_RATE),
    "SVX": ("PCM_16", FILE_RATE),
    "SDS": ("PCM_16", FILE_RATE),
    "HTK": ("PCM_16", FILE_RATE),
    "MPC2K": ("PCM_16", FILE_RATE),
    "WVE": ("ALAW", 8_000),
    "XI": ("DPCM_16", FILE_RATE),
}
# By FFmpeg's name of the container: the codec.
BY_PYAV = {
    "ac3": "ac3",
    "eac3": "eac3",
    "sbc": "sbc",
    "nut": "aac",
    "mpegts": "aac",
    "flv": "aac",
}


@pytest.mark.parametrize("name", BY_SNDFILE)
def test_what_libsndfile_reads_is_found_and_decoded(name: str, tmp_path: Path) -> None:
    coding, rate = BY_SNDFILE[name]
    path = write(tmp_path / "song", music(SECONDS)[:, 0], rate=rate, format=name, subtype=coding)
    assert has_audio(os.fsencode(path))
    lasts_s = SECONDS * FILE_RATE / rate
    assert analysed(path).duration_ms / 1000 == pytest.approx(lasts_s, abs=0.1)


@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
@pytest.mark.parametrize("name", ["IRCAM", "PAF", "NIST"])
def test_so_is_either_order_of_bytes(name: str, endian: str, tmp_path: Path) -> None:
    path = write(tmp_path / "song", music(SECONDS), format=name, subtype="PCM_16", endian=endian)
    assert has_audio(os.fsencode(path))
    assert analysed(path).duration_ms == SECONDS * 1000


@pytest.mark.parametrize("form", BY_PYAV)
def test_what_pyav_reads_is_found_and_decoded(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    monkeypatch.setitem(AV_FORMATS, "eac3", AV_FORMATS["ac3"])
    monkeypatch.setitem(AV_FORMATS, "sbc", ("s16", FILE_RATE, "stereo"))
    path = write_av(tmp_path / "song", SECONDS, codec=BY_PYAV[form], form=form)
    assert has_audio(os.fsencode(path))
    assert analysed(path).duration_ms == pytest.approx(SECONDS * 1000, abs=100)


def test_a_transport_stream_is_found_by_its_ending_too_unless_it_is_a_film(tmp_path: Path) -> None:
    pytest.importorskip("av")
    head = write_av(tmp_path / "a.ts", SECONDS, codec="aac", form="mpegts").read_bytes()[: 8 << 10]
    assert begins_like_audio(head)
    at = head.index(b"\x02\xb0")  # the table of streams: the first is of type 15, AAC in ADTS
    table = head[at : at + 13]
    assert table[12] == 0x0F
    assert not begins_like_audio(head.replace(table, table[:12] + b"\x1b"))
    assert kind_of(b"a.ts") is Kind.UNKNOWN


@pytest.mark.parametrize("version", [0x07, 0x17])
def test_musepack_of_the_older_kind_is_found(version: int) -> None:
    assert begins_like_audio(b"MP+" + bytes([version]) + bytes(2_000))


@pytest.mark.parametrize(
    "head",
    [
        b"MP+ is a mark",
        b"2BIT or not 2BIT",
        b"NUT, a container",
        b" paf is a word",
        b"\xf0\x7e",
        b"\x01\x04",
        b"\x01\x04" + bytes(2_000),
        b"\x9c" * 2_000,
        (b"\x47" + bytes(187)) * 40,
        b"\x0b\x77\0\0\0\x40" * 500,
        b"import x from './x';\n" * 300,
    ],
    ids=repr,
)
def test_what_only_begins_so_is_not_audio(head: bytes) -> None:
    assert not begins_like_audio(head)
