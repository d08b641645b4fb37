"""Options that several commands share; each may be given before or after the command's name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from soundalike.settings import ENGINES, Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])

LIMIT = click.IntRange(1, 100)


def place(value: str) -> Path:
    """Read a path and expand ``~``; an empty one, as from an unset variable, is an error."""
    if not value:
        msg = "the path is empty"
        raise click.BadParameter(msg)
    return Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib raises if no user has the name


def common(command: Command) -> Command:
    """Add the options that every command has."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, callback=_keep, help="Show tracebacks."),
        click.option(
            "--config",
            type=place,
            expose_value=False,
            callback=_keep,
            metavar="FILE",
            help="Settings file instead of ./soundalike.toml.",
        ),
        click.option(
            "--artefacts",
            type=place,
            expose_value=False,
            callback=_keep,
            metavar="DIR",
            help="Folder of artefact versions; default in the data folder.",
        ),
        click.option(
            "--events",
            expose_value=False,
            callback=_keep,
            metavar="URL",
            help="Event log: kafka://host:9092/topic; default in the store.",
        ),
        click.option(
            "--store",
            expose_value=False,
            callback=_keep,
            metavar="URL",
            help="Store: mongodb://host/database; default an SQLite file in the data folder.",
        ),
        click.option(
            "--data",
            type=place,
            expose_value=False,
            callback=_keep,
            metavar="DIR",
            help="Folder of everything that soundalike stores.",
        ),
    ):
        command = option(command)
    return command


def json_output(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(command)


def engine(command: Command) -> Command:
    """Add the choice of the engine."""
    for option in (
        click.option(
            "--master",
            expose_value=False,
            callback=_keep,
            metavar="URL",
            help="Spark master, such as spark://host:7077; default local[*].",
        ),
        click.option(
            "--engine",
            type=click.Choice(ENGINES),
            expose_value=False,
            callback=_keep,
            help="Spark, NumPy (local), or Spark if Java 17+ is found (auto).",
        ),
    ):
        command = option(command)
    return command


def address(command: Command) -> Command:
    """Add the address to serve at."""
    for option in (
        click.option("--port", type=int, expose_value=False, callback=_keep, help="Port; default 8000."),
        click.option("--host", expose_value=False, callback=_keep, help="Address; default 127.0.0.1."),
    ):
        command = option(command)
    return command


def workers(command: Command) -> Command:
    """Add the number of processes that analyse files."""
    return click.option(
        "--workers",
        type=int,
        expose_value=False,
        callback=_keep,
        help="Processes that analyse files; default one for each CPU.",
    )(command)


def settings() -> Settings:
    """Return the settings of the command that is running."""
    given = dict(_given(click.get_current_context()))
    config = given.pop("config", None)
    given.pop("debug", None)
    return load_settings(given, os.environ, config)


def is_debugging(context: click.Context | None) -> bool:
    """Whether ``--debug`` was given."""
    return bool(context and _given(context).get("debug"))


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401 - as click passes it
    # An option after the command's name wins over one before it.
    if value not in (None, False) and parameter.name:
        _given(context)[parameter.name] = value


def _given(context: click.Context) -> dict[str, Any]:
    kept: dict[str, Any] = context.find_root().meta.setdefault("soundalike.given", {})
    return kept
