from pathlib import Path

import pytest
from pyspark.errors import PySparkRuntimeError

from soundalike.learning.spark.errors import SparkFailure, describe_failure

NOWHERE = Path("/nowhere/spark.log")


def told(said: str, *, secrets: tuple[str, ...] = ()) -> str:
    return describe_failure(SparkFailure(RuntimeError(said), log=NOWHERE), "fit the space", secrets=secrets)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("[DATA_SOURCE_NOT_FOUND] Failed to find data source: mongodb.", "connector for Spark is missing"),
        ("x\ncom.mongodb.MongoTimeoutException: Timed out after 500 ms", "MongoDB did not answer"),
        ("MongoSecurityException: Exception authenticating", "refused the name or password"),
        ('java.io.IOException: Cannot run program "python9": error=2', "the executors have no python9"),
        ("ModuleNotFoundError: No module named 'pyarrow'", "the executors' Python lacks pyarrow"),
        ("File file:/shared/soundalike-snapshot-0a.parquet does not exist", "all of them share"),
        ("x: All masters are unresponsive! Giving up.", "the master does not answer as one of Spark"),
        ("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext", "the master"),
    ],
)  # fmt: skip
def test_a_known_failure_is_explained_with_what_to_do(said: str, meaning: str) -> None:
    line = told(said)
    assert line.startswith("Spark could not fit the space: ")
    assert meaning in line
    assert line.endswith("; or try '--engine local'")


def test_an_unknown_failure_is_quoted_by_its_first_line() -> None:
    assert told("the disk is full\n\tat java.Foo") == (
        "Spark could not fit the space: the disk is full; try '--engine local'"
    )


def test_of_a_worker_s_traceback_the_error_itself_is_quoted() -> None:
    said = (
        "Job aborted due to stage failure: Task 0\nTraceback (most recent call last):\n"
        '  File "x.py", line 1, in task\nZeroDivisionError: division by zero\n\tat org.apache'
    )
    assert told(said) == (
        "Spark could not fit the space: ZeroDivisionError: division by zero; try '--engine local'"
    )


def test_an_own_error_from_a_worker_is_shown_as_it_is() -> None:
    said = "Traceback (most recent call last):\nsoundalike.domain.errors.EngineError: track x changed\n at"
    assert told(said) == "track x changed"


def test_secrets_are_left_out() -> None:
    assert "hidden" not in told("cannot use 'mongodb://me:hidden@host'", secrets=("me:hidden",))


def test_a_jvm_that_ends_at_once_is_explained_by_its_log(tmp_path: Path) -> None:
    log = tmp_path / "spark.log"
    log.write_text(
        ":: problems\nunresolved dependency: org.mongodb.spark#mongo-spark-connector_2.13;10.5.0\n"
    )
    gone = PySparkRuntimeError(errorClass="JAVA_GATEWAY_EXITED", messageParameters={})
    assert "connector for Spark could not be fetched; name its jars" in describe_failure(
        SparkFailure(gone, log=log), "start"
    )
    log.write_text("nothing of note\n")
    assert "the JVM exited at once" in describe_failure(SparkFailure(gone, log=log), "start")


def test_the_reason_for_ending_jobs_is_shown_instead_of_sparks() -> None:
    failure = SparkFailure(RuntimeError("Job 3 cancelled"), log=NOWHERE, gave_up="no executor came")
    assert describe_failure(failure, "fit the space") == (
        "Spark could not fit the space: no executor came; or try '--engine local'"
    )
