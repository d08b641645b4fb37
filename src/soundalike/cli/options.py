"""Options that several commands share; each may be given before or after the command's name."""

import os
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

from soundalike.settings import ENGINES, Settings, load_settings

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

LIMIT = click.IntRange(1, 100)


def path(value: str) -> Path:
    """Read a path and expand ``~``; an empty one, as from an unset variable, is an error."""
    if not value:
        msg = "the path is empty"
        raise click.BadParameter(msg)
    return Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib raises if no user has the name


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
