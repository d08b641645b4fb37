"""Files with secrets: what is one, and who may read it."""

import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from soundalike.domain.errors import ExposedFileError

# Spark's own list (spark.redaction.regex), and the names that librdkafka and Hadoop have for theirs.
_SECRET_NAME = re.compile(
    r"secret|password|passphrase|token$|(access|account)[.]?key|jaas|key[.]pem$", re.IGNORECASE
)
_URL_WITH_PASSWORD = re.compile(r"://[^@]*:.*@", re.DOTALL)


def check_private(path: Path, mode: int, *, what: str) -> None:
    """Refuse a file with secrets that everybody on this machine may read or write; its group may.

    Parameters
    ----------
    path : Path
        The file.
    mode : int
        Its mode, as `os.stat` gives it.
    what : str
        What it is, for people.

    Raises
    ------
    ExposedFileError
        If everybody may; the message has the command that mends it.
    """
    allowed = [right for right, bit in (("read", stat.S_IROTH), ("write", stat.S_IWOTH)) if mode & bit]
    if allowed:
        command = f"chmod o-{''.join(right[0] for right in allowed)} {shlex.quote(str(path))}"
        msg = f"{what}, and everybody on this machine may {' and '.join(allowed)} it; run: {command}"
        raise ExposedFileError(msg)


def secrets_in(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that are secrets, with those of properties in tables."""
    return [
        name
        for name, value in _named(settings)
        if _SECRET_NAME.search(name) or (isinstance(value, str) and _URL_WITH_PASSWORD.search(value))
    ]


def _named(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values, those of tables one by one."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{of_table}", inner) for of_table, inner in _named(value))
        elif name in {"kafka", "spark"} and isinstance(value, str):
            pairs = (part.partition("=") for part in re.split(r"[;\n]", value))
            yield from ((f"{name}.{of_table.strip()}", inner) for of_table, _, inner in pairs)
        else:
            yield name, value
