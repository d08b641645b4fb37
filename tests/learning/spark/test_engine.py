import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learning.libraries import MIXED, halves_of, make_mixed, make_music, make_table, tiny, write_snapshot
from learning.parity import assert_learns_the_same
from soundalike.domain.errors import EngineError, TooFewTracksError
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.recipe import Rotation, Scaling
from soundalike.domain.similarity.space import LshParameters
from soundalike.domain.snapshot import LibraryTable
from soundalike.learning.spark.java import spark_readiness
from soundalike.services.learning.tuning_lsh import tune_lsh

pytestmark = pytest.mark.spark


def require_spark() -> None:
    is_ready, sentence = spark_readiness()
    if not is_ready:
        pytest.skip(f"Spark cannot start: {sentence}")


@pytest.fixture(scope="module")
def spark() -> Iterator[SimilarityEngine]:
    """One session for all tests here: starting it is what takes long."""
    require_spark()
    from soundalike.learning.spark.engine import SparkEngine  # noqa: PLC0415 - PySpark may be missing

    engine = SparkEngine(master="local[2]")
    yield engine
    engine.close()


def with_duplicates() -> LibraryTable:
    music = make_music(30)
    rows = [*range(30), 3, 3, 3, 17]
    first, second = halves_of(music)
    return make_table(music.summaries[rows], halves=(first[rows], second[rows]))


def with_constants() -> LibraryTable:
    music = make_music(25)
    parts = [part.copy() for part in (music.summaries, *halves_of(music))]
    for part in parts:
        part[:, 1] = 0.1
        part[:, 4] = -7e5
    return make_table(parts[0], halves=(parts[1], parts[2]))


LIBRARIES = {
    "300 tracks": make_music(300, width=44),
    "duplicates": with_duplicates(),
    "constant features": with_constants(),
    "all the same": make_table(np.full((6, 3), 0.3)),
    "fewer than k": make_music(4),
    "one track": make_music(1),
}
RECIPES = (
    tiny(scaling=Scaling.MIN_MAX),
    tiny(),
    tiny(clip=1.5, rotation=Rotation.WHITEN, strength=1.0),
    tiny(scaling=Scaling.STANDARD, clip=3.0, rotation=Rotation.WITHIN, strength=0.5, is_unit_length=True),
)


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES.keys())
def test_both_engines_learn_the_same(spark: SimilarityEngine, library: LibraryTable, tmp_path: Path) -> None:
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    for recipe in RECIPES:
        assert_learns_the_same(spark, recipe, library, snapshot)


def test_both_learn_the_same_from_several_sets(spark: SimilarityEngine, tmp_path: Path) -> None:
    library = make_mixed(70)
    assert_learns_the_same(spark, MIXED, library, write_snapshot(library, tmp_path / "music.parquet"))


def test_constant_features_map_to_0_in_both(spark: SimilarityEngine, tmp_path: Path) -> None:
    library = with_constants()
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    for recipe in RECIPES[:2]:
        placed = spark.fit(recipe, snapshot).transform(library.summaries)
        assert (placed[:, [1, 4]] == 0).all()


