"""Settings from flags, environment and a TOML file; every error is reported at once."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from soundalike.domain.errors import SettingsError
from soundalike.domain.types import RootName

ENVIRONMENT_PREFIX = "SOUNDALIKE_"
FILE_NAME = "soundalike.toml"
ENGINES = ("auto", "spark", "local")

_MONGODB_SCHEMES = ("mongodb://", "mongodb+srv://")
_LIKE_MONGODB = re.compile(r"mongodb(\+srv)?(:|//)", re.IGNORECASE)
# HOST:PORT, HOST:PORT/NAME and USER:PASSWORD@HOST; taken for a path, they would be shown.
_LIKE_ADDRESS = re.compile(
    r"(\[[^]/]*\]|[^][/:\s]+):[0-9]{1,5}(,[^/?]*)?(/[^/?]*)?(\?.*)?|[^/:]+:.*@[^/@].*", re.DOTALL
)
_KAFKA_SCHEME = "kafka://"
_PROPERTY = re.compile(r"[a-zA-Z][\w.-]*", re.ASCII)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE | re.ASCII)
_SNAPSHOT_SCHEMES = ("file", "s3a", "s3", "gs", "hdfs", "abfss")

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_MAX_PORT = 65535
_MAX_WORKERS = 256
_MIN_SECRET_BYTES = 16


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
    file_timeout_s : int
        How long the analysis of one file may take.
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
    engine: str = "auto"
    master: str | None = None
    spark: Mapping[str, str] = field(default_factory=dict, repr=False)
    snapshots: str | None = None
    store: str | None = field(default=None, repr=False)
    events: str | None = field(default=None, repr=False)
    kafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    metrics_port: int | None = None
    workers: int | None = None
    file_timeout_s: int = 120
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


def is_mongodb(store: str) -> bool:
    """Whether a store is named by a connection string of MongoDB, not by a path."""
    return store.startswith(_MONGODB_SCHEMES)


def store_address(text: str) -> str:
    """Return the name of a store: a path as it is, an address with its scheme in lower case.

    Raises
    ------
    ValueError
        If it looks like the address of a server, but has no scheme. It is not shown.
    """
    if _scheme_of(text) is not None:
        return _with_lower_scheme(text)
    if _LIKE_MONGODB.match(text.strip()):
        msg = "begins like a MongoDB connection string; write mongodb://USER:PASSWORD@HOST/DATABASE"
        raise ValueError(msg)
    if _LIKE_ADDRESS.fullmatch(text.strip()):
        msg = "looks like a server's address; write mongodb:// before it, or ./ if it is an SQLite file"
        raise ValueError(msg)
    return text


def without_secrets(url: str) -> str:
    """Return an address without user, password and options, any of which may hold a secret."""
    scheme, _, rest = url.partition("://")
    # A password may contain any of these signs; what follows the last @ is not part of it.
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


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
        for name, value in raw.items():
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
        return [(str(path), tomllib.loads(path.read_text(encoding="utf-8")))]
    except IsADirectoryError:
        errors.append(f"{path} is a folder, not a file; give the file in it")
    except OSError as error:
        errors.append(f"{path} cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        errors.append(f"{path} is not TOML: {error}")
    return []


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    # Variables that name no setting belong to others (tests, later versions) and are ignored.
    known = ((f"{ENVIRONMENT_PREFIX}{name.upper()}", name) for name in _READERS)
    return [(key, {name: environment[key]}) for key, name in known if environment.get(key)]


def _take(source: str, name: str, value: Any, *, values: dict[str, Any], errors: list[str]) -> None:  # noqa: ANN401 - any TOML value
    reader = _READERS.get(name)
    if reader is None:
        errors.append(f"{source}: {name!r} is not a setting; settings are {', '.join(sorted(_READERS))}")
        return
    try:
        values[name] = reader(value)
    except (TypeError, ValueError) as error:
        errors.append(f"{source}: {name} {error}")


def _path(value: Any) -> Path:  # noqa: ANN401 - any TOML value
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        msg = f"must be a path, not {value!r}"
        raise ValueError(msg)
    return Path(os.path.expanduser(value)).absolute()  # noqa: PTH111 - pathlib raises if no user has the name


def _text(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if not isinstance(value, str) or not value.strip():
        msg = f"must be a text, not {value!r}"
        raise ValueError(msg)
    return value.strip()


def _store(value: Any) -> str:  # noqa: ANN401 - any TOML value
    scheme = _scheme_of(value)
    address = store_address(value) if isinstance(value, str) else ""
    if scheme is None:
        return str(_path(value))
    if not is_mongodb(address):
        msg = f"must be mongodb://HOST/DATABASE or the path of an SQLite file, not a URL with {scheme!r}"
        raise ValueError(msg)
    return address


def _events(value: Any) -> str:  # noqa: ANN401 - any TOML value
    # A value that begins otherwise may contain a password, and is not shown.
    url = _with_lower_scheme(value) if isinstance(value, str) else ""
    if not url.startswith(_KAFKA_SCHEME):
        msg = (
            "does not begin with kafka://; write kafka://HOST:9092/TOPIC, "
            "or leave it out to keep the event log in the store"
        )
        raise ValueError(msg)
    return url


def _snapshots(value: Any) -> str:  # noqa: ANN401 - any TOML value
    scheme = _scheme_of(value)
    if scheme not in _SNAPSHOT_SCHEMES:
        msg = f"must be the URL of a folder ({', '.join(_SNAPSHOT_SCHEMES)}), such as s3a://bucket/soundalike"
        raise ValueError(msg)
    return _with_lower_scheme(str(value))


def _scheme_of(value: Any) -> str | None:  # noqa: ANN401 - any TOML value
    found = _SCHEME.match(value.strip()) if isinstance(value, str) else None
    return found[1].lower() if found else None


def _with_lower_scheme(text: str) -> str:
    return _SCHEME.sub(lambda found: found[0].lower(), text.strip(), count=1)


def _properties(value: Any) -> dict[str, str]:  # noqa: ANN401 - any TOML value
    """Read a table of properties, or NAME=VALUE with ; or line ends between them; values are never shown."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in re.split(r"[;\n]", value) if part.strip()]
        if any(not sign for _, sign, _ in pairs):
            msg = "must be NAME=VALUE pairs with ; between them; values are not shown here"
            raise ValueError(msg)
        value = {name.strip(): given.strip() for name, _, given in pairs}
        if not all(map(_PROPERTY.fullmatch, value)):
            # The text before a = may be the rest of a password that contains a ;.
            msg = "has a name that is not a property; put a value with ; in it into a table in the file"
            raise ValueError(msg)
    if not isinstance(value, Mapping):
        msg = "must be a table of names and values"
        raise TypeError(msg)
    wrong = [name for name in value if not _PROPERTY.fullmatch(name)]
    nested = [name for name, given in value.items() if isinstance(given, Mapping | list)]
    if wrong or nested:
        msg = f"has {(wrong or nested)[0]!r}, which is not a property; write names with dots in quotes"
        raise ValueError(msg)
    return {name: _property(given) for name, given in value.items()}


