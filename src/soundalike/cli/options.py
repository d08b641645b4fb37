"""Options that several commands share; each may be given before or after the command's name."""

import os
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

from soundalike.app.places import is_file, is_folder
from soundalike.domain.errors import RootMissingError, SettingsError
from soundalike.setting_values import ENGINES
from soundalike.settings import Settings, load_settings

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

LIMIT = click.IntRange(1, 100)

_FORMATS = {"csv", "tsv", "txt", "xlsx", "json", "jsonl", "ndjson", "parquet", "pq", "npy", "gz", "zip"}
"""Endings of names that promise a format."""


def path(value: str) -> Path:
    """Read a path and expand ``~``; an empty one, as from an unset variable, is an error."""
    if not value:
        msg = "the path is empty"
        raise click.BadParameter(msg)
    return Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib raises if no user has the name


def folder(value: str) -> Path:
    """Read the path of a folder, which need not be there yet.

    Raises
    ------
    RootMissingError
        If it is a file.
    """
    found = path(value)
    if is_file(found):
        msg = f"{str(found)!r} is a file, not a folder; give the folder that it is in: {str(found.parent)!r}"
        raise RootMissingError(msg)
    return found


def file(value: str) -> Path:
    """Read the path of a file, which need not be there yet.

    Raises
    ------
    SettingsError
        If it is a folder.
    """
    found = path(value)
    if is_folder(found):
        msg = f"{str(found)!r} is a folder, not a file; give the name of a file in it"
        raise SettingsError(msg)
    return found


def file_of(first: str, *others: str) -> Callable[[str], Path]:
    """Return what reads the path of a file to write, whose name must not promise another format.

    Parameters
    ----------
    first, *others : str
        Endings of the format that is written; a name without a known ending will do too.
    """

    def read(value: str) -> Path:
        found = file(value)
        if _format(found) in _FORMATS - {first, *others}:
            stem = found
            while _format(stem) in _FORMATS:
                stem = stem.with_suffix("")
            msg = f"{found.suffix} cannot be written, only .{first}; give a name such as '{stem}.{first}'"
            raise SettingsError(msg)
        return found

    return read


def _format(found: Path) -> str:
    return found.suffix.lower().removeprefix(".")


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401 - as click passes it
    # An option after the command's name wins over one before it.
    if value not in (None, False) and parameter.name:
        _given(context)[parameter.name] = value


def _given(context: click.Context) -> dict[str, Any]:
    given: dict[str, Any] = context.find_root().meta.setdefault("soundalike.given", {})
    return given


def _setting(name: str, **attributes: Any) -> Decorator:  # noqa: ANN401 - as click takes them
    """Make an option that `settings` reads, not the command."""
    return click.option(name, expose_value=False, callback=_keep, **attributes)


def _all(*options: Decorator) -> Decorator:
    """Join options into one decorator."""
    return lambda command: reduce(lambda decorated, option: option(decorated), options, command)


json_output: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)

common = _all(
    _setting("--debug", is_flag=True, help="Show tracebacks."),
    _setting("--config", type=path, metavar="FILE", help="Settings file instead of ./soundalike.toml."),
    _setting(
        "--artefacts",
        type=path,
        metavar="DIR",
        help="Folder of artefact versions; default in the data folder.",
    ),
    _setting("--events", metavar="URL", help="Event log: kafka://host:9092/topic; default in the store."),
    _setting(
        "--store",
        metavar="URL",
        help="Store: mongodb://host/database; default an SQLite file in the data folder.",
    ),
    _setting("--data", type=path, metavar="DIR", help="Folder of everything that soundalike stores."),
)

engine = _all(
    _setting("--master", metavar="URL", help="Spark master, such as spark://host:7077; default local[*]."),
    _setting(
        "--engine",
        type=click.Choice(ENGINES),
        help="Spark, NumPy (local), or Spark if it is here and the library is large (auto).",
    ),
)

address = _all(
    _setting("--port", type=int, help="Port; default 8000."),
    _setting("--host", help="Address; default 127.0.0.1."),
)

workers = _setting("--workers", type=int, help="Processes that analyse files; default one for each CPU.")


def settings() -> Settings:
    """Return the settings of the command that is running."""
    given = dict(_given(click.get_current_context()))
    config = given.pop("config", None)
    given.pop("debug", None)
    return load_settings(given, os.environ, config)


def is_debugging(context: click.Context | None) -> bool:
    """Whether ``--debug`` was given."""
    return bool(context and _given(context).get("debug"))