@pytest.mark.parametrize("name", ["a b", "x[1]{2,3}*?", "50%20 é ü", "_hidden", ".dot", "a:b", "back\\slash"])
def test_any_folder_name_can_be_read(spark: SimilarityEngine, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    snapshot = write_snapshot(make_music(5), folder / "music.parquet")
    assert spark.fit(tiny(), snapshot).width == 6


def test_lsh_finds_most_neighbours_and_pads_the_rest(spark: SimilarityEngine, tmp_path: Path) -> None:
    library = make_music(120)
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    space = spark.fit(tiny(), snapshot)
    exact = spark.neighbours(space, snapshot, k=10)
    typical = float(np.median(exact.distances[:, -1]))
    wide = LshParameters(bucket_length=4 * typical, tables=6)
    found = spark.lsh_neighbours(space, snapshot, k=10, parameters=wide)
    assert recall_at_k(found.rows, exact.rows) > 0.9
    narrow = LshParameters(bucket_length=typical / 20, tables=1)
    few = spark.lsh_neighbours(space, snapshot, k=10, parameters=narrow)
    assert (few.rows == -1).any()
    np.testing.assert_array_equal(np.isinf(few.distances), few.rows == -1)
    assert (few.distances[:, 1:] >= few.distances[:, :-1]).all()
    for neighbours in (found, few):
        row, column = np.nonzero(neighbours.rows >= 0)
        coordinates = space.transform(library.summaries).astype(np.float64)
        apart = np.linalg.norm(coordinates[neighbours.rows[row, column]] - coordinates[row], axis=1)
        np.testing.assert_allclose(neighbours.distances[row, column], apart, rtol=1e-5)
        assert (neighbours.rows != np.arange(120)[:, None]).all()


def test_lsh_of_one_track_finds_no_neighbour(spark: SimilarityEngine, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(1), tmp_path / "music.parquet")
    space = spark.fit(tiny(), snapshot)
    parameters = LshParameters(bucket_length=1.0, tables=2)
    assert spark.lsh_neighbours(space, snapshot, k=2, parameters=parameters).rows.tolist() == [[-1, -1]]


def test_tuning_lsh_weighs_recall_against_candidates(spark: SimilarityEngine, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(80), tmp_path / "music.parquet")
    told: list[tuple[int, int]] = []
    tuning = tune_lsh(
        spark,
        tiny(),
        snapshot,
        bucket_lengths=(0.25, 4.0),
        tables=(1, 3),
        progress=lambda done, total: told.append((done, total)),
    )
    assert tuning.track_count == 80
    assert len(tuning.trials) == 4
    assert told[-1] == (4, 4)
    narrow, narrow_more, wide, wide_more = tuning.trials
    assert narrow.candidates < narrow_more.candidates
    assert wide.candidates < wide_more.candidates <= 79
    assert narrow.recall < wide_more.recall <= 1
    assert all(trial.seconds > 0 for trial in tuning.trials)
    assert tuning.chosen in [trial.parameters for trial in tuning.trials]


def test_an_empty_snapshot_is_refused(spark: SimilarityEngine, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(0), tmp_path / "music.parquet")
    with pytest.raises(TooFewTracksError, match="soundalike extract"):
        spark.fit(tiny(), snapshot)


def test_a_missing_snapshot_is_one_line(spark: SimilarityEngine, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(3), tmp_path / "music.parquet")
    missing = replace(snapshot, url=str(tmp_path / "nowhere.parquet"))
    with pytest.raises(EngineError, match="Spark could not fit") as caught:
        spark.fit(tiny(), missing)
    assert "\n" not in str(caught.value)


LEARN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from learning.libraries import make_music, tiny, write_snapshot
from soundalike.learning.spark.engine import SparkEngine
if __name__ == "__main__":
    snapshot = write_snapshot(make_music(40), Path(sys.argv[2]))
    engine = SparkEngine()
    space = engine.fit(tiny(), snapshot)
    print("fitted", flush=True)
    try:
        if sys.argv[3] == "stay":
            engine.neighbours(space, snapshot, k=5)
            print("found", flush=True)
        while sys.argv[3] == "stay":
            engine.neighbours(space, snapshot, k=5)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    finally:
        engine.close()
"""


def start_learning(folder: Path, how: str) -> subprocess.Popen[str]:
    tests = str(Path(__file__).resolve().parents[2])
    temporary = folder / "temporary"
    temporary.mkdir()
    (folder / "cwd").mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", LEARN, tests, str(folder / "music.parquet"), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder / "cwd",
        env={**os.environ, "TMPDIR": str(temporary)},
        text=True,
    )


def processes_naming(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if text.encode() in command and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def test_a_run_is_quiet_and_leaves_nothing_behind(tmp_path: Path) -> None:
    require_spark()
    process = start_learning(tmp_path, "go")
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output, errors) == (0, "fitted\n", "")
    assert list((tmp_path / "cwd").iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    assert processes_naming(str(tmp_path)) == []


def test_an_interrupt_comes_through_as_one(tmp_path: Path) -> None:
    require_spark()
    process = start_learning(tmp_path, "stay")
    assert process.stdout is not None
    assert process.stdout.readline() == "fitted\n"
    assert process.stdout.readline() == "found\n"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "interrupted\n", "")
    assert list((tmp_path / "temporary").iterdir()) == []
    assert processes_naming(str(tmp_path)) == []


def test_no_jvm_outlives_a_kill(tmp_path: Path) -> None:
    require_spark()
    process = start_learning(tmp_path, "stay")
    assert process.stdout is not None
    assert process.stdout.readline() == "fitted\n"
    jvm = [pid for pid in processes_naming(str(tmp_path / "temporary")) if pid != process.pid]
    assert jvm, "the JVM names its folder"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    deadline = time.monotonic() + 20
    while processes_naming(str(tmp_path / "temporary")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_naming(str(tmp_path / "temporary")) == []