def _property(value: Any) -> str:  # noqa: ANN401 - any TOML value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _secret(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if not isinstance(value, str) or len(value.encode(errors="replace")) < _MIN_SECRET_BYTES:
        msg = f"must be a text of {_MIN_SECRET_BYTES} bytes or more; it is not shown here"
        raise ValueError(msg)
    return value


def _engine(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if value not in ENGINES:
        msg = f"must be one of {', '.join(ENGINES)}, not {value!r}"
        raise ValueError(msg)
    return str(value)


def _whole(minimum: int, maximum: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:  # noqa: ANN401 - any TOML value
        is_number = isinstance(value, int) and not isinstance(value, bool)
        is_digits = isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip())
        if not (is_number or is_digits) or not minimum <= int(value) <= maximum:
            msg = f"must be a whole number from {minimum} to {maximum}, not {value!r}"
            raise ValueError(msg)
        return int(value)

    return read


def _hosts(value: Any) -> frozenset[str]:  # noqa: ANN401 - any TOML value
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple | frozenset):
        msg = f"must be a list of host names, not {value!r}"
        raise TypeError(msg)
    hosts = frozenset(str(name).strip().lower() for name in names if str(name).strip())
    wrong = sorted(host for host in hosts if not _HOST_NAME.fullmatch(host))
    if wrong:
        msg = f"has {wrong[0]!r}, which is not a host name (no scheme, no port)"
        raise ValueError(msg)
    return hosts


def _roots(value: Any) -> dict[RootName, Path]:  # noqa: ANN401 - any TOML value
    if isinstance(value, str):
        pairs = [pair.partition("=")[::2] for pair in value.split(",") if pair]
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        msg = f"must be a table of names and paths, not {value!r}"
        raise TypeError(msg)
    return {RootName(_text(name)): Path(os.path.realpath(_path(place))) for name, place in pairs}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "data": _path,
    "artefacts": _path,
    "host": _text,
    "port": _whole(1, _MAX_PORT),
    "allowed_hosts": _hosts,
    "engine": _engine,
    "master": _text,
    "spark": _properties,
    "snapshots": _snapshots,
    "store": _store,
    "events": _events,
    "kafka": _properties,
    "metrics_port": _whole(1, _MAX_PORT),
    "workers": _whole(1, _MAX_WORKERS),
    "file_timeout_s": _whole(1, 86_400),
    "roots": _roots,
    "lateness_days": _whole(1, 3_650),
    "secret_key": _secret,
}
