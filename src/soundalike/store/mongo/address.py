"""The servers and the database in a connection string, parsed as the driver does."""

from dataclasses import dataclass
from urllib.parse import unquote_plus

DATABASE = "soundalike"
"""The database of a connection string without one."""

_PORT = ":27017"


@dataclass(frozen=True, slots=True)
class MongoAddress:
    """What may be shown of a connection string.

    Parameters
    ----------
    scheme : str
        ``"mongodb"`` or ``"mongodb+srv"``.
    hosts : str
        Its servers as they are written, with commas between them.
    database : str
        Its database, or `DATABASE`.
    """

    scheme: str
    hosts: str
    database: str

    @classmethod
    def parse(cls, url: str) -> "MongoAddress | None":
        """Parse a connection string; None if it is malformed, when a password may be anywhere in it."""
        scheme, _, rest = url.partition("://")
        authority, _, path = rest.partition("?")[0].partition("/")
        hosts = authority.rpartition("@")[2]
        if not hosts or "@" in path or "/" in path:
            return None
        return cls(scheme, hosts, unquote_plus(path) or DATABASE)

    @property
    def name(self) -> str:
        """The same for all strings with the same servers and database, whatever their order and case."""
        hosts = sorted(host.lower().removesuffix(_PORT) for host in self.hosts.split(","))
        return f"{self.scheme}://{','.join(hosts)}/{self.database}"
