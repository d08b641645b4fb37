import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from artefact_store import make_draft
from making import SOME_TIME, make_schema
from soundalike.domain.errors import DamagedArtefactError, ModelError, NoArtefactError
from soundalike.domain.similarity.space import ArtefactDraft, Neighbours
from soundalike.learning.artefacts.store import FolderArtefactStore

LINE = {"a": [0.0], "b": [1.0], "c": [3.0], "d": [7.0]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "artefacts"


def open_artefacts(folder: Path) -> FolderArtefactStore:
    return FolderArtefactStore(folder, schema=make_schema(1), clock=lambda: SOME_TIME)


def draft(**places: list[float]) -> ArtefactDraft:
    return make_draft(places or LINE)


def test_what_is_published_is_current(folder: Path) -> None:
    published = replace(draft(), facts={"engine": "local"})
    version = open_artefacts(folder).publish(published)
    read = open_artefacts(folder).current()
    assert read.version == version == "000001"
    assert read.track_ids == published.track_ids
    assert (read.schema, read.recipe) == (published.schema, published.recipe)
    assert read.facts == {"engine": "local", "created": "2026-01-02T03:04:05.678+00:00"}
    np.testing.assert_array_equal(read.coordinates, published.coordinates)
    np.testing.assert_array_equal(read.neighbours.rows, published.neighbours.rows)
    np.testing.assert_array_equal(read.neighbours.distances, published.neighbours.distances)
    np.testing.assert_array_equal(read.space.weights, published.space.weights)


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
    assert sorted(entry.name for entry in folder.iterdir()) == [
        "000003",
        "000004",
        "000005",
        "current",
        "lock",
    ]
    for version in ("000003", "000004", "000005"):
        shutil.rmtree(folder / version)
    assert artefacts.publish(draft()) == "000006"


def test_a_version_that_is_removed_while_in_use_still_works(folder: Path) -> None:
    reader = open_artefacts(folder)
    open_artefacts(folder).publish(draft())
    read = reader.current()
    for _ in range(4):
        open_artefacts(folder).publish(draft())
    assert not (folder / "000001").exists()
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
    for path in (folder, folder / "000001"):
        path.chmod(0o555)
    try:
        assert open_artefacts(folder).current().version == "000001"
    finally:
        for path in (folder, folder / "000001"):
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
        was_named.setdefault(os.fstat(descriptor).st_ino, (folder / "000001").exists())

    monkeypatch.setattr(os, "fsync", fsync)
    open_artefacts(folder).publish(draft())
    parts = [folder / "000001", *(folder / "000001").iterdir()]
    assert [was_named.get(part.stat().st_ino) for part in parts] == [False] * len(parts)
    assert was_named[folder.stat().st_ino]
    assert was_named[(folder / "current").stat().st_ino]


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="file"):
        open_artefacts(tmp_path / "file" / "artefacts").publish(draft())


# Damage


def edit_manifest(version: Path, **changes: object) -> None:
    path = version / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


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
    (version / "mean.npy").unlink()
    os.mkfifo(version / "mean.npy")


def link_out(version: Path) -> None:
    shutil.move(version / "mean.npy", version.parent / "elsewhere.npy")
    (version / "mean.npy").symlink_to(version.parent / "elsewhere.npy")


