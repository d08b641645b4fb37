"""Files that were joined, or have junk before their sound, are decoded whole, at their true length."""

import io
import itertools
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio.edited import without_first_frame
from audio.joining import decoded, headless, joined, mp3
from audio.sounds import (
    FILE_RATE,
    analysed,
    apev2,
    edit,
    failure_of,
    id3v1,
    id3v2,
    music,
    noise,
    write,
    write_av,
)
from soundalike.audio.containers import mpeg
from soundalike.audio.containers.mpeg import mpeg_frame
from soundalike.audio.containers.ogg import links
from soundalike.audio.containers.spans import Span
from soundalike.audio.decoders.opening import open_decoder
from soundalike.audio.formats import sniff
from soundalike.domain.files import ProblemReason

OPUS = {"format": "OGG", "subtype": "OPUS"}
COVER = (b"APIC", b"\0image/jpeg\0\3\0\xff\xd8\xff\xe0" + b"\xff\xfb\x90\0\xff\xfb" * 20_000)
SECONDS = (4.0, 6.0, 3.0)
_serials = itertools.count(1)


def vbri(folder: Path, seconds: float) -> bytes:
    """An MP3 with Fraunhofer's header in front."""
    sound = headless(folder, seconds)
    frames = int(seconds * FILE_RATE / 1152) + 1
    head = sound[:4] + bytes(32) + b"VBRI" + struct.pack(">HHHII", 1, 0, 0, len(sound), frames)
    frame = mpeg_frame(sound)
    assert frame is not None
    return head.ljust(frame.length_bytes, b"\0") + sound


# MP3


@pytest.mark.parametrize(
    "kinds",
    [("VARIABLE",) * 3, ("CONSTANT",) * 3, ("CONSTANT", "VARIABLE", "AVERAGE")],
    ids=["Xing", "Info", "mixed"],
)
def test_joined_mp3s_are_as_long_as_all_of_them(kinds: tuple[str, ...], tmp_path: Path) -> None:
    parts = [mp3(tmp_path, seconds, mode=kind) for seconds, kind in zip(SECONDS, kinds, strict=True)]
    heard = joined(tmp_path / "a.mp3", *parts)
    assert heard.duration_ms == pytest.approx(13_000, abs=60)


@pytest.mark.parametrize(
    "between",
    [
        id3v2((b"TIT2", b"\0Second")),
        id3v2((b"TIT2", b"\0Second"), COVER),
        id3v1(),
        apev2(b"x" * 5_000) + id3v1() + id3v2((b"TIT2", b"\0Second"), padding=2_000),
        b"",
    ],
    ids=["ID3v2", "cover", "ID3v1", "all tags", "nothing"],
)
@pytest.mark.parametrize("make", [mp3, headless, vbri], ids=["Xing", "headless", "VBRI"])
def test_tags_between_joined_mp3s_are_passed_over(
    between: bytes, make: Callable[[Path, float], bytes], tmp_path: Path
) -> None:
    first, second = make(tmp_path, 4), make(tmp_path, 6)
    heard = joined(tmp_path / "a.mp3", id3v2((b"TIT2", b"\0First")), first, between, second, id3v1())
    assert heard.duration_ms == pytest.approx(10_000, abs=250)
    assert heard.tags.title == "First"


def test_any_number_of_mp3s_may_be_joined(tmp_path: Path) -> None:
    one = mp3(tmp_path, 1)
    heard = joined(tmp_path / "a.mp3", *[id3v2((b"TIT2", b"\0Title")) + one] * 100)
    assert heard.duration_ms == pytest.approx(100_000, abs=500)


def test_an_mp3_without_a_header_may_follow_one_that_has_it(tmp_path: Path) -> None:
    heard = joined(tmp_path / "a.mp3", mp3(tmp_path, 4), headless(tmp_path, 6))
    assert heard.duration_ms == pytest.approx(10_000, abs=150)


