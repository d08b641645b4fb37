"""Odd files that are damaged anywhere are used, or named with a reason; none crashes or hangs a worker."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.sounds import analyse, id3v2, music, write, write_av
from soundalike.domain.files import Analysis, AnalysisFailure

BY_PYAV = {
    "a.oga": ("flac", "ogg"),
    "a.mka": ("flac", "matroska"),
    "a.webm": ("libopus", "webm"),
    "a.wma": ("wmav2", "asf"),
    "a.wv": ("wavpack", "wv"),
    "a.tta": ("tta", "tta"),
    "a.caf": ("alac", "caf"),
    "a.3gp": ("aac", "3gp"),
    "a.amr": ("amr_nb", "amr"),
    "a.ac3": ("ac3", "ac3"),
}


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("odd")
    mp3, ogg = (write(folder / name, music(1.5)).read_bytes() for name in ("one.mp3", "one.ogg"))
    opus = write(
        folder / "one.opus", music(1.5, rate=48_000), rate=48_000, format="OGG", subtype="OPUS"
    ).read_bytes()
    files = {
        name: write_av(folder / name, 1.5, codec=codec, form=form).read_bytes()
        for name, (codec, form) in BY_PYAV.items()
    }
    rf64 = write(folder / "a.wav", music(1.5), format="RF64").read_bytes()
    return files | {
        "joined.mp3": id3v2((b"TIT2", b"\0One")) + mp3 + id3v2((b"TIT2", b"\0Two"), padding=2_000) + mp3,
        "far.mp3": id3v2((b"TIT2", b"\0Far")) + bytes(70_000) + mp3,
        "chain.ogg": ogg + opus + files["a.oga"],
        "bw64.wav": b"BW64" + rf64[4:],
    }


def damage(whole: bytes, data: st.DataObject) -> bytes:
    """Overwrite, take out or double a piece of a file, several times."""
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole)) | st.integers(0, 300))
        piece = data.draw(st.binary(max_size=40) | st.sampled_from([b"\xff" * 8, bytes(8), whole[:50]]))
        skipped = data.draw(st.sampled_from([0, len(piece), 1, 1_000, 20_000]))
        whole = whole[:start] + piece + whole[start + skipped :]
    return whole


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_never_crashes(data: st.DataObject, odd_files: dict[str, bytes], tmp_path: Path) -> None:
    name = data.draw(st.sampled_from(sorted(odd_files)))
    path = tmp_path / name
    path.write_bytes(damage(odd_files[name], data))
    assert isinstance(analyse(path), Analysis | AnalysisFailure)
