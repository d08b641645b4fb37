"""Training on a Spark cluster; most tests share its session, as engines in one notebook would."""

import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bson.binary import Binary
from pyspark.sql import DataFrame

from conftest import skip_where
from learning.libraries import MIXED, halves_of, make_mixed, make_music, make_table, tiny, write_snapshot
from learning.parity import assert_learns_the_same
from learning.spark.clusters import FAST_EXECUTORS, features_of, kept_in_mongodb
from servers.spark import SparkCluster, connector_jars, missing_connector
from soundalike.domain.errors import EngineError
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.recipe import Rotation
from soundalike.domain.snapshot import LibraryTable
from soundalike.learning.spark.engine import SparkEngine
from soundalike.learning.spark.executors import check_executors
from soundalike.learning.spark.mongo import MongoSource
from soundalike.learning.spark.rows import Rows, open_rows
from soundalike.learning.spark.session import QuietSession
from soundalike.learning.spark.tasks import package_file
from soundalike.services.learning.tuning_lsh import tune_lsh

pytestmark = [pytest.mark.spark, pytest.mark.mongodb]

RECIPE = tiny(clip=3.0, rotation=Rotation.WITHIN, strength=0.5, is_unit_length=True)
LIBRARIES = {
    "300 tracks": make_music(300, width=44),
    "duplicates": make_table(make_music(30).summaries[[*range(30), 3, 3, 3, 17]]),
    "one track": make_music(1),
    "two sets": make_mixed(60),
}
ODD_TEXT = 'a\\b "c d" é \U0001f3b5 #!=: $x'


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the libraries of ours but without this package, as executors have it."""
    libraries = Path(str(np.__file__)).parent.parent
    program = tmp_path_factory.mktemp("bare") / "python"
    # Without site, the link from the libraries to this checkout is not followed.
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{libraries}" exec "{sys.executable}" -S "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Spark logs what its web page shows."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def cluster(
    spark_cluster: SparkCluster, bare_python: Path, events: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkEngine]:
    """The engine whose session all tests here share; the driver sends it the vectors."""
    skip_where(missing_connector())
    engine = SparkEngine(
        master=spark_cluster.url,
        properties=FAST_EXECUTORS
        | {
            "spark.jars": connector_jars(),
            "spark.pyspark.python": str(bare_python),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.dir": events.as_uri(),
            "spark.odd.text": ODD_TEXT,
        },
    )
    try:
        engine.fit(RECIPE, write_snapshot(make_music(5), tmp_path_factory.mktemp("first") / "music.parquet"))
        yield engine
    finally:
        engine.close()


@pytest.fixture
def session(cluster: SparkEngine) -> Iterator[QuietSession]:
    """The session of all, as one who finds it there joins it."""
    del cluster
    joined = QuietSession(None, {})
    yield joined
    joined.close()


EngineReading = Callable[[str, LibraryTable], SparkEngine]


@pytest.fixture
def engine_reading(
    cluster: SparkEngine, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[EngineReading]:
    """Make an engine in the session of all, whose executors read a library one way or another."""
    with ExitStack() as stack:

        def make(how: str, library: LibraryTable) -> SparkEngine:
            if how == "sent":
                return cluster
            url, source = None, None
            if how == "folder":
                url = (tmp_path / "shared").as_uri()
            else:
                source = stack.enter_context(kept_in_mongodb(request.getfixturevalue("mongodb"), library))
            return stack.enter_context(closing(SparkEngine(snapshots_url=url, source=source)))

        yield make


@pytest.mark.parametrize("how", ["sent", "folder", "mongodb"])
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_cluster_learns_what_numpy_does(
    engine_reading: EngineReading, tmp_path: Path, name: str, how: str
) -> None:
    library = LIBRARIES[name]
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    recipe = RECIPE if len(library.schemas) == 1 else MIXED
    assert_learns_the_same(engine_reading(how, library), recipe, library, snapshot)


@pytest.mark.parametrize("how", ["sent", "folder", "mongodb"])
def test_executors_share_the_reading(session: QuietSession, mongodb: str, tmp_path: Path, how: str) -> None:
    library = make_music(40)
    snapshot = write_snapshot(library, tmp_path / "music.parquet")

    def count_here(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        count = sum(len(batch) for batch in batches)
        yield pa.RecordBatch.from_pylist([{"folder": str(Path.cwd()), "rows": count}])

    with kept_in_mongodb(mongodb, library) as source:
        rows = open_rows(
            session,
            snapshot,
            snapshots_url=tmp_path.as_uri() if how == "folder" else None,
            source=source if how == "mongodb" else None,
        )
        read = rows.frame.mapInArrow(count_here, "folder string, rows long").toArrow().to_pylist()
        rows.release()
    shares = [share["rows"] for share in read if share["rows"]]
    assert sum(shares) == 40
    assert len(shares) >= 2
    assert len({share["folder"] for share in read}) == 2, "each executor has a folder of its own"


def test_executors_have_the_package_from_the_driver(session: QuietSession, bare_python: Path) -> None:
    alone = subprocess.run([bare_python, "-c", "import numpy, soundalike"], capture_output=True, check=False)
    assert b"No module named 'soundalike'" in alone.stderr
    context = session.spark.sparkContext
    for place in context.parallelize(range(4), 4).map(package_file).collect():
        assert ".zip/soundalike/__init__.py" in place


def test_another_master_than_the_session_s_is_refused(session: QuietSession) -> None:
    with pytest.raises(EngineError, match=r"set the master spark:.*, but --master says local\[2\]"):
        QuietSession("local[2]", {})
    assert session.spark.range(3).count() == 3, "the session goes on"


def test_properties_reach_spark_unchanged(session: QuietSession) -> None:
    assert session.spark.sparkContext.getConf().get("spark.odd.text") == ODD_TEXT


def test_no_path_of_the_driver_is_sent_to_executors(session: QuietSession) -> None:
    settings = dict(session.spark.sparkContext.getConf().getAll())
    assert "spark.local.dir" not in settings


def test_a_snapshot_in_a_shared_folder_is_gone_after_the_run(
    engine_reading: EngineReading, tmp_path: Path
) -> None:
    library = make_music(20)
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    engine = engine_reading("folder", library)
    engine.fit(RECIPE, snapshot)
    assert [path.suffix for path in (tmp_path / "shared").glob("soundalike-snapshot-*")] == [".parquet"]
    engine.close()
    assert list((tmp_path / "shared").iterdir()) == []


def test_a_shared_folder_may_have_any_name(cluster: SparkEngine, tmp_path: Path) -> None:
    del cluster
    odd = tmp_path / "x[1]{2,3}*? _é 50%20"
    odd.mkdir()
    snapshot = write_snapshot(make_music(20), odd / "music.parquet")
    with closing(SparkEngine(snapshots_url=f"file://{odd}")) as engine:
        assert engine.fit(tiny(), snapshot).width == 6


def test_what_killed_runs_left_in_a_shared_folder_goes_after_a_day(
    engine_reading: EngineReading, tmp_path: Path
) -> None:
    library = make_music(20)
    shared = tmp_path / "shared"
    shared.mkdir()
    names = ("soundalike-snapshot-old.parquet", "soundalike-snapshot-new.parquet", "another-old.parquet")
    for name in names:
        (shared / name).touch()
        os.utime(shared / name, (1_700_000_000,) * 2 if "old" in name else None)
    engine = engine_reading("folder", library)
    engine.fit(RECIPE, write_snapshot(library, tmp_path / "music.parquet"))
    engine.close()
    assert {path.name for path in shared.iterdir()} == {*names[1:]}


def test_a_folder_that_executors_do_not_share_is_one_line(session: QuietSession, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(20), tmp_path / "music.parquet")
    rows = open_rows(session, snapshot, snapshots_url=(tmp_path / "shared").as_uri(), source=None)
    for file in (tmp_path / "shared").iterdir():
        file.unlink()
    with pytest.raises(EngineError, match=r"executors do not see the snapshot below file:.*/shared; 'snap"):
        read_all(session, rows)
    rows.release()


def read_all(session: QuietSession, rows: Rows) -> None:
    with session.translated("read"):
        rows.frame.count()


def test_a_file_system_that_spark_lacks_is_one_line(cluster: SparkEngine, tmp_path: Path) -> None:
    del cluster
    snapshot = write_snapshot(make_music(20), tmp_path / "music.parquet")
    with (
        closing(SparkEngine(snapshots_url="s3a://bucket/folder")) as engine,
        pytest.raises(EngineError, match="it has no file system for s3a; name it in"),
    ):
        engine.fit(RECIPE, snapshot)


def test_a_shared_folder_that_cannot_be_written_is_one_line(cluster: SparkEngine, tmp_path: Path) -> None:
    del cluster
    (tmp_path / "file").touch()
    snapshot = write_snapshot(make_music(20), tmp_path / "music.parquet")
    with (
        closing(SparkEngine(snapshots_url=f"file://{tmp_path}/file")) as engine,
        pytest.raises(EngineError, match=r"Spark could not fit the space: .*/file") as caught,
    ):
        engine.fit(RECIPE, snapshot)
    assert "\n" not in str(caught.value)


CHANGES = {
    "other vectors": {"$set": {"vectors": Binary(b"\0" * 72)}},
    "no vectors": {"$unset": {"vectors": 1}},
    "fewer vectors": {"$set": {"roles": ["whole"]}},
    "another set": {"$set": {"set": "other-v1"}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_library_that_changes_meanwhile_is_an_error(
    cluster: SparkEngine, mongodb: str, tmp_path: Path, change: dict[str, Any]
) -> None:
    del cluster
    library = make_music(20)
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    with kept_in_mongodb(mongodb, library) as source, closing(SparkEngine(source=source)) as engine:
        with features_of(source.url) as features:
            features.update_one({"track": "t0007"}, change)
        with pytest.raises(EngineError, match="changed while Spark read") as caught:
            engine.fit(RECIPE, snapshot)
    assert "run 'soundalike build' again" in str(caught.value)


def test_a_track_that_came_meanwhile_is_left_for_the_next_time(
    engine_reading: EngineReading, tmp_path: Path
) -> None:
    later = make_music(25)
    first, second = halves_of(later)
    library = make_table(later.summaries[:20], halves=(first[:20], second[:20]))
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    assert_learns_the_same(engine_reading("mongodb", later), RECIPE, library, snapshot)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mongodb://somebody:hidden-word@{host}/", "MongoDB refused the name or password"),
        ("mongodb://x:hidden-word@127.0.0.1:1/?serverSelectionTimeoutMS=500", "MongoDB did not answer"),
        ("mongodb://x:hidden-word@/nothing", "Spark could not fit the space"),
    ],
)
def test_mongodb_that_does_not_let_executors_in_is_one_line(
    cluster: SparkEngine, mongodb: str, tmp_path: Path, url: str, said: str
) -> None:
    del cluster
    snapshot = write_snapshot(make_music(20), tmp_path / "music.parquet")
    url = url.format(host=mongodb.removeprefix("mongodb://").split("/")[0])
    source = MongoSource(url=url, database="music", collection="track", vectors="vectors.tiny-v1")
    with closing(SparkEngine(source=source)) as engine, pytest.raises(EngineError, match=said) as caught:
        engine.fit(RECIPE, snapshot)
    assert "hidden-word" not in "".join(traceback.format_exception(caught.value))


def test_the_connection_string_is_in_no_log(
    session: QuietSession,
    mongodb: str,
    tmp_path: Path,
    events: Path,
    spark_cluster: SparkCluster,
) -> None:
    library = make_music(20)
    snapshot = write_snapshot(library, tmp_path / "music.parquet")
    with kept_in_mongodb(mongodb, library) as source:
        marked = replace(source, url=f"{source.url.partition('?')[0]}?waitQueueTimeoutMS=424242")
        rows = open_rows(session, snapshot, snapshots_url=None, source=marked)
        plan = explained(rows.frame)
        rows.release()
    assert "MongoScan" in plan
    logs = {path: path.read_text(errors="replace") for path in events.rglob("*") if path.is_file()}
    assert any("MongoScan" in text for text in logs.values()), "the log mentions this read"
    logs |= {Path("plan"): plan, Path("conf"): str(session.spark.sparkContext.getConf().getAll())}
    of_executors = spark_cluster.master.log.parent.rglob("work/**/std???")
    of_drivers = Path(tempfile.gettempdir()).glob("soundalike-spark-*/spark.log")
    logs |= {path: path.read_text(errors="replace") for path in (*of_executors, *of_drivers)}
    assert [path for path, text in logs.items() if "waitQueueTimeoutMS=424242" in text] == []


def explained(frame: DataFrame) -> str:
    with redirect_stdout(StringIO()) as output:
        frame.explain("extended")
    return output.getvalue()


def test_lsh_is_tuned_and_joined_on_a_cluster(cluster: SparkEngine, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(80), tmp_path / "music.parquet")
    tuning = tune_lsh(cluster, tiny(), snapshot, bucket_lengths=(2.0,), tables=(3,), progress=lambda *_: None)
    assert [trial.parameters for trial in tuning.trials] == [tuning.chosen]
    space = cluster.fit(tiny(), snapshot)
    found = cluster.lsh_neighbours(space, snapshot, k=10, parameters=tuning.chosen)
    assert recall_at_k(found.rows, cluster.neighbours(space, snapshot, k=10).rows) > 0.8


def without_libraries(folder: Path) -> Path:
    """A Python that has nothing but what Spark brings."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def test_executors_without_the_libraries_are_one_line(
    session: QuietSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.spark.sparkContext, "pythonExec", str(without_libraries(tmp_path)))
    assert_executors_are_refused(session, "the executors' Python lacks (numpy|pyarrow)")


def test_executors_without_the_python_are_one_line(
    session: QuietSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.spark.sparkContext, "pythonExec", "/nowhere/python")
    assert_executors_are_refused(session, "the executors have no /nowhere/python; name one in spark.pyspark")


def test_executors_with_another_python_are_one_line(
    session: QuietSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The driver sends its version, and a worker of another one refuses.
    monkeypatch.setattr(session.spark.sparkContext, "pythonVer", "3.9")
    version = ".".join(map(str, sys.version_info[:2]))
    assert_executors_are_refused(session, f"the executors' Python is {version}, .* another minor version")


def assert_executors_are_refused(session: QuietSession, said: str) -> None:
    with pytest.raises(EngineError, match=said) as caught, session.translated("reach the executors"):
        check_executors(session.spark.sparkContext)
    assert "\n" not in str(caught.value)
