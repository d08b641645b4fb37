"""Finding Java and PySpark without starting either."""

import importlib.metadata
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LOWEST_JAVA = 17
LOWEST_PYSPARK = (4, 1)
_GET_JAVA = "install a Java 17+ runtime, such as 'sudo apt install openjdk-17-jre-headless'"
_GET_PYSPARK = "install it with \"pip install 'soundalike[spark]'\""
_JAVA_FOLDERS = ("/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines")
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: its home folder and version, such as ``"17.0.15"``."""

    home: Path
    version: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".")[0])


def find_java() -> Java | None:
    """Return the first Java 17+ of ``JAVA_HOME``, ``PATH`` and the usual folders, else any Java, or None."""
    found = [java for home in _homes() if (java := _ask(home)) is not None]
    return next((java for java in found if java.major >= LOWEST_JAVA), found[0] if found else None)


def find_pyspark() -> str | None:
    """Return the version of the installed PySpark, or None."""
    try:
        return importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError:
        return None


def spark_readiness() -> tuple[bool, str]:
    """Return whether Spark can be started, and a sentence with its versions, or with what is missing."""
    pyspark, java = find_pyspark(), find_java()
    missing = []
    if pyspark is None:
        missing.append(f"pyspark is not installed; {_GET_PYSPARK}")
    elif _numbers(pyspark) < LOWEST_PYSPARK:
        missing.append(f"pyspark {pyspark} is older than 4.1; {_GET_PYSPARK}")
    if java is None:
        missing.append(f"no Java was found; {_GET_JAVA}")
    elif java.major < LOWEST_JAVA:
        missing.append(f"Java {java.version} in {java.home} is older than 17; {_GET_JAVA}")
    if missing or java is None:
        return False, " and ".join(missing)
    return True, f"Spark {pyspark} on Java {java.version} ({java.home})"


def _homes() -> list[Path]:
    """List the folders that may have ``bin/java``, best first."""
    homes = []
    if os.environ.get("JAVA_HOME"):
        homes.append(Path(os.environ["JAVA_HOME"]))
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parent.parent)
    for folder in _JAVA_FOLDERS:
        try:
            inside = sorted(Path(folder).iterdir())
        except OSError:
            continue
        homes += [home for entry in inside for home in (entry, entry / "Contents" / "Home")]
    return list(dict.fromkeys(home for home in homes if (home / "bin" / "java").exists()))


@lru_cache
def _ask(home: Path) -> Java | None:
    """Ask a runtime for its version: ``openjdk version "17.0.15" 2025-04-15``."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program that the user chose, without a shell
            [home / "bin" / "java", "-version"],
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(rb'version "(?:1\.)?([0-9][0-9.]*)', answer.stderr + answer.stdout)
    if answer.returncode != 0 or version is None:
        return None
    return Java(home=home, version=version[1].decode().rstrip("."))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
