"""Tags in front of a sound, or behind it, take nothing from it, whatever its format is."""

from pathlib import Path

import numpy as np
import pytest

from audio.sounds import analysed, apev2, edit, id3v1, id3v2, music, write, write_av

FRONT = id3v2(
    (b"TIT2", b"\0Front"), (b"APIC", b"\0image/jpeg\0\3\0\xff\xd8\xff" + b"x" * 300_000), padding=99
)
BY_PYAV = {
    "a.m4a": ("aac", "ipod"),
    "a.mka": ("flac", "matroska"),
    "a.wv": ("wavpack", "wv"),
    "a.wma": ("wmav2", "asf"),
    "a.tta": ("tta", "tta"),
    "a.ac3": ("ac3", "ac3"),
    "a.aac": ("aac", "adts"),
}
BY_SNDFILE = ("a.wav", "a.rf64", "a.w64", "a.aiff", "a.flac", "a.ogg", "a.mp3", "a.caf", "a.au", "a.voc")
ENDS_IN_SAMPLES = ("a.wav", "a.rf64", "a.aiff", "a.flac")


def make(folder: Path, name: str) -> Path:
    if name in BY_PYAV:
        codec, form = BY_PYAV[name]
        return write_av(folder / name, 4, codec=codec, form=form)
    return write(folder / name, music(4))


def around(front: bytes, path: Path, behind: bytes) -> Path:
    return edit(path, lambda data: front + data + behind)


@pytest.mark.parametrize("name", [*BY_SNDFILE, *BY_PYAV])
def test_a_tag_in_front_takes_nothing_from_the_sound(name: str, tmp_path: Path) -> None:
    path = make(tmp_path, name)
    plain = analysed(path)
    for front in (FRONT, apev2(b"Front")):
        tagged = analysed(around(front, make(tmp_path, name), b""))
        assert (tagged.duration_ms, tagged.is_truncated) == (plain.duration_ms, False)
        assert (tagged.tags.title, tagged.media_type) == ("Front", plain.media_type)
        np.testing.assert_array_equal(tagged.vectors[0].values, plain.vectors[0].values)


@pytest.mark.parametrize("name", [*BY_SNDFILE, *BY_PYAV])
def test_nor_does_it_make_another_track_of_it(name: str, tmp_path: Path) -> None:
    plain = analysed(make(tmp_path, name)).audio_hash
    assert analysed(around(FRONT, make(tmp_path, name), b"")).audio_hash == plain


@pytest.mark.parametrize("name", ENDS_IN_SAMPLES)
def test_a_tag_behind_takes_nothing_from_the_sound(name: str, tmp_path: Path) -> None:
    plain = analysed(make(tmp_path, name))
    for behind in (id3v1(), apev2(b"Title"), apev2(b"Title") + id3v1()):
        tagged = analysed(around(b"", make(tmp_path, name), behind))
        assert (tagged.duration_ms, tagged.is_truncated) == (plain.duration_ms, False)
        assert tagged.tags.title == "Title"
        np.testing.assert_array_equal(tagged.vectors[0].values, plain.vectors[0].values)


def test_bw64_and_samples_of_unknown_length_are_mended_behind_a_tag(tmp_path: Path) -> None:
    bw64 = edit(write(tmp_path / "a.wav", music(4), format="RF64"), lambda data: FRONT + b"BW64" + data[4:])
    assert analysed(bw64).duration_ms == 4_000
    open_ended = edit(
        write(tmp_path / "b.wav", music(4)), lambda data: FRONT + data[:40] + bytes(4) + data[44:]
    )
    assert analysed(open_ended).duration_ms == 4_000


def test_mp4_may_begin_without_its_brand(tmp_path: Path) -> None:
    path = make(tmp_path, "a.m4a")
    plain = analysed(path)
    # In the place of the first box, since there are positions in the others.
    old = analysed(edit(path, lambda data: data[:4] + b"free" + data[8:]))
    assert (old.duration_ms, old.media_type, old.audio_hash) == (
        plain.duration_ms,
        plain.media_type,
        plain.audio_hash,
    )
