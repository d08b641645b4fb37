"""A length in a file may be anything: no reader crashes on it, and none leaves the file."""

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.sounds import analyse, apev2, id3v2, music, write, write_av
from soundalike.audio.containers import asf, flac, matroska, mp4, ogg, riff
from soundalike.audio.containers.mpeg_pieces import mpeg_pieces
from soundalike.audio.containers.spans import claimed_span
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.cover import read_cover
from soundalike.audio.formats import sniff
from soundalike.audio.hashing import audio_hash
from soundalike.audio.tags import read_tags
from soundalike.domain.files import Analysis, AnalysisFailure

EDGES = (0, 1, 7, 8, 15, 16, 17, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
LENGTHS = st.sampled_from(EDGES) | st.integers(0, 2**64 - 1)


class Field(NamedTuple):
    """Where a file has a length: so many bytes after the start of a mark."""

    mark: bytes
    after: int
    size: int
    order: str
    is_last: bool = False


FIELDS: Mapping[str, tuple[Field, ...]] = {
    "a.wav": (
        Field(b"RIFF", 4, 4, "little"),
        Field(b"fmt ", 4, 4, "little"),
        Field(b"fmt ", 20, 2, "little"),
        Field(b"data", 4, 4, "little"),
    ),
    "rf64.wav": (
        Field(b"ds64", 4, 4, "little"),
        Field(b"ds64", 8, 8, "little"),
        Field(b"ds64", 16, 8, "little"),
        Field(b"ds64", 24, 8, "little"),
        Field(b"ds64", 32, 4, "little"),
        Field(b"data", 4, 4, "little"),
    ),
    "a.aiff": (
        Field(b"FORM", 4, 4, "big"),
        Field(b"COMM", 4, 4, "big"),
        Field(b"COMM", 10, 4, "big"),
        Field(b"SSND", 4, 4, "big"),
        Field(b"SSND", 8, 4, "big"),
        Field(b"SSND", 12, 4, "big"),
    ),
    "a.flac": (
        Field(b"fLaC", 5, 3, "big"),
        Field(b"fLaC", 21, 5, "big"),
        Field(b"fLaC", 43, 3, "big"),
        Field(b"fLaC", 46, 4, "little"),
    ),
    "a.ogg": (
        Field(b"OggS", 26, 1, "big"),
        Field(b"\x03vorbis", 7, 4, "little"),
        Field(b"OggS", 6, 8, "little", is_last=True),
        Field(b"OggS", 26, 1, "big", is_last=True),
    ),
    "a.mp3": (
        Field(b"ID3", 6, 4, "big"),
        Field(b"TIT2", 4, 4, "big"),
        Field(b"Xing", 8, 4, "big"),
        Field(b"Xing", 12, 4, "big"),
        Field(b"APETAGEX", 12, 4, "little"),
        Field(b"APETAGEX", 16, 4, "little"),
        Field(b"APETAGEX", 12, 4, "little", is_last=True),
    ),
    "a.m4a": (
        *(
            Field(name, -4, 4, "big")
            for name in (b"ftyp", b"free", b"mdat", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta")
        ),
        *(
            Field(name, -4, 4, "big")
            for name in (b"mvhd", b"mdhd", b"stsd", b"stts", b"stsc", b"stsz", b"stco")
        ),
        *(Field(name, 8, 4, "big") for name in (b"stsd", b"stts", b"stsc", b"stsz", b"stco")),
        Field(b"mdhd", 16, 4, "big"),
        Field(b"mdhd", 20, 4, "big"),
        Field(b"stsz", 12, 4, "big"),
        Field(b"stts", 12, 4, "big"),
        Field(b"stts", 16, 4, "big"),
        Field(b"stco", 12, 4, "big"),
        Field(b"esds", -4, 4, "big"),
    ),
    "a.caf": (Field(b"desc", 4, 8, "big"), Field(b"data", 4, 8, "big")),
    "a.w64": (
        Field(b"riff", 16, 8, "little"),
        Field(b"fmt ", 16, 8, "little"),
        Field(b"data", 16, 8, "little"),
    ),
    "a.au": (Field(b".snd", 4, 4, "big"), Field(b".snd", 8, 4, "big")),
}


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    options: Mapping[str, Mapping[str, Any]] = {"rf64.wav": {"format": "RF64"}}
    files = {
        name: write(folder / name, music(1.2), **options.get(name, {})).read_bytes()
        for name in FIELDS
        if name != "a.m4a"
    }
    files["a.mp3"] = id3v2((b"TIT2", b"\0Title"), padding=20) + files["a.mp3"] + apev2()
    return files | {"a.m4a": write_av(folder / "a.m4a", 1.2, codec="aac", form="ipod").read_bytes()}


def with_length(data: bytes, field: Field, value: int) -> bytes:
    """Write a length into a file, as much of it as fits."""
    found = (data.rindex if field.is_last else data.index)(field.mark) + field.after
    length = (value % (1 << 8 * field.size)).to_bytes(field.size, "big" if field.order == "big" else "little")
    return data[:found] + length + data[found + field.size :]


def read_everywhere(data: bytes) -> None:
    """Have all that reads lengths read a file, whatever it is."""
    file = io.BytesIO(data)
    spans = [untagged_span(file), *mp4.media_spans(file), *riff.sound_spans(file), *flac.flac_spans(file)]
    assert all(0 <= span.start <= span.stop <= len(data) for span in spans)
    riff.cut_ratio(file)
    riff.claimed_frames(file)
    repaired = riff.repaired(file)
    assert len(repaired.prefix) <= repaired.span.start + 4 <= len(data) + 4
    assert all(0 <= each.piece.span.start <= each.piece.span.stop <= len(data) for each in mpeg_pieces(file))
    assert all(0 <= link.start <= link.stop <= len(data) for link in ogg.links(file))
    flac.bits_per_sample(file)
    spans = [*matroska.cluster_spans(file), *asf.data_spans(file)]
    assert all(0 <= span.start <= span.stop <= len(data) for span in spans)
    mp4.is_cut(file)
    mp4.sample_description(file)
    assert sum(map(len, ogg.sound_pieces(file))) <= 9 * len(data)
    sniffed = sniff(file)
    if sniffed is not None:
        audio_hash(file, sniffed.container)
    read_tags(file)
    read_cover(file)


@given(start=LENGTHS, claimed=LENGTHS, stop=st.integers(0, 2**62))
def test_what_is_claimed_ends_with_the_file(start: int, claimed: int, stop: int) -> None:
    span = claimed_span(start, claimed, stop)
    assert 0 <= span.start <= span.stop <= stop
    assert span.size == max(0, min(start + claimed, stop) - start)


@pytest.mark.parametrize("name", FIELDS)
def test_the_fields_are_where_the_files_have_lengths(name: str, whole_files: dict[str, bytes]) -> None:
    assert all(with_length(whole_files[name], field, 0) for field in FIELDS[name])


@pytest.mark.parametrize("name", FIELDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_reader_stays_in_the_file(
    name: str, data: st.DataObject, whole_files: dict[str, bytes]
) -> None:
    fields = st.lists(st.tuples(st.sampled_from(FIELDS[name]), LENGTHS), min_size=1, max_size=2)
    changed = whole_files[name]
    for field, value in data.draw(fields):
        changed = with_length(changed, field, value)
    read_everywhere(changed)


@pytest.mark.parametrize("name", FIELDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_decoder_ends(
    name: str, data: st.DataObject, whole_files: dict[str, bytes], tmp_path: Path
) -> None:
    field, value = data.draw(st.tuples(st.sampled_from(FIELDS[name]), LENGTHS))
    path = tmp_path / name
    path.write_bytes(with_length(whole_files[name], field, value))
    assert isinstance(analyse(path), Analysis | AnalysisFailure)


@pytest.mark.parametrize("box", [b"ftyp", b"free", b"mdat", b"moov"])
@pytest.mark.parametrize("value", EDGES)
def test_a_box_with_a_length_of_64_bits_may_claim_anything(
    box: bytes, value: int, whole_files: dict[str, bytes], tmp_path: Path
) -> None:
    whole = whole_files["a.m4a"]
    at = whole.index(box) - 4
    path = tmp_path / "a.m4a"
    path.write_bytes(whole[:at] + b"\0\0\0\1" + box + struct.pack(">Q", value) + whole[at + 8 :])
    read_everywhere(path.read_bytes())
    assert isinstance(analyse(path), Analysis | AnalysisFailure)


@pytest.mark.parametrize("value", EDGES)
def test_a_wav_beyond_4_gb_may_claim_anything(
    value: int, whole_files: dict[str, bytes], tmp_path: Path
) -> None:
    streamed = with_length(whole_files["rf64.wav"], Field(b"data", 4, 4, "little"), 2**32 - 1)
    path = tmp_path / "rf64.wav"
    path.write_bytes(with_length(streamed, Field(b"ds64", 16, 8, "little"), value))
    read_everywhere(path.read_bytes())
    assert isinstance(analyse(path), Analysis | AnalysisFailure)


def test_a_header_that_has_to_be_repaired_is_not_copied_into_memory_whatever_its_length() -> None:
    class Large(io.BytesIO):
        """A WAV of 5 GB whose header is nearly all of it."""

        def seek(self, offset: int, whence: int = 0, /) -> int:
            self.position = (0, 0, 5_000_000_000)[whence] + offset
            return self.position

        def read(self, size: int | None = -1, /) -> bytes:
            assert 0 <= (size or 0) <= 1 << 20
            heads = {
                0: b"RIFF\0\0\0\0WAVE",
                12: b"JUNK" + struct.pack("<I", 4_000_000_000),
                20 + 4_000_000_000: b"data\0\0\0\0",
                24 + 4_000_000_000: bytes(4),
            }
            return heads.get(self.position, b"")[:size]

    assert riff.repaired(Large()).prefix == b""
