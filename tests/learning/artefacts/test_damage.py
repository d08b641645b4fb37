"""Damaged versions are named and not used."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from learning.artefacts.opened import RECIPE, draft, open_artefacts
from making import make_schema
from soundalike.domain.errors import DamagedArtefactError

GROUPS = [{"feature_set": "tiny", "group": "even", "start": 0, "stop": 1}]

# Damage


def edit_manifest(version: Path, **changes: object) -> None:
    path = version / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_maps(version: Path, **changes: object) -> None:
    (only,) = json.loads((version / "manifest.json").read_text())["maps"]
    edit_manifest(version, maps=[only | changes])


def rewrite(version: Path, name: str, array: object, *, allow_pickle: bool = False) -> None:
    """Replace an array and have the manifest vouch for it."""
    np.save(version / f"{name}.npy", np.asarray(array), allow_pickle=allow_pickle)
    vouch(version, f"{name}.npy")


def vouch(version: Path, file: str) -> None:
    sums = json.loads((version / "manifest.json").read_text())["sha256"]
    edit_manifest(version, sha256=sums | {file: hashlib.sha256((version / file).read_bytes()).hexdigest()})


def truncate(version: Path, name: str) -> None:
    content = (version / name).read_bytes()
    (version / name).write_bytes(content[: len(content) // 2])


def flip(version: Path, name: str) -> None:
    content = bytearray((version / name).read_bytes())
    content[-1] ^= 1
    (version / name).write_bytes(content)


def truncate_and_vouch(version: Path, name: str) -> None:
    truncate(version, name)
    vouch(version, name)


def write_ids(version: Path, ids: object) -> None:
    (version / "track_ids.json").write_text(json.dumps(ids))
    vouch(version, "track_ids.json")


def claim_hugely(version: Path) -> None:
    """An array of 4 numbers whose header speaks of 10 to the 12."""
    path = version / "coordinates.npy"
    path.write_bytes(path.read_bytes().replace(b"(4, 1), }", b"(1000000000000, 1), }"))
    vouch(version, "coordinates.npy")


def put_fifo(version: Path) -> None:
    (version / "mean_0.npy").unlink()
    os.mkfifo(version / "mean_0.npy")


def link_out(version: Path) -> None:
    shutil.move(version / "mean_0.npy", version.parent / "elsewhere.npy")
    (version / "mean_0.npy").symlink_to(version.parent / "elsewhere.npy")


def put_zip(version: Path) -> None:
    np.savez(version / "x.npz", 1)
    shutil.move(version / "x.npz", version / "mean_0.npy")
    vouch(version, "mean_0.npy")


def put_file(version: Path) -> None:
    shutil.rmtree(version)
    version.write_text("hello")


def empty(version: Path) -> None:
    shutil.rmtree(version)
    version.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda v: (v / "manifest.json").unlink(),
    "empty manifest": lambda v: (v / "manifest.json").write_text(""),
    "manifest is a list": lambda v: (v / "manifest.json").write_text("[]"),
    "manifest is deep": lambda v: (v / "manifest.json").write_text("[" * 100_000),
    "manifest is huge": lambda v: (v / "manifest.json").write_text(" " * (5 << 20)),
    "manifest is no text": lambda v: (v / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "other format": lambda v: edit_manifest(v, format=3),
    "unknown recipe": lambda v: edit_manifest(v, recipe={"scaling": "sideways"}),
    "no facts": lambda v: edit_manifest(v, facts=None),
    "paths for checksums": lambda v: edit_manifest(v, sha256={"../../etc/passwd": "00"}),
    "checksum of a list": lambda v: edit_manifest(v, sha256=[1, 2]),
    "wrong count": lambda v: edit_manifest(v, tracks=5),
    "wrong k": lambda v: edit_manifest(v, neighbours_per_track=3),
    "k is a word": lambda v: edit_manifest(v, neighbours_per_track="many"),
    "negative clip": lambda v: edit_maps(v, clip=-1),
    "no weight": lambda v: edit_maps(v, factor=0),
    "no maps": lambda v: edit_manifest(v, maps=[]),
    "no recipe": lambda v: edit_manifest(v, recipe={"ingredients": []}),
    "groups that overlap": lambda v: edit_manifest(v, groups=[*GROUPS, *GROUPS]),
    "groups out of reach": lambda v: edit_manifest(v, groups=[{**GROUPS[0], "stop": 7}]),
    "other features": lambda v: edit_manifest(
        v, feature_sets=[{"name": "x", "version": 1, "features": [], "groups": []}]
    ),
    "a feature set of another version": lambda v: edit_manifest(
        v, feature_sets=[asdict(make_schema(1, version=2))]
    ),
    "no ids": lambda v: (v / "track_ids.json").unlink(),
    "double ids": lambda v: write_ids(v, ["a", "a", "b", "c"]),
    "ids are numbers": lambda v: write_ids(v, [1, 2, 3, 4]),
    "ids are one word": lambda v: write_ids(v, "abcd"),
    "too few ids": lambda v: write_ids(v, ["a"]),
    "missing array": lambda v: (v / "neighbours.npy").unlink(),
    "flipped bit": lambda v: flip(v, "coordinates.npy"),
    "truncated": lambda v: truncate(v, "coordinates.npy"),
    "truncated, vouched for": lambda v: truncate_and_vouch(v, "coordinates.npy"),
    "truncated ids": lambda v: truncate_and_vouch(v, "track_ids.json"),
    "huge claim": claim_hugely,
    "objects": lambda v: rewrite(v, "mean_0", np.array([{}], dtype=object), allow_pickle=True),
    "doubles": lambda v: rewrite(v, "mean_0", [0.5]),
    "wrong shape": lambda v: rewrite(v, "offset_0", np.zeros((1, 1), np.float32)),
    "scalar weights": lambda v: rewrite(v, "weights_0", np.float32(1)),
    "not finite": lambda v: rewrite(v, "coordinates", np.full((4, 1), np.inf, np.float32)),
    "negative scale": lambda v: rewrite(v, "scale_0", np.full(1, -1, np.float32)),
    "rows out of range": lambda v: rewrite(v, "neighbours", np.full((4, 2), 4, np.int32)),
    "rows below -1": lambda v: rewrite(v, "neighbours", np.full((4, 2), -2, np.int32)),
    "its own neighbour": lambda v: rewrite(
        v, "neighbours", np.tile(np.arange(4, dtype=np.int32)[:, None], 2)
    ),
    "distances fall": lambda v: rewrite(v, "distances", np.tile(np.array([2, 1], np.float32), (4, 1))),
    "distances NaN": lambda v: rewrite(v, "distances", np.full((4, 2), np.nan, np.float32)),
    "padding without -1": lambda v: rewrite(v, "distances", np.full((4, 2), np.inf, np.float32)),
    "a zip": put_zip,
    "a FIFO": put_fifo,
    "a link": link_out,
    "a file for a folder": put_file,
    "an empty folder": empty,
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_version_is_named_and_the_previous_one_stays(
    folder: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    writer, reader = open_artefacts(folder), open_artefacts(folder)
    writer.publish(draft())
    before = reader.current()
    writer.publish(draft(x=[1.0], y=[2.0], z=[4.0], q=[8.0]))
    damage(folder / RECIPE.key / "000002")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert reader.current() is before
        fresh = open_artefacts(folder)
        for _ in range(3):
            assert fresh.current().version == "000001"
    refusals = [message for message in caplog.messages if "000002" in message]
    assert len(refusals) == 2, "each reader says it once"
    assert writer.publish(draft(w=[1.0])) == "000003"
    assert reader.current().version == fresh.current().version == "000003"


def test_damage_to_the_version_in_use_is_noticed(folder: Path) -> None:
    writer, reader = open_artefacts(folder), open_artefacts(folder)
    writer.publish(draft())
    writer.publish(draft(x=[1.0], y=[2.0]))
    assert reader.current().version == "000002"
    truncate(folder / RECIPE.key / "000002", "coordinates.npy")
    assert reader.current().version == "000001"


def test_if_no_version_is_intact_the_error_names_one(folder: Path) -> None:
    open_artefacts(folder).publish(draft())
    flip(folder / RECIPE.key / "000001", "weights_0.npy")
    artefacts = open_artefacts(folder)
    for _ in range(2):
        with pytest.raises(DamagedArtefactError, match=r"000001.*soundalike build"):
            artefacts.current()


def test_a_repaired_version_is_read_again(folder: Path) -> None:
    writer = open_artefacts(folder)
    writer.publish(draft())
    writer.publish(draft())
    good = (folder / RECIPE.key / "000002" / "manifest.json").read_bytes()
    (folder / RECIPE.key / "000002" / "manifest.json").write_text("{}")
    reader = open_artefacts(folder)
    assert reader.current().version == "000001"
    (folder / RECIPE.key / "000002" / "manifest.json").write_bytes(good)
    (folder / "current").write_text(f"{RECIPE.key}/000002\n")
    assert reader.current().version == "000002"


@pytest.mark.parametrize("content", [b"", b"../../etc", b"\xff\xff", b"000009\n", b"1\n" * 1000])
def test_a_broken_pointer_leaves_the_newest_intact_version(folder: Path, content: bytes) -> None:
    writer = open_artefacts(folder)
    writer.publish(draft())
    writer.publish(draft())
    (folder / "current").write_bytes(content)
    assert open_artefacts(folder).current().version == "000002"
    (folder / "current").unlink()
    assert open_artefacts(folder).current().version == "000002"


def test_a_pointer_to_an_older_version_is_followed(folder: Path) -> None:
    writer, reader = open_artefacts(folder), open_artefacts(folder)
    writer.publish(draft())
    writer.publish(draft())
    assert reader.current().version == "000002"
    (folder / "current").write_text(f"{RECIPE.key}/000001\n")
    assert reader.current().version == "000001"
