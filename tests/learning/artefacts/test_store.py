import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learning.artefacts.opened import RECIPE, draft, open_artefacts
from soundalike.domain.errors import ArtefactReplacedError, ModelError, NoArtefactError
from soundalike.domain.similarity.recipe import Recipe


def test_what_is_published_is_current(folder: Path) -> None:
    published = replace(draft(), facts={"engine": "local"})
    version = open_artefacts(folder).publish(published)
    read = open_artefacts(folder).current()
    assert read.version == version == "000001"
    assert read.track_ids == published.track_ids
    assert (read.schemas, read.recipe) == (published.schemas, published.recipe)
    assert read.facts == {"engine": "local", "created": "2026-01-02T03:04:05.678+00:00"}
    np.testing.assert_array_equal(read.coordinates, published.coordinates)
    np.testing.assert_array_equal(read.neighbours.rows, published.neighbours.rows)
    np.testing.assert_array_equal(read.neighbours.distances, published.neighbours.distances)
    np.testing.assert_array_equal(read.space.maps[0].weights, published.space.maps[0].weights)


def test_the_change_of_the_library_that_an_artefact_knows_is_kept(folder: Path) -> None:
    open_artefacts(folder).publish(replace(draft(), library_change="12 t1"))
    assert open_artefacts(folder).current().library_change == "12 t1"


def test_arrays_are_mapped_and_read_only(folder: Path) -> None:
    open_artefacts(folder).publish(draft())
    read = open_artefacts(folder).current()
    assert isinstance(read.coordinates, np.memmap)
    assert isinstance(read.neighbours.rows, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        read.coordinates[0] = 1


def test_a_reader_picks_up_a_new_version(folder: Path) -> None:
    reader = open_artefacts(folder)
    open_artefacts(folder).publish(draft())
    first = reader.current()
    assert reader.current() is first
    open_artefacts(folder).publish(draft(x=[1.0], y=[2.0]))
    assert reader.current().track_ids == ("x", "y")


def test_the_last_three_are_kept_and_no_number_comes_twice(folder: Path) -> None:
    artefacts = open_artefacts(folder)
    assert [artefacts.publish(draft()) for _ in range(5)] == [f"00000{number}" for number in range(1, 6)]
    assert {entry.name for entry in folder.iterdir()} == {RECIPE.key, "current", "lock"}
    versions = ["000003", "000004", "000005"]
    assert sorted(entry.name for entry in (folder / RECIPE.key).iterdir()) == versions
    for version in versions:
        shutil.rmtree(folder / RECIPE.key / version)
    assert artefacts.publish(draft()) == "000006"


def test_of_recipes_that_are_left_few_versions_are_kept(folder: Path) -> None:
    artefacts = open_artefacts(folder)
    recipes = [Recipe((replace(RECIPE.ingredients[0], weight=float(weight)),)) for weight in range(1, 6)]
    for recipe in recipes:
        for _ in range(4):
            artefacts.publish(replace(draft(), recipe=recipe))
    versions = {recipe: [entry.name for entry in (folder / recipe.key).iterdir()] for recipe in recipes[2:]}
    assert [sorted(versions[recipe]) for recipe in recipes[2:]] == [
        ["000012"],
        ["000016"],
        ["000018", "000019", "000020"],
    ]
    left = {recipe.key for recipe in recipes[2:]}
    assert {entry.name for entry in folder.iterdir()} == {*left, "current", "lock"}
    artefacts.publish(replace(draft(), recipe=recipes[2]))
    kept = {"000012", "000016", "000020", "000021"}
    assert {entry.parent.name for entry in folder.glob("*/*/manifest.json")} == kept


def test_a_version_made_from_one_that_is_replaced_by_now_is_refused(folder: Path) -> None:
    ours, others = open_artefacts(folder), open_artefacts(folder)
    ours.publish(draft())
    first = ours.current().version
    assert others.publish(draft(x=[1.0]), replacing=first) == "000002"
    with pytest.raises(ArtefactReplacedError, match=first):
        ours.publish(draft(y=[1.0]), replacing=first)
    assert ours.current().track_ids == ("x",)
    assert sorted(entry.name for entry in (folder / RECIPE.key).iterdir()) == [first, "000002"]


def test_a_damaged_version_is_no_reason_to_refuse_what_replaces_the_one_in_use(folder: Path) -> None:
    artefacts = open_artefacts(folder)
    first = artefacts.publish(draft())
    artefacts.publish(draft(x=[1.0]))
    (folder / RECIPE.key / "000002" / "manifest.json").write_text("{")
    assert artefacts.current().version == first
    assert artefacts.publish(draft(y=[1.0]), replacing=first) == "000003"


def test_a_version_that_is_removed_while_in_use_still_works(folder: Path) -> None:
    reader = open_artefacts(folder)
    open_artefacts(folder).publish(draft())
    read = reader.current()
    for _ in range(4):
        open_artefacts(folder).publish(draft())
    assert not (folder / RECIPE.key / "000001").exists()
    assert read.neighbours.rows[0].tolist() == [1, 2]


def test_nothing_built_says_what_to_run(folder: Path) -> None:
    with pytest.raises(NoArtefactError, match="soundalike build"):
        open_artefacts(folder).current()
    folder.mkdir()
    with pytest.raises(NoArtefactError, match="soundalike build"):
        open_artefacts(folder).current()


def test_a_reader_needs_no_right_to_write(folder: Path) -> None:
    open_artefacts(folder).publish(draft())
    before = sorted(folder.rglob("*"))
    for path in (folder, folder / RECIPE.key / "000001"):
        path.chmod(0o555)
    try:
        assert open_artefacts(folder).current().version == "000001"
    finally:
        for path in (folder, folder / RECIPE.key / "000001"):
            path.chmod(0o755)
    assert sorted(folder.rglob("*")) == before


def test_a_draft_that_readers_would_reject_never_becomes_current(folder: Path) -> None:
    artefacts = open_artefacts(folder)
    artefacts.publish(draft())
    bad = replace(draft(), coordinates=np.full((4, 1), np.nan, dtype=np.float32))
    with pytest.raises(ModelError, match="not finite"):
        artefacts.publish(bad)
    assert open_artefacts(folder).current().version == "000001"
    assert not list(folder.glob(".*"))


def test_a_version_is_on_the_disk_before_it_has_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was_named: dict[int, bool] = {}

    def fsync(descriptor: int) -> None:
        was_named.setdefault(os.fstat(descriptor).st_ino, (folder / RECIPE.key / "000001").exists())

    monkeypatch.setattr(os, "fsync", fsync)
    open_artefacts(folder).publish(draft())
    parts = [folder / RECIPE.key / "000001", *(folder / RECIPE.key / "000001").iterdir()]
    assert [was_named.get(part.stat().st_ino) for part in parts] == [False] * len(parts)
    assert was_named[folder.stat().st_ino]
    assert was_named[(folder / "current").stat().st_ino]


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="file"):
        open_artefacts(tmp_path / "file" / "artefacts").publish(draft())
