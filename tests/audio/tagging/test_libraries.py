"""What is read through libraries: ASF, and what has no reader here."""

import io
import sys
from pathlib import Path
from typing import BinaryIO

import pytest
from mutagen import asf

from audio.sounds import write_av
from audio.tagging.writers import SOUND
from soundalike.audio.cover import read_cover
from soundalike.audio.tagging.source import TagSource
from soundalike.audio.tags import read_tags
from soundalike.domain.tags import Tags


def write_tagged(path: Path, form: str, metadata: dict[str, str]) -> bytes:
    import av  # noqa: PLC0415 - an extra

    base = write_av(path.with_suffix(".flac"), 0.2, codec="flac", form="flac")
    with av.open(str(base)) as sound, av.open(str(path), "w", format=form) as container:
        container.metadata.update(metadata)
        stream = container.add_stream_from_template(sound.streams.audio[0])
        for packet in sound.demux():
            if packet.dts is not None:  # the last one is empty
                packet.stream = stream
                container.mux(packet)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["matroska", "caf"])
def test_containers_without_a_reader_are_read_by_pyav(form: str, tmp_path: Path) -> None:
    data = write_tagged(tmp_path / "a", form, {"title": "Grüße", "artist": "Anna", "album": "Album"})
    assert read_tags(io.BytesIO(data)) == Tags(title="Grüße", artists=("Anna",), album="Album")


def test_without_pyav_they_have_no_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_tagged(tmp_path / "a", "matroska", {"title": "Title"})
    monkeypatch.setitem(sys.modules, "av", None)
    assert read_tags(io.BytesIO(data)) == Tags()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The containers that PyAV is asked about."""
    names: list[str] = []

    def note(_file: BinaryIO, demuxer: str) -> TagSource:
        names.append(demuxer)
        return TagSource()

    monkeypatch.setattr("soundalike.audio.tagging.reading.read_by_pyav", note)
    return names


@pytest.mark.parametrize(
    "junk",
    [b"", bytes(100), b"junk", b"\x80\0\0\x24\3\x12\4" + bytes(60)],
    ids=["no", "zeros", "text", "ADX"],
)
def test_frames_without_tags_are_not_searched_by_it(junk: bytes, asked: list[str]) -> None:
    assert read_tags(io.BytesIO(junk + SOUND)) == Tags()
    assert asked == []


def test_it_is_told_the_format_and_asked_for_no_picture(asked: list[str]) -> None:
    for data, demuxer in (
        (b"caff\0\1\0\0", "caf"),
        (b"wvpk" + bytes(60), "wv"),
        (b"\x1aE\xdf\xa3", "matroska"),
    ):
        read_cover(io.BytesIO(data))
        assert asked == []
        read_tags(io.BytesIO(data))
        assert asked == [demuxer]
        asked.clear()


def test_asf_is_read_by_tinytag(tmp_path: Path) -> None:
    path = write_av(tmp_path / "a.wma", 0.2, codec="flac", form="asf")
    written = asf.ASF(path)
    written["Title"], written["Author"], written["WM/Genre"] = "Grüße", ["Anna", "Ben"], ["Folk", "Jazz"]
    written["WM/TrackNumber"], written["WM/Year"], written["WM/AlbumArtist"] = "3", "20190501", "Anna"
    written["WM/Lyrics"], written["WM/IsCompilation"] = "One\ntwo", True
    written["MusicBrainz/Album Id"] = "00000001-0000-4000-8000-000000000000"
    written.save()
    tags = read_tags(io.BytesIO(path.read_bytes()))
    # Values after the first are in another object, which may come before it.
    assert (tags.title, sorted(tags.artists), sorted(tags.genres)) == (
        "Grüße",
        ["Anna", "Ben"],
        ["Folk", "Jazz"],
    )
    assert (tags.track_number, tags.year, tags.album_artist) == (3, 2019, "Anna")
    assert (tags.lyrics, len(tags.external_ids)) == ("One\ntwo", 1)
