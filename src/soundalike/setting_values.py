"""The values of settings: how each is read from a flag, the environment or a TOML file, and checked."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from soundalike.domain.types import RootName

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
_MAX_NICE = 19
_MIN_SECRET_BYTES = 16

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def _proxies(value: Any) -> tuple[IPNetwork, ...]:  # noqa: ANN401 - any TOML value
    networks = value.split(",") if isinstance(value, str) else value
    if not isinstance(networks, list | tuple):
        msg = f"must be a list of IP addresses and networks, not {value!r}"
        raise TypeError(msg)
    return tuple(_network(str(text).strip()) for text in networks if str(text).strip())


def _network(text: str) -> IPNetwork:
    try:
        given = ipaddress.ip_interface(text)
    except ValueError as error:
        msg = f"has {text!r}, which is no IP address or network such as 172.18.0.0/16"
        raise ValueError(msg) from error
    if "%" in text:
        msg = f"has {text!r}, an address of one interface; write it without what begins with %"
        raise ValueError(msg)
    if given.ip != given.network.network_address:
        msg = f"has {text!r}, which is an address in a network: write {given.network} or {given.ip}"
        raise ValueError(msg)
    return given.network


def _roots(value: Any) -> dict[RootName, Path]:  # noqa: ANN401 - any TOML value
    if isinstance(value, str):
        pairs = [pair.partition("=")[::2] for pair in value.split(",") if pair]
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        msg = f"must be a table of names and paths, not {value!r}"
        raise TypeError(msg)
    return {RootName(_text(name)): Path(os.path.realpath(_path(place))) for name, place in pairs}


READERS: Mapping[str, Callable[[Any], Any]] = {
    "data": _path,
    "artefacts": _path,
    "host": _text,
    "port": _whole(1, _MAX_PORT),
    "allowed_hosts": _hosts,
    "proxies": _proxies,
    "engine": _engine,
    "master": _text,
    "spark": _properties,
    "snapshots": _snapshots,
    "store": _store,
    "events": _events,
    "kafka": _properties,
    "metrics_port": _whole(1, _MAX_PORT),
    "workers": _whole(1, _MAX_WORKERS),
    "nice": _whole(0, _MAX_NICE),
    "rescan_minutes": _whole(1, 1_440),
    "file_timeout_s": _whole(1, 86_400),
    "decoder_silence_s": _whole(1, 86_400),
    "roots": _roots,
    "lateness_days": _whole(1, 3_650),
    "secret_key": _secret,
}
"""By the name of a setting, what reads its value; it raises ValueError or TypeError, with what to write."""
