"""`soundalike fma` on files in FMA's formats."""

import hashlib
import io
import json
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fma.server import FileServer, serving
from fma_files import FOOD, write_features, write_genres, write_tracks
from journeys.program import write_tune
from soundalike.cli import run
from soundalike.domain.tags import TAGS_VERSION
from soundalike.domain.tracks import Sort
from soundalike.fma import download
from soundalike.store.sqlite.store import SqliteStore


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SOUNDALIKE_WORKERS", "1")
    metadata = tmp_path / "fma_metadata"
    write_genres(metadata, {21: ("Hip-Hop", 0)})
    write_tracks(metadata, {2: FOOD, 1486: FOOD | {"track.title": "Bad clip"}})
    write_features(metadata, {2: 1, 1486: [""] * 518})
    return tmp_path


def taken(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert run([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_import_says_what_it_took_and_changes_nothing_the_second_time(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tune(here / "fma_small" / "000" / "000002.mp3", seed=1)
    first = taken(capsys, "fma", "import", here)
    assert (first["added"], first["featured"], first["missing"]) == (2, 1, ["raw_tracks.csv"])
    assert {one["trouble"]: [row["track"] for row in one["rows"]] for one in first["troubles"]} == {
        "a clip that is known to be bad": [1486], "no features": [1486],
    }  # fmt: skip
    assert "CC BY 4.0" in first["attribution"]
    (audio,) = first["audio"]
    assert (audio["analysed"], audio["added"]) == (1, 0)
    assert first["missing_audio"] == {"fma_small": {"count": 1, "tracks": [1486]}}
    second = taken(capsys, "fma", "import", here / "fma_metadata")
    assert (second["unchanged"], second["refeatured"], second["audio"][0]["unchanged"]) == (2, 0, 1)
    with closing(SqliteStore(here / "data" / "library.sqlite")) as store:
        tracks = store.find_tracks([], sort=Sort(), limit=10).tracks
    assert {track.title: track.has_audio for track in tracks} == {"Bad clip": False, "Food": True}


def test_an_import_names_bad_rows_and_the_authors(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fma", "import", str(here), "--no-audio"]) == 0
    shown = capsys.readouterr()
    assert "no features: features.csv, line 6 (track 1486)" in shown.err
    assert "Not there: raw_tracks.csv." in shown.err
    assert "CC BY 4.0" in shown.err


def test_tracks_without_audio_have_similar_ones_of_their_own_set(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = range(10, 40)
    write_tracks(here / "fma_metadata", {n: FOOD | {"track.title": f"Song {n}"} for n in numbers})
    write_features(here / "fma_metadata", {n: n for n in numbers})
    assert run(["fma", "import", str(here), "--json"]) == 0
    capsys.readouterr()
    tuned = taken(capsys, "tune")
    assert (tuned["space"]["tracks"], "imported" in tuned) == (30, False)
    built = taken(capsys, "build", "--engine", "local")
    assert (built["tracks"], built["recipe"]["ingredients"][0]["feature_set"]) == (30, "fma")
    write_tracks(here / "fma_metadata", {n: FOOD | {"track.title": f"Song {n}"} for n in (*numbers, 99)})
    write_features(here / "fma_metadata", {n: n for n in (*numbers, 99)})
    taken(capsys, "fma", "import", here / "fma_metadata")
    (near,) = taken(capsys, "pairs", "--limit", "1")["pairs"]
    assert not near["first"]["has_audio"]
    assert len(taken(capsys, "similar", "Song 12", "--limit", "100")["neighbours"]) == 30, "99 was added"
    exported = taken(capsys, "export", "--set", "fma", here / "out.parquet")
    assert (exported["tracks"], exported["feature_sets"]) == (31, ["fma-v1"])
    found = taken(capsys, "similar", "Song 12", "--limit", "5")
    assert len(found["neighbours"]) == 5
    assert not any(one["track"]["has_audio"] for one in found["neighbours"])
    checks = {one["detail"][:12] for one in taken(capsys, "doctor")["checks"] if one["status"] == "ok"}
    assert {"fma-v1: 31 t", "fma-v1, impo"} <= checks

    data = here / "data"
    assert [bool(list(data.glob(each))) for each in ("tuning-*", "artefacts/imported/*")] == [True, True]
    taken(capsys, "fma", "remove", "--yes")
    assert [list(data.glob(each)) for each in ("tuning-*", "artefacts/imported")] == [[], []]


def test_audio_and_imported_features_are_learned_side_by_side(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        write_tune(here / "music" / f"tune{number}.wav", seed=number)
    numbers = range(10, 14)
    write_tracks(here / "fma_metadata", {n: FOOD | {"track.title": f"Song {n}"} for n in numbers})
    write_features(here / "fma_metadata", {n: n for n in numbers})
    taken(capsys, "fma", "import", here / "fma_metadata")
    taken(capsys, "extract", here / "music")
    built = taken(capsys, "build", "--engine", "local")
    assert (built["tracks"], [one["tracks"] for one in built["imported"]]) == (3, [4])
    for title, count in (("tune1", 2), ("Song 11", 3)):
        assert len(taken(capsys, "similar", title)["neighbours"]) == count


def test_an_archive_is_downloaded_and_unpacked(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(here / "fma_metadata" / "tracks.csv", "fma_metadata/tracks.csv")
    content = stream.getvalue()
    sha1 = hashlib.sha1(content).hexdigest()  # noqa: S324 - FMA gives no other
    monkeypatch.setitem(download.ARCHIVES, "metadata", download.Archive("fma_metadata", sha1, 1))
    with serving(FileServer(content)) as server:
        done = taken(capsys, "fma", "download", "metadata", "--to", here / "fma", "--mirror", server.url)
        assert run(["fma", "download", "small", "--to", str(here / "fma"), "--mirror", server.url]) == 1
    assert done["directory"] == str(here / "fma" / "fma_metadata")
    assert "fma_small.zip from" in capsys.readouterr().err
    assert taken(capsys, "fma", "import", here / "fma")["added"] == 2


def test_what_was_imported_is_taken_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tune(here / "fma_small" / "000" / "000002.mp3", seed=1)
    taken(capsys, "fma", "import", here)
    assert run(["fma", "remove"]) == 1
    said = capsys.readouterr().err
    assert "To be taken out: 1 track without audio;" in said
    assert "add --yes" in said
    assert taken(capsys, "fma", "remove", "--yes") == {
        "removed": 1, "vanished": 0, "kept": 1, "feature_sets": ["fma-v1"],
    }  # fmt: skip
    with closing(SqliteStore(here / "data" / "library.sqlite")) as store:
        (track,) = store.stored_tracks()
    assert (track.title, track.imported, track.tags.licence) == ("000002", None, None)
    assert track.tags_version == TAGS_VERSION
    assert run(["fma", "remove", "--yes"]) == 0
    assert "Nothing here is from FMA" in capsys.readouterr().err


def test_a_folder_without_fmas_files_makes_no_library(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty").mkdir()
    assert run(["fma", "import", str(here / "empty")]) == 1
    assert "none of FMA's files" in capsys.readouterr().err
    assert not (here / "data").exists()
