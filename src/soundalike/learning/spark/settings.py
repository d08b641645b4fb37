"""Spark's properties: defaults, those of the user's settings, and which of them win.

The user's win over the defaults. Those that have a setting of their own, or would run the driver
elsewhere, are an error (`REFUSED`). Those that results depend on cannot be changed (`FIXED`): no row may
be left out because a file cannot be read. `spark.redaction.regex` can only be widened, and the user's
`spark.driver.extraJavaOptions` are added to the defaults.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from soundalike.domain.errors import EngineError
from soundalike.learning.spark.mongo import CONNECTOR

LOOPBACK = "127.0.0.1"
PYTHON = "spark.pyspark.python"
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

REFUSED = {
    "spark.master": "it is the setting 'master' (--master)",
    "spark.remote": "Spark Connect has no part of what is needed; use the setting 'master' (--master)",
    "spark.submit.deployMode": "the driver is this program; it writes the artefact on its own disk",
    "spark.pyspark.driver.python": "the driver is this program; its Python is the one that runs it",
}
FIXED = {
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

DEFAULTS = {
    "spark.app.name": "soundalike",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
    "spark.driver.maxResultSize": "0",
    "spark.sql.redaction.options.regex": "(?i)url|uri",
    **{f"spark.executorEnv.{name}": "1" for name in ONE_THREAD},
}
REDACTION = "spark.redaction.regex"

_JAVA_OPTIONS = "spark.driver.extraJavaOptions"
# Spark's own pattern, and other names of secrets; connection strings are recognised by their form too.
_SECRET = r"(?i)secret|password|token|access[.]?key|[._]key\b|credential|connection[.]uri|mongodb(\+srv)?://"  # noqa: S105 - a pattern
_FAST_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def check_properties(properties: Mapping[str, str]) -> None:
    """Check that every property is Spark's and may be set; values are never shown.

    Raises
    ------
    EngineError
        If one is not.
    """
    for place, name in enumerate(properties, 1):
        if not name.startswith("spark."):
            # It may be the end of a password with ';', and is not shown.
            msg = (
                f"name number {place} in the setting 'spark' is not one of Spark's properties, spark.…; "
                "a value that holds ';' belongs into [spark] in soundalike.toml"
            )
            raise EngineError(msg)
        if name in REFUSED:
            msg = f"the setting 'spark' may not have {name!r}: {REFUSED[name]}"
            raise EngineError(msg)


def own_properties(
    master: str, properties: Mapping[str, str], *, folder: Path, has_mongodb: bool = False
) -> dict[str, str]:
    """Return the properties of a JVM that this program starts.

    Parameters
    ----------
    folder : Path
        For files of the driver; executors never see it.
    has_mongodb : bool
        Whether executors read MongoDB, for which the connector is downloaded unless the user gives jars.
    """
    is_here = is_on_this_machine(master)
    # Using only the client compiler halves the start; NumPy does the long work, not the JVM.
    options = f'{_FAST_START} -XX:-UsePerfData "-Djava.io.tmpdir={folder}"'
    defaults = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(folder),
        "spark.driver.memory": f"{_driver_memory_mb()}m",
        **({"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK} if is_here else {}),
        **({"spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1))} if is_local(master) else {}),
    }
    if has_mongodb and not is_local(master) and not {"spark.jars", "spark.jars.packages"} & properties.keys():
        defaults["spark.jars.packages"] = CONNECTOR
    joined = {_JAVA_OPTIONS: f"{options} {properties.get(_JAVA_OPTIONS, '')}".strip(), "spark.master": master}
    return defaults | DEFAULTS | dict(properties) | fixed_properties(properties.get(REDACTION)) | joined


def secrets_of(properties: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values that no message may show."""
    return tuple(value for name, value in properties.items() if re.search(_SECRET, name) and value)


def fixed_properties(redaction: str | None) -> dict[str, str]:
    """Return the properties that cannot be changed, given the user's pattern of secrets."""
    return FIXED | {REDACTION: f"({redaction})|({_SECRET})" if redaction else _SECRET}


def write_properties(settings: Mapping[str, str], path: Path) -> None:
    """Write a file for spark-submit: on its command line every user would see the values."""
    lines = [f"{_escaped(name)}={_escaped(value)}\n" for name, value in settings.items()]
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="ascii")


def is_local(master: str) -> bool:
    """Whether Spark's executors are threads of its own process."""
    return master == "local" or master.startswith("local[")


def is_on_this_machine(master: str) -> bool:
    """Whether the executors are known to run on this machine."""
    return is_local(master) or master.startswith(
        ("local-cluster[", "spark://localhost:", f"spark://{LOOPBACK}:")
    )


def _escaped(text: str) -> str:
    """Escape a text for a Java properties file."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    return "".join(chr(code) if chr(code).isalnum() and code < 128 else f"\\u{code:04x}" for code in codes)  # noqa: PLR2004 - ASCII


def _driver_memory_mb() -> int:
    """Return a sixth of the machine's memory, from 1 to 4 GB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1024, min(4096, total // 6 >> 20))
