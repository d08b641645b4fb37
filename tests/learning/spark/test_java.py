import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.domain.errors import EngineError
from soundalike.learning.engines import SPARK_FROM, choose_engine
from soundalike.learning.spark import java
from soundalike.learning.spark.java import find_java, spark_readiness


def install(folder: Path, answer: str, *, code: int = 0) -> Path:
    """Put a program there that answers ``java -version`` as told."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No Java but what a test puts in place."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(java, "_JAVA_FOLDERS", ())
    monkeypatch.setattr("shutil.which", lambda _: None)
    return monkeypatch


def test_java_home_comes_first(tmp_path: Path, bare_machine: pytest.MonkeyPatch) -> None:
    home = install(tmp_path / "jdk", 'openjdk version "21.0.2" 2024-01-16')
    bare_machine.setenv("JAVA_HOME", str(home))
    found = find_java()
    assert found is not None
    assert (found.home, found.version, found.major) == (home, "21.0.2", 21)


def test_a_newer_java_elsewhere_beats_an_old_one(tmp_path: Path, bare_machine: pytest.MonkeyPatch) -> None:
    old = install(tmp_path / "old", 'java version "1.8.0_392"')
    install(tmp_path / "jvm" / "new", 'openjdk version "17" 2021-09-14')
    bare_machine.setenv("JAVA_HOME", str(old))
    found = find_java()
    assert found is not None
    assert found.major == 8
    bare_machine.setattr(java, "_JAVA_FOLDERS", (str(tmp_path / "jvm"),))
    found = find_java()
    assert found is not None
    assert found.major == 17


@pytest.mark.parametrize(
    ("answer", "code"), [("no such thing", 0), ('version "17.0.1"', 1), ("", 0), ('version "x"', 0)]
)
def test_a_program_that_does_not_answer_like_java_is_not_used(
    tmp_path: Path, bare_machine: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    bare_machine.setenv("JAVA_HOME", str(install(tmp_path, answer, code=code)))
    assert find_java() is None


def test_without_java_auto_takes_numpy_and_says_how_to_get_it(bare_machine: pytest.MonkeyPatch) -> None:
    del bare_machine
    engine, sentence = choose_engine("auto")
    assert engine.name == "local"
    assert "no Java was found" in sentence
    assert "openjdk-17" in sentence
    with pytest.raises(EngineError, match=r"openjdk-17.*--engine local"):
        choose_engine("spark")


def test_an_old_java_is_named(tmp_path: Path, bare_machine: pytest.MonkeyPatch) -> None:
    bare_machine.setenv("JAVA_HOME", str(install(tmp_path, 'openjdk version "11.0.2"')))
    is_ready, sentence = spark_readiness()
    assert not is_ready
    assert f"Java 11.0.2 in {tmp_path} is older than 17" in sentence


@pytest.mark.parametrize(("version", "said"), [(None, "not installed"), ("3.5.1", "older than 4.1")])
def test_pyspark_is_named_if_it_is_missing_or_old(
    tmp_path: Path, bare_machine: pytest.MonkeyPatch, version: str | None, said: str
) -> None:
    bare_machine.setenv("JAVA_HOME", str(install(tmp_path, 'openjdk version "17.0.15"')))
    bare_machine.setattr(java, "find_pyspark", lambda: version)
    engine, sentence = choose_engine("auto")
    assert engine.name == "local"
    assert said in sentence
    assert "soundalike[spark]" in sentence


def test_with_both_auto_takes_spark_and_says_which(tmp_path: Path, bare_machine: pytest.MonkeyPatch) -> None:
    bare_machine.setenv("JAVA_HOME", str(install(tmp_path, 'openjdk version "17.0.15"')))
    bare_machine.setattr(java, "find_pyspark", lambda: "4.1.0")
    assert spark_readiness() == (True, f"Spark 4.1.0 on Java 17.0.15 ({tmp_path})")


@pytest.mark.parametrize(
    ("track_count", "master", "name"),
    [
        (40, None, "local"),
        (40, "local[4]", "local"),
        (SPARK_FROM - 1, None, "local"),
        (SPARK_FROM, None, "spark"),
        (40, "spark://far.example:7077", "spark"),
        (None, None, "spark"),
    ],
)
def test_auto_takes_numpy_for_a_small_library_unless_a_cluster_is_named(
    tmp_path: Path, bare_machine: pytest.MonkeyPatch, track_count: int | None, master: str | None, name: str
) -> None:
    bare_machine.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    bare_machine.setenv("JAVA_HOME", str(install(tmp_path, 'openjdk version "17.0.15"')))
    bare_machine.setattr(java, "find_pyspark", lambda: "4.1.0")
    engine, sentence = choose_engine("auto", master=master, track_count=track_count)
    assert engine.name == name
    assert sentence.startswith(f"engine {name}: ")
    if name == "local":
        assert sentence.endswith(f"NumPy, faster than Spark below 1,000,000 tracks (here {track_count:,})")


def test_spark_is_taken_for_few_tracks_where_it_is_asked_for(
    tmp_path: Path, bare_machine: pytest.MonkeyPatch
) -> None:
    bare_machine.setenv("JAVA_HOME", str(install(tmp_path, 'openjdk version "17.0.15"')))
    bare_machine.setattr(java, "find_pyspark", lambda: "4.1.0")
    assert choose_engine("spark", track_count=2)[0].name == "spark"
    bare_machine.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert choose_engine("auto", track_count=2)[0].name == "spark"


def test_local_is_taken_as_asked_without_looking_for_java() -> None:
    engine, sentence = choose_engine("local")
    assert engine.name == "local"
    assert "as requested" in sentence


def test_other_engines_are_not_known() -> None:
    with pytest.raises(EngineError, match="'dask' is not known"):
        choose_engine("dask")


def test_pyspark_is_not_imported_before_it_is_needed() -> None:
    script = (
        "import sys; from soundalike.learning.engines import choose_engine; choose_engine('local');"
        "sys.exit('pyspark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
