"""A feature set is one module (`audio.grains`) and one line (`added`): all else works with it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from audio.grains import BANDS, PARTS, Grains
from audio.sounds import analyse
from journeys.program import write_tune
from servers.mongodb import drop_database, new_database
from soundalike import cli
from soundalike.app import open_app
from soundalike.audio.features import sets
from soundalike.domain.features import FeatureVectors, PatchRole
from soundalike.domain.files import Analysis
from soundalike.domain.similarity.recipe import Ingredient, Recipe
from soundalike.domain.types import FloatArray
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.settings import Settings

GRAINS = Grains().schema
TRACKS = 3

Run = Callable[..., Any]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number in range(TRACKS):
        write_tune(tmp_path / "music" / f"tune {number}.flac", seed=number)
    return tmp_path / "music"


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    data = tmp_path / "data"
    if request.param == "sqlite":
        yield Settings(data=data, artefacts=data / "artefacts")
        return
    url = new_database(request.getfixturevalue("mongodb"))
    try:
        yield Settings(data=data, artefacts=data / "artefacts", store=url)
    finally:
        drop_database(url)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))  # workers find the module
    for name, value in (("DATA", settings.data), ("STORE", settings.store)):
        if value is not None:
            monkeypatch.setenv(f"SOUNDALIKE_{name}", str(value))

    def run(*arguments: object, fails: bool = False, as_json: bool = True) -> Any:
        status = cli.run([*map(str, arguments), *(["--json"] if as_json else [])])
        said = capsys.readouterr()
        assert (status != 0) == fails, said.err
        if fails:
            return said.err
        return json.loads(said.out) if as_json else said.out + said.err

    return run


@pytest.fixture
def added(run: Run, music: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Analyse a library, add the set, and analyse again; return the second report."""
    assert run("extract", music)["added"] == TRACKS
    monkeypatch.setattr(sets, "EXTRACTORS", (*sets.EXTRACTORS, Grains()))
    return run("extract", music)


def grains_of(settings: Settings) -> dict[str, FeatureVectors]:
    with open_app(settings) as app:
        found = {one.track_id: one.vectors for one in app.store.track_vectors(GRAINS)}
        tracks = app.store.tracks(list(found))
    return {tracks[track_id].title: vectors for track_id, vectors in found.items()}


def feature_checks(run: Run) -> list[str]:
    return [check["detail"] for check in run("doctor")["checks"] if check["name"] == "features"]


def test_it_is_computed_for_what_lacks_it_and_stored(
    added: Any, settings: Settings, music: Path, run: Run
) -> None:
    assert (added["analysed"], added["added"], added["unchanged"]) == (TRACKS, 0, TRACKS)
    stored = grains_of(settings)
    for number in range(TRACKS):
        heard = analyse(music / f"tune {number}.flac", extractors=[Grains()])
        assert isinstance(heard, Analysis)
        found = stored[f"tune {number}"]
        assert found.values.shape == (PARTS, BANDS)
        assert found.values.dtype == np.float16
        assert found.values.tobytes() == heard.vectors[0].values.tobytes()
        assert found.patches == heard.vectors[0].patches
        assert {patch.role for patch in found.patches} == {PatchRole.PART}
    assert run("extract", music)["analysed"] == 0
    assert feature_checks(run) == [
        f"grains-v1: {TRACKS} tracks, 0.0 MB",
        f"timbre-v1: {TRACKS} tracks, 0.0 MB",
    ]


def test_it_is_exported(added: Any, settings: Settings, run: Run, tmp_path: Path) -> None:
    del added
    file = tmp_path / "out.parquet"
    assert run("export", file, "--set", "timbre", "--set", "grains")["tracks"] == TRACKS
    table = pyarrow.parquet.read_table(file)
    by_title = dict(zip(table["title"].to_pylist(), table.to_pylist(), strict=True))
    for title, vectors in grains_of(settings).items():
        row = by_title[title]
        assert row["features"][-BANDS:] == vectors.summary.tolist()
        assert row["parts"][1] == vectors.parts.ravel().tolist()


