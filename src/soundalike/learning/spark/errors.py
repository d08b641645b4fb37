"""What Spark, its JVM and its Python workers complain of, in one line each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark
from pyspark.errors import PySparkException

from soundalike.learning.spark.mongo import CONNECTOR

_LOG_LINES = 200
_LOCAL = "try '--engine local'"
_GET_CONNECTOR = (
    f"name its jars in the property spark.jars, or let Spark fetch {CONNECTOR} (spark.jars.packages)"
)
_GET_PYTHON = "name one in spark.pyspark.python that is there on every executor, with NumPy and pyarrow"

# The first pattern found in the messages, with its meaning; its group, if any, is quoted.
_KNOWN = (
    (
        r"PYTHON_VERSION_MISMATCH.*?different version: ?([\d.]+)",
        f"the executors' Python is {{}}, which is another minor version than this one; {_GET_PYTHON}",
    ),
    (
        r"Cannot run program \"([^\"]+)\"",
        f"the executors have no {{}}; {_GET_PYTHON}",
    ),
    (
        r"ModuleNotFoundError: No module named '([^']+)'",
        f"the executors' Python lacks {{}}; {_GET_PYTHON}",
    ),
    (
        r"(?:DATA_SOURCE_NOT_FOUND|Failed to find (?:the )?data source).*mongodb",
        f"MongoDB's connector for Spark is missing; {_GET_CONNECTOR}",
    ),
    (
        r"(?i)unresolved dependenc.*mongo",
        f"MongoDB's connector for Spark could not be fetched; {_GET_CONNECTOR}",
    ),
    (
        r"MongoSecurityException",
        "MongoDB refused the name or password of the connection string",
    ),
    (
        r"MongoTimeoutException|MongoSocket\w*Exception",
        "MongoDB did not answer; its address must be right for this machine and for every executor",
    ),
    (
        r"(?=.*(?:FileNotFoundException|_NOT_FOUND|does not exist)).*?([^\s'\"]*)/soundalike-snapshot-",
        "executors do not see the snapshot below {}; 'snapshots' must name a folder that all of them share",
    ),
    (
        r"(?:No FileSystem for scheme \"?|Class org\.apache\.hadoop\.fs\.)(\w+)",
        "it has no file system for {}; name it in spark.jars.packages (s3a: org.apache.hadoop:hadoop-aws)",
    ),
    (
        r"All masters are unresponsive|Master removed our application|stopped SparkContext",
        f"the master does not answer as one of Spark {pyspark.__version__} does, or ended this application",
    ),
)
_OWN_ERROR = re.compile(r"^soundalike\.domain\.errors\.\w+: (.+)$", re.MULTILINE)
_LAST_OF_TRACEBACK = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt)\b.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SparkFailure:
    """What was raised, and where more may be logged.

    Parameters
    ----------
    log : Path
        Log of a JVM that this program started.
    gave_up : str or None
        Why this program ended the jobs, if it did.
    """

    error: Exception
    log: Path
    gave_up: str | None = None


def describe_failure(failure: SparkFailure, what: str, *, secrets: Sequence[str] = ()) -> str:
    """Return one line that says what could not be done, and why.

    Parameters
    ----------
    what : str
        Such as ``"fit the space"``.
    secrets : sequence of str
        What must not be shown.
    """
    if failure.gave_up is not None:
        return f"Spark could not {what}: {failure.gave_up}; or {_LOCAL}"
    text = _text(failure)
    own = _OWN_ERROR.search(text)
    if own is not None:
        line = own[1]
    else:
        known = _known(text)
        line = f"Spark could not {what}: {known or _first_line(text)}; {'or ' if known else ''}{_LOCAL}"
    return without(secrets, line).strip()


def without(secrets: Sequence[str], text: str) -> str:
    """Return a text without secrets."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def _text(failure: SparkFailure) -> str:
    """Return all messages: the JVM's own if Python has none."""
    error = failure.error
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    if condition == "JAVA_GATEWAY_EXITED":
        lines = failure.log.read_text(errors="replace").split("\n")[-_LOG_LINES:]
        said = [line for line in lines if "rror" in line or "xception" in line or "unresolved" in line]
        return "\n".join(said or ["the JVM exited at once"])
    java = getattr(error, "java_exception", None)
    return f"{java or error}\n{error}" if str(error) else type(error).__name__


def _known(text: str) -> str | None:
    for pattern, meaning in _KNOWN:
        found = re.search(pattern, text, re.DOTALL)
        if found is not None:
            return meaning.format(*found.groups())
    return None


def _first_line(text: str) -> str:
    """Return the last line of a Python traceback if there is one, else the first line."""
    if "Traceback (most recent call last)" in text:
        raised = _LAST_OF_TRACEBACK.findall(text.partition("Traceback (most recent call last)")[2])
        if raised:
            return str(raised[0]).strip()
    return text.strip().splitlines()[0]
