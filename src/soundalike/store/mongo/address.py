"""Which servers and which database a connection string names, read as the driver reads it."""

from dataclasses import dataclass
from urllib.parse import unquote_plus

DATABASE = "soundalike"
"""Where a connection string names none."""

_PORT = ":27017"


@dataclass(frozen=True, slots=True)
class MongoAddress:
    """What may be shown of a connection string.

    Parameters
    ----------
    scheme : str
        ``"mongodb"`` or ``"mongodb+srv"``.
    hosts : str
        Its servers as it names them, joined by commas.
    database : str
        Its database; `DATABASE` where it names none.
    """

    scheme: str
    hosts: str
    database: str

    @classmethod
    def parse(cls, url: str) -> "MongoAddress | None":
        """Read a connection string; None where it is malformed, and a password might stand anywhere."""
        scheme, _, rest = url.partition("://")
        authority, _, path = rest.partition("?")[0].partition("/")
        hosts = authority.rpartition("@")[2]
        if not hosts or "@" in path or "/" in path:
            return None
        return cls(scheme, hosts, unquote_plus(path) or DATABASE)

    @property
    def name(self) -> str:
        """The same for whoever names the same servers and database, in whatever order and case."""
        hosts = sorted(host.lower().removesuffix(_PORT) for host in self.hosts.split(","))
        return f"{self.scheme}://{','.join(hosts)}/{self.database}"