def test_it_is_copied(added: Any, settings: Settings, run: Run, tmp_path: Path) -> None:
    del added
    copied = run("store", "copy", "-", tmp_path / "copy.sqlite")
    kinds = {kind["kind"]: kind for kind in copied["kinds"]}
    assert kinds["vectors"]["written"] == 2 * TRACKS
    target = Settings(data=tmp_path, artefacts=tmp_path / "artefacts")
    (tmp_path / "copy.sqlite").rename(target.database)
    there, here = grains_of(target), grains_of(settings)
    assert there.keys() == here.keys()
    for title, vectors in here.items():
        assert there[title].values.tobytes() == vectors.values.tobytes()
        assert there[title].patches == vectors.patches


def test_it_is_weighted_in_a_recipe(added: Any, settings: Settings) -> None:
    del added
    timbre, grains = Ingredient(feature_set="timbre"), Ingredient(feature_set="grains")
    with open_app(settings) as app:

        def coordinates(*ingredients: Ingredient) -> FloatArray:
            app.trainer.build(
                LocalEngine(ParquetSnapshots()), recipe=Recipe(ingredients), progress=no_progress
            )
            artefact = app.artefacts.current()
            assert len(artefact.track_ids) == TRACKS
            return artefact.coordinates

        mixed = coordinates(timbre, replace(grains, weight=0.25))
        alone = [coordinates(timbre), 0.25 * coordinates(grains)]
    np.testing.assert_allclose(mixed, np.hstack(alone), rtol=1e-6)


def no_progress(_done: int, _total: int) -> None: ...


def test_it_is_forgotten(added: Any, settings: Settings, music: Path, run: Run) -> None:
    del added
    said = run("extract", "--forget-set", "grain", fails=True)
    assert "no track has a feature set 'grain'; there is grains-v1 (3 tracks), timbre-v1 (3 tracks)" in said
    assert run("extract", "--forget-set", "grains") == {
        "forgotten": [{"feature_set": "grains-v1", "tracks": TRACKS}]
    }
    assert grains_of(settings) == {}
    assert feature_checks(run) == ["grains-v1: no track has it", f"timbre-v1: {TRACKS} tracks, 0.0 MB"]
    assert run("extract", music)["analysed"] == TRACKS
    assert len(grains_of(settings)) == TRACKS


def test_a_set_that_the_program_no_longer_computes_is_shown_with_the_way_to_remove_it(
    added: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    del added
    monkeypatch.setattr(sets, "EXTRACTORS", sets.EXTRACTORS[:-1])
    found = {check["detail"]: check for check in run("doctor")["checks"] if check["name"] == "features"}
    unused = found[f"grains-v1: {TRACKS} tracks, 0.0 MB"]
    assert unused["status"] == "absent"
    assert "'soundalike extract --forget-set grains-v1' removes it" in unused["remedy"]
    said = run("extract", "--forget-set", "grains-v1", as_json=False)
    assert said.split() == f"grains-v1 is removed: {TRACKS} tracks had it.".split()


def test_forgetting_the_set_in_use_says_what_follows(run: Run, music: Path) -> None:
    run("extract", music)
    run("build", "--engine", "local")
    said = " ".join(run("extract", "--forget-set", "timbre", as_json=False).split())
    assert f"timbre-v1 is removed: {TRACKS} tracks had it." in said
    assert "Recommendations go on with what was learned from it" in said
    assert "'soundalike up DIR' computes timbre-v1 again" in said
    assert run("pairs", "--limit", "1")["pairs"]
    checks = {check["name"]: check for check in run("doctor")["checks"]}
    assert (checks["features"]["detail"], checks["features"]["status"]) == (
        "timbre-v1: no track has it", "absent",
    )  # fmt: skip
    assert (checks["artefact"]["status"], checks["artefact"]["remedy"]) == ("ok", "")
    assert "no track has features to learn from" in run("build", "--engine", "local", fails=True)
    assert run("extract", music)["analysed"] == TRACKS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'DIR'"),
        (["music", "--forget-set", "timbre"], "Give DIR or --forget-set, not both"),
    ],
)
def test_extract_wants_a_folder_or_a_set_to_forget(run: Run, arguments: list[str], said: str) -> None:
    assert said in run("extract", *arguments, fails=True)
