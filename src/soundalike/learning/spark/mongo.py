"""The library in MongoDB, which a cluster's executors read themselves, in parallel."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

CONNECTOR = "org.mongodb.spark:mongo-spark-connector_2.13:10.5.0"
"""MongoDB's connector for Spark, which is fetched from Maven Central unless jars are given."""

_SET_FIELDS = {
    "set": "string",
    "dtype": "string",
    "width": "int",
    "roles": "array<string>",
    "vectors": "binary",
}

DOCUMENT_COLUMNS = (
    f"_id string, sets array<struct<{', '.join(f'{name}: {kind}' for name, kind in _SET_FIELDS.items())}>>"
)

_PARTITIONER = "com.mongodb.spark.sql.connector.read.partitioner.SinglePartitionPartitioner"
_TIMEOUT = "serverSelectionTimeoutMS"
_TIMEOUT_MS = 10_000
_ELSEWHERE = re.compile(r"(?:readPreference(?:Tags)?|maxStalenessSeconds)=", re.IGNORECASE)
# A shorter text would occur in many words.
_TOO_COMMON = 3
_PASSWORD = re.compile(r"//[^/@:]*:([^/@]+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoSource:
    """A collection with one document for each track and feature set.

    Each has the fields ``track`` (its id), ``set`` (the set's key), ``dtype``, ``width``, ``roles`` (of the
    patches) and ``vectors`` (little-endian, patch by patch).

    Parameters
    ----------
    url : str
        Connection string. Never shown.
    database, collection : str
        Where the documents are.
    """

    url: str = field(repr=False)
    database: str
    collection: str

    @property
    def name(self) -> str:
        """Database and collection, for messages."""
        return f"{self.database}.{self.collection}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show: the connection string, and the password, encoded and decoded."""
        found = _PASSWORD.search(self.url)
        passwords = {found[1], unquote(found[1])} if found else set[str]()
        told = {one for one in passwords if len(one) > _TOO_COMMON}
        hidden = {self.url, _as_executors_use(self.url)} | told
        return tuple(sorted(hidden, key=len, reverse=True))

    def options(self, first_id: str, last_id: str, keys: Sequence[str]) -> dict[str, str]:
        """Return the connector's read options for the tracks from one id to another, as one partition.

        Rows have `DOCUMENT_COLUMNS`, those of vanished tracks too. The driver knows all ids in order, so
        it divides the library itself: the connector's `PaginateIntoPartitionsPartitioner` would query the
        server for the beginning of each partition, and each time read all that is left of the collection.

        Parameters
        ----------
        first_id, last_id : str
            Of the tracks.
        keys : sequence of str
            Of the feature sets.
        """
        wanted = {"set": {"$in": list(keys)}, "track": {"$gte": first_id, "$lte": last_id}}
        of_track = {"_id": "$track", "sets": {"$push": {name: f"${name}" for name in _SET_FIELDS}}}
        return {
            "connection.uri": _as_executors_use(self.url),
            "database": self.database,
            "collection": self.collection,
            "aggregation.pipeline": json.dumps([{"$match": wanted}, {"$group": of_track}]),
            "partitioner": _PARTITIONER,
            # A document that cannot be read is an error, not a missing row.
            "mode": "FAILFAST",
        }


def _as_executors_use(url: str) -> str:
    """Return a connection string that reads the primary, and by default gives up after 10 s."""
    base, _, options = url.partition("?")
    kept = [option for option in options.split("&") if option and not _ELSEWHERE.match(option)]
    if not any(option.lower().startswith(_TIMEOUT.lower()) for option in kept):
        kept.append(f"{_TIMEOUT}={_TIMEOUT_MS}")
    if "/" not in base.partition("://")[2]:
        base += "/"
    return f"{base}?{'&'.join(kept)}"