def test_an_mp3_that_is_cut_may_be_followed_by_another(tmp_path: Path) -> None:
    first = mp3(tmp_path, 6)
    path = tmp_path / "a.mp3"
    path.write_bytes(first[: len(first) // 2 + 7] + mp3(tmp_path, 5))
    heard = analysed(path)
    assert heard.duration_ms == pytest.approx(8_000, abs=400)
    assert heard.is_truncated


def miscounted(frames: int) -> Callable[[bytes], bytes]:
    """Return a change of an MP3's header to another number of frames, with the right number of bytes."""

    def change(data: bytes) -> bytes:
        at = re.search(b"Xing|Info", data)
        assert at is not None
        return data[: at.end() + 4] + frames.to_bytes(4, "big") + data[at.end() + 8 :]

    return change


@pytest.mark.parametrize(
    ("mode", "frames"),
    [("CONSTANT", 10), ("CONSTANT", 200), ("CONSTANT", 0), ("VARIABLE", 10), ("VARIABLE", 0)],
)
def test_a_header_that_counts_too_few_frames_is_not_believed(mode: str, frames: int, tmp_path: Path) -> None:
    heard = joined(tmp_path / "a.mp3", miscounted(frames)(mp3(tmp_path, 8, mode=mode)))
    assert heard.duration_ms == pytest.approx(8_000, abs=60)


def test_joined_mp3s_of_other_rates_and_channels_are_one_track(tmp_path: Path) -> None:
    parts = [mp3(tmp_path, 4), mp3(tmp_path, 6, rate=48_000), mp3(tmp_path, 3, rate=22_050)]
    parts.append(write(tmp_path / "mono.mp3", music(2)[:, 0]).read_bytes())
    assert joined(tmp_path / "a.mp3", *parts).duration_ms == pytest.approx(15_000, abs=100)


@pytest.mark.parametrize(("rate", "channels"), [(32_000, 2), (48_000, 1), (FILE_RATE, 1)])
def test_so_are_those_without_headers(rate: int, channels: int, tmp_path: Path) -> None:
    path = write(tmp_path / "part.mp3", music(4, rate=rate)[:, :channels], rate=rate)
    parts = [without_first_frame(path.read_bytes()), headless(tmp_path, 6)]
    assert joined(tmp_path / "a.mp3", *parts).duration_ms == pytest.approx(10_000, abs=250)


def test_each_part_sounds_as_it_does_alone(tmp_path: Path) -> None:
    parts = {name: tmp_path / name for name in ("one.mp3", "two.mp3")}
    write(parts["one.mp3"], music(2))
    write(parts["two.mp3"], noise(2, rate=FILE_RATE))
    joined(tmp_path / "a.mp3", *(path.read_bytes() for path in parts.values()))
    alone = np.concatenate([decoded(path) for path in parts.values()])
    np.testing.assert_array_equal(decoded(tmp_path / "a.mp3"), alone)


# The first frame


@pytest.mark.parametrize(
    "junk",
    [
        bytes(200 << 10),
        noise(5, seed=3).tobytes()[: 200 << 10],
        b"\xff\xfb\x90\0\xff\xfb\x92\x44" * (25 << 10),
        b"\xff" * (200 << 10),
    ],
    ids=["zeros", "noise", "sync words", "FF"],
)
@pytest.mark.parametrize("make", [mp3, headless], ids=["Xing", "headless"])
def test_a_first_frame_far_behind_the_tag_is_found(
    junk: bytes, make: Callable[[Path, float], bytes], tmp_path: Path
) -> None:
    heard = joined(tmp_path / "a.mp3", id3v2((b"TIT2", b"\0Far")), junk, make(tmp_path, 4))
    assert heard.media_type == "audio/mpeg"
    assert heard.duration_ms == pytest.approx(4_000, abs=100)


def test_a_tag_that_claims_less_than_its_picture_has(tmp_path: Path) -> None:
    tag = id3v2((b"TIT2", b"\0Small"), COVER)
    tag = tag[:6] + bytes([0, 0, 8, 0]) + tag[10:]
    assert joined(tmp_path / "a.mp3", tag, mp3(tmp_path, 4)).duration_ms == pytest.approx(4_000, abs=50)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("claimed", [16_000, 1 << 26], ids=["into the sound", "beyond the file"])
def test_a_tag_that_claims_more_than_its_frames_have(version: int, claimed: int, tmp_path: Path) -> None:
    size = bytes(claimed >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3" + bytes([version, 0, 0]) + size + b"TIT2\0\0\0\6\0\0\0Title"
    heard = joined(tmp_path / "a.mp3", tag, mp3(tmp_path, 4))
    assert heard.duration_ms == pytest.approx(4_000, abs=50)
    assert heard.tags.title == "Title"


# Ogg


def ogg(folder: Path, seconds: float, *, codec: str = "vorbis", rate: int = 48_000) -> bytes:
    """An Ogg file whose stream has a number of its own."""
    if codec == "flac":
        path = write_av(folder / f"{next(_serials)}.oga", seconds, codec="flac", form="ogg")
    else:
        path = write(
            folder / "part.ogg", music(seconds, rate=rate), rate=rate, **(OPUS if codec == "opus" else {})
        )
    return path.read_bytes()


@pytest.mark.parametrize("codec", ["vorbis", "opus", "flac"])
@pytest.mark.parametrize("junk", [b"", b"junk" * 20], ids=["chain", "junk between"])
def test_a_chain_is_as_long_as_all_its_links(codec: str, junk: bytes, tmp_path: Path) -> None:
    first, *others = [ogg(tmp_path, seconds, codec=codec) for seconds in SECONDS]
    heard = joined(tmp_path / "a.ogg", first, *(junk + other for other in others))
    assert heard.duration_ms == pytest.approx(13_000, abs=50)


def test_links_may_differ_in_rate_and_codec(tmp_path: Path) -> None:
    links = [ogg(tmp_path, 4, rate=44_100), ogg(tmp_path, 6, codec="opus"), ogg(tmp_path, 3, codec="flac")]
    assert joined(tmp_path / "a.ogg", *links).duration_ms == pytest.approx(13_000, abs=50)


def test_a_file_joined_with_itself_is_a_chain_too(tmp_path: Path) -> None:
    one = ogg(tmp_path, 4)
    assert joined(tmp_path / "a.ogg", one, one).duration_ms == pytest.approx(8_000, abs=20)


def test_a_tag_in_front_of_ogg_is_passed_over(tmp_path: Path) -> None:
    one = ogg(tmp_path, 4)
    tagged = joined(tmp_path / "a.ogg", id3v2((b"TIT2", b"\0Title")), one, ogg(tmp_path, 3))
    assert tagged.duration_ms == pytest.approx(7_000, abs=20)
    assert (
        joined(tmp_path / "b.ogg", id3v2(padding=99), one).audio_hash
        == joined(tmp_path / "c.ogg", one).audio_hash
    )


@pytest.mark.parametrize("codec", ["vorbis", "opus", "flac"])
def test_junk_in_front_of_ogg_is_passed_over(codec: str, tmp_path: Path) -> None:
    junk = noise(1, seed=5).tobytes()[:3_000]
    one = ogg(tmp_path, 4, codec=codec)
    tagged = joined(tmp_path / "a.ogg", junk, one)
    assert tagged.duration_ms == pytest.approx(4_000, abs=20)
    assert tagged.audio_hash == joined(tmp_path / "b.ogg", one).audio_hash


def test_what_only_looks_like_the_beginning_of_a_link_is_none(tmp_path: Path) -> None:
    one = ogg(tmp_path, 4)
    fake = one[:22] + bytes(4) + one[26:]  # a wrong checksum
    path = tmp_path / "a.ogg"
    path.write_bytes(one + fake)
    assert analysed(path).duration_ms == pytest.approx(4_000, abs=20)


def test_the_search_for_links_ends() -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.count += 1
            return super().read(size)

    # Each claims a page of some thousand bytes, in which others begin.
    file = Counting(b"OggS\0\2" * 20_000)
    assert links(file) == [Span(0, 120_000)]
    assert file.count < 25_000


def test_a_chain_is_decoded_from_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(ogg(tmp_path, 2) + ogg(tmp_path, 2, codec="flac"))
    whole = decoded(path)
    with path.open("rb") as file:
        sniffed = sniff(file)
        assert sniffed is not None
        decoder = open_decoder(file, sniffed)
        for start in (0, 1_000, 96_000, 100_000, len(whole) - 10, len(whole), len(whole) + 9):
            rest = [block.mean(axis=1) for block in decoder.blocks(start)]
            assert sum(map(len, rest)) == max(0, len(whole) - start)


def test_ogg_flac_has_the_samples_of_flac(tmp_path: Path) -> None:
    wrapped = write_av(tmp_path / "a.oga", 5, codec="flac", form="ogg")
    plain = write_av(tmp_path / "a.flac", 5, codec="flac", form="flac")
    np.testing.assert_array_equal(decoded(wrapped), decoded(plain))


# WAV


def test_bw64_is_rf64_by_another_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", music(3), format="RF64")
    rf64 = analysed(path)
    bw64 = analysed(edit(path, lambda data: data.replace(b"RF64", b"BW64", 1)))
    assert (bw64.duration_ms, bw64.audio_hash) == (rf64.duration_ms, rf64.audio_hash)
    np.testing.assert_array_equal(bw64.vectors[0].values, rf64.vectors[0].values)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg"])
def test_the_hash_covers_the_last_of_the_joined_files(name: str, tmp_path: Path) -> None:
    make = mp3 if name == "a.mp3" else ogg
    first, second, third = (make(tmp_path, seconds) for seconds in SECONDS)
    hashes = {
        joined(tmp_path / name, *parts).audio_hash for parts in ((first,), (first, second), (first, third))
    }
    assert len(hashes) == 3


def test_the_search_for_a_first_frame_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpeg, "_MOST_TRIES", 1_000)
    path = tmp_path / "a.mp3"
    path.write_bytes(bytes(70_000) + b"\xff\xfb\x90\0" * 5_000 + mp3(tmp_path, 2))
    assert failure_of(path).reason is ProblemReason.NOT_AUDIO