def put_zip(version: Path) -> None:
    np.savez(version / "x.npz", 1)
    shutil.move(version / "x.npz", version / "mean.npy")
    vouch(version, "mean.npy")


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
    "other format": lambda v: edit_manifest(v, format=2),
    "unknown recipe": lambda v: edit_manifest(v, recipe={"scaling": "sideways"}),
    "no facts": lambda v: edit_manifest(v, facts=None),
    "paths for checksums": lambda v: edit_manifest(v, sha256={"../../etc/passwd": "00"}),
    "checksum of a list": lambda v: edit_manifest(v, sha256=[1, 2]),
    "wrong count": lambda v: edit_manifest(v, tracks=5),
    "wrong k": lambda v: edit_manifest(v, neighbours_per_track=3),
    "k is a word": lambda v: edit_manifest(v, neighbours_per_track="many"),
    "negative clip": lambda v: edit_manifest(v, clip=-1),
    "other features": lambda v: edit_manifest(
        v, feature_set={"name": "x", "version": 1, "features": [], "groups": []}
    ),
    "a feature set of another version": lambda v: edit_manifest(
        v, feature_set=asdict(make_schema(1, version=2))
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
    "objects": lambda v: rewrite(v, "mean", np.array([{}], dtype=object), allow_pickle=True),
    "doubles": lambda v: rewrite(v, "mean", [0.5]),
    "wrong shape": lambda v: rewrite(v, "offset", np.zeros((1, 1), np.float32)),
    "scalar weights": lambda v: rewrite(v, "weights", np.float32(1)),
    "not finite": lambda v: rewrite(v, "coordinates", np.full((4, 1), np.inf, np.float32)),
    "negative scale": lambda v: rewrite(v, "scale", np.full(1, -1, np.float32)),
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
    damage(folder / "000002")
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
    truncate(folder / "000002", "coordinates.npy")
    assert reader.current().version == "000001"


def test_if_no_version_is_intact_the_error_names_one(folder: Path) -> None:
    open_artefacts(folder).publish(draft())
    flip(folder / "000001", "weights.npy")
    artefacts = open_artefacts(folder)
    for _ in range(2):
        with pytest.raises(DamagedArtefactError, match=r"000001.*soundalike build"):
            artefacts.current()


def test_a_repaired_version_is_read_again(folder: Path) -> None:
    writer = open_artefacts(folder)
    writer.publish(draft())
    writer.publish(draft())
    good = (folder / "000002" / "manifest.json").read_bytes()
    (folder / "000002" / "manifest.json").write_text("{}")
    reader = open_artefacts(folder)
    assert reader.current().version == "000001"
    (folder / "000002" / "manifest.json").write_bytes(good)
    (folder / "current").write_text("000002\n")
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
    (folder / "current").write_text("000001\n")
    assert reader.current().version == "000001"


# At once, and killed

PUBLISH = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[2])
from making import SOME_TIME, make_schema
from artefact_store import make_draft
from soundalike.learning.artefacts.store import FolderArtefactStore
artefacts = FolderArtefactStore(Path(sys.argv[1]), schema=make_schema(1), clock=lambda: SOME_TIME)
points = {f"t{n}": [float(n % 251)] for n in range(600)}
draft = make_draft(points, k=20)
print("ready", flush=True)
for _ in range(int(sys.argv[3])):
    print(artefacts.publish(draft), flush=True)
"""


def start_publishing(folder: Path, times: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", PUBLISH, str(folder), tests, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_publishers_at_once_take_turns(folder: Path) -> None:
    processes = [start_publishing(folder, 10) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0].split()[1:] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    versions = sorted(printed[0] + printed[1])
    assert versions == [f"{number:06d}" for number in range(1, 21)]
    assert open_artefacts(folder).current().version == "000020"


def test_ten_kills_leave_an_intact_version_each_time(folder: Path) -> None:
    rng = np.random.default_rng(0)
    reader = open_artefacts(folder)
    reader.publish(draft())
    newest = 1
    for kills in range(1, 11):
        process = start_publishing(folder, 1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(float(rng.uniform(0, 0.08)))
        process.send_signal(signal.SIGKILL)
        told = [int(line) for line in process.stdout.read().split()]
        process.stdout.close()
        process.wait()
        newest = max([newest, *told])
        for artefacts in (reader, open_artefacts(folder)):
            current = int(artefacts.current().version)
            # Each kill may leave a version that nobody was told of.
            assert newest <= current <= newest + kills, "nothing published is lost, none is made up"
        newest = current
    open_artefacts(folder).publish(draft())
    left = {entry.name for entry in folder.iterdir()} - {"current", "lock"}
    assert len(left) == 3, "what the killed left behind is gone"
    assert not [name for name in left if name.startswith(".")]


def test_threads_read_intact_versions_while_others_are_published(folder: Path) -> None:
    writer, reader = open_artefacts(folder), open_artefacts(folder)
    writer.publish(draft())
    wrong: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            artefact = reader.current()
            if len(artefact.track_ids) != len(artefact.neighbours.rows):
                wrong.append(artefact.version)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for size in range(2, 12):
        writer.publish(make_draft({f"t{n}": [float(n)] for n in range(size)}))
    is_over.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert reader.current().version == "000011"


def test_a_library_of_one_track_has_an_artefact(folder: Path) -> None:
    open_artefacts(folder).publish(draft(only=[1.0]))
    neighbours = open_artefacts(folder).current().neighbours
    assert isinstance(neighbours, Neighbours)
    assert neighbours.rows.tolist() == [[-1, -1]]
