"""Settings from flags, environment and a TOML file; every error is reported at once."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from soundalike.domain.errors import ExposedFileError, SettingsError
from soundalike.domain.secret_files import check_private, secrets_in
from soundalike.domain.types import RootName
from soundalike.setting_values import READERS, IPNetwork, is_mongodb, without_secrets

ENVIRONMENT_PREFIX = "SOUNDALIKE_"
FILE_NAME = "soundalike.toml"

_RENAMED = {"file_timeout_s": "decoder_silence_s"}
"""Names of before, which are read on; of both, the new one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one run.

    Parameters
    ----------
    data : Path
        Folder of everything that soundalike stores.
    artefacts : Path
        Folder of artefact versions; below `data` unless set.
    host, port
        Address of the web player.
    allowed_hosts : frozenset of str
        Names besides the loopback ones that a request's ``Host`` may have.
    proxies : tuple of IPv4Network or IPv6Network
        The proxies that are believed about the address of a client, and hold connections for many.
    engine : str
        ``auto``, ``spark`` or ``local``.
    master : str or None
        Spark's master URL; None is ``local[*]``, or what ``spark-submit`` set.
    spark : mapping of str to str
        Spark's own properties, passed through. Never shown.
    snapshots : str or None
        URL of a folder for snapshots that the executors of a cluster can read; None sends them from the
        driver.
    workers : int or None
        Processes that analyse files; None is one for each usable CPU.
    nice : int
        Of the processes that scan, analyse and learn beside the player: 0 takes as much as others do, 19 the
        least.
    rescan_minutes : int
        How often folders are scanned that tell nothing of their changes.
    decoder_silence_s : int
        How long the analysis of a file may make no progress.
    roots : mapping of RootName to Path
        Folders of named roots on this machine, if not those that were scanned.
    store : str or None
        MongoDB's connection string, or the path of an SQLite file; None is the file in `data`. Never shown.
    events : str or None
        ``kafka://host:9092/topic``; None keeps the event log in the store. Never shown.
    kafka : mapping of str to str
        librdkafka's own properties (SASL, TLS, ...), passed through. Never shown.
    metrics_port : int or None
        Port for a consumer's metrics, on loopback; None is no metrics.
    lateness_days : int
        A listen older than a user's newest by more than this needs a refold of that user.
    secret_key : str or None
        Signs sessions; None creates one in the data folder. Never shown.
    """

    data: Path
    artefacts: Path
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: frozenset[str] = frozenset()
    proxies: tuple[IPNetwork, ...] = ()
    engine: str = "auto"
    master: str | None = None
    spark: Mapping[str, str] = field(default_factory=dict, repr=False)
    snapshots: str | None = None
    store: str | None = field(default=None, repr=False)
    events: str | None = field(default=None, repr=False)
    kafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    metrics_port: int | None = None
    workers: int | None = None
    nice: int = 10
    rescan_minutes: int = 10
    decoder_silence_s: int = 120
    roots: Mapping[RootName, Path] = field(default_factory=dict)
    lateness_days: int = 7
    secret_key: str | None = field(default=None, repr=False)

    @property
    def is_embedded(self) -> bool:
        """Whether the store is an SQLite file."""
        return self.store is None or not is_mongodb(self.store)

    @property
    def database(self) -> Path:
        """The SQLite file of the embedded store."""
        if self.store is not None and self.is_embedded:
            return Path(self.store)
        return self.data / "library.sqlite"

    @property
    def store_name(self) -> str:
        """What may be shown of the store: its path, or its address without credentials."""
        return str(self.database) if self.store is None or self.is_embedded else without_secrets(self.store)

    @property
    def tuning(self) -> Path:
        """The file in which `tune` saves its choice."""
        return self.data / "tuning.json"


def load_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], config: Path | None = None
) -> Settings:
    """Read settings: flags before ``SOUNDALIKE_*`` before the TOML file before defaults.

    Parameters
    ----------
    flags : mapping
        By setting name; None means not given.
    environment : mapping of str to str
        As `os.environ`.
    config : Path or None
        TOML file; None looks for ``soundalike.toml`` here, then in the user's configuration folder.

    Raises
    ------
    SettingsError
        With every unknown key and wrong value, and where each was given.
    """
    errors: list[str] = []
    values: dict[str, Any] = {}
    for source, raw in (
        *_from_file(_config_file(config, environment), errors),
        *_from_environment(environment),
        *((f"--{name.replace('_', '-')}", {name: value}) for name, value in flags.items()),
    ):
        for name, value in sorted(raw.items(), key=lambda item: item[0] not in _RENAMED):
            if value is not None:
                _take(source, name, value, values=values, errors=errors)
    if errors:
        msg = "settings: " + "; ".join(errors)
        raise SettingsError(msg)
    data = values.setdefault("data", default_data())
    if data is None:
        msg = "settings: there is no home folder for the data; name a folder with --data or SOUNDALIKE_DATA"
        raise SettingsError(msg)
    values.setdefault("artefacts", data / "artefacts")
    return Settings(**values)


def _config_file(config: Path | None, environment: Mapping[str, str]) -> Path | None:
    named = config or (Path(given) if (given := environment.get("SOUNDALIKE_CONFIG")) else None)
    if named is not None:
        return named
    places = (Path(), _users_own(platformdirs.user_config_path))
    files = (place / FILE_NAME for place in places if place is not None)
    return next((file for file in files if os.path.isfile(file)), None)  # noqa: PTH113 - pathlib raises if it may not look


def default_data() -> Path | None:
    """Return the data folder of a user who names none; None for a user without a home."""
    return _users_own(platformdirs.user_data_path)


def _users_own(folder: Callable[..., Path]) -> Path | None:
    """Return a folder of the user, or None for a user without a home."""
    try:
        return folder("soundalike", appauthor=False)
    except RuntimeError:
        return None


def _from_file(path: Path | None, errors: list[str]) -> list[tuple[str, dict[str, Any]]]:
    if path is None:
        return []
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if secrets := secrets_in(found):
            check_private(path, path.stat().st_mode, what=f"{path} has secrets ({', '.join(secrets)})")
        return [(str(path), found)]
    except IsADirectoryError:
        errors.append(f"{path} is a folder, not a file; give the file in it")
    except OSError as error:
        errors.append(f"{path} cannot be read: {error.strerror}")
    except ExposedFileError as error:
        errors.append(str(error))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        errors.append(f"{path} is not TOML: {error}")
    return []


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    # Variables that name no setting belong to others (tests, later versions) and are ignored.
    known = ((f"{ENVIRONMENT_PREFIX}{name.upper()}", name) for name in READERS)
    return [(key, {name: environment[key]}) for key, name in known if environment.get(key)]


def _take(source: str, name: str, value: Any, *, values: dict[str, Any], errors: list[str]) -> None:  # noqa: ANN401 - any TOML value
    reader = READERS.get(name)
    if reader is None:
        errors.append(f"{source}: {name!r} is not a setting; settings are {', '.join(sorted(READERS))}")
        return
    try:
        values[_RENAMED.get(name, name)] = reader(value)
    except (TypeError, ValueError) as error:
        errors.append(f"{source}: {name} {error}")
