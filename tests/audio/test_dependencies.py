"""The versions by which it is known whether a file is to be tried again."""

import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import soundfile

from soundalike.audio import dependencies
from soundalike.audio.dependencies import reader_versions

ROOT = Path(__file__).resolve().parents[2]


def test_the_versions_name_the_reading_and_each_decoder() -> None:
    reader, libsndfile, av = reader_versions().split(", ")
    assert reader == f"reader {dependencies.READER_VERSION}"
    assert libsndfile == f"libsndfile {soundfile.__libsndfile_version__}"
    assert av == f"av {version('av')}"


def test_the_extra_has_its_former_name_too() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    assert extras["aac"] == extras["codecs"]


def test_they_change_with_the_reading_and_when_pyav_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    having = reader_versions()
    monkeypatch.setitem(sys.modules, "av", None)
    without = reader_versions()
    monkeypatch.setattr(dependencies, "READER_VERSION", dependencies.READER_VERSION + 1)
    assert len({having, without, reader_versions()}) == 3
    assert "av" not in without
