"""The library in MongoDB, which a cluster's executors read themselves, in parallel."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

CONNECTOR = "org.mongodb.spark:mongo-spark-connector_2.13:10.5.0"
"""MongoDB's connector for Spark, which is fetched from Maven Central unless jars are given."""

DOCUMENT_COLUMNS = "_id string, roles array<string>, vectors binary"

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

    Parameters
    ----------
    url : str
        Connection string. Never shown.
    database, collection : str
        Where the documents are.
    track, feature_set : str
        The fields with the track's id, and with the set's key.
    roles : str
        The field with the role of each patch.
    vectors : str
        The field with their vectors, row by row: BSON Binary, little-endian, of the set's dtype.
    """

    url: str = field(repr=False)
    database: str
    collection: str
    track: str = "track"
    feature_set: str = "set"
    roles: str = "roles"
    vectors: str = "vectors"

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

    def options(self, key: str, first_id: str, last_id: str) -> dict[str, str]:
        """Return the connector's read options for some tracks in one feature set, as one partition.

        Documents have `DOCUMENT_COLUMNS`. The driver knows all ids in order, so it divides the library
        itself: the connector's `PaginateIntoPartitionsPartitioner` would query the server for the beginning
        of each partition, and each time read all that is left of the collection.

        Parameters
        ----------
        key : str
            Of the set (`FeatureSchema.key`).
        first_id, last_id : str
            Of the tracks, in the order of their ids.
        """
        asked = {self.feature_set: key, self.track: {"$gte": first_id, "$lte": last_id}}
        columns = {"_id": f"${self.track}", "roles": f"${self.roles}", "vectors": f"${self.vectors}"}
        return {
            "connection.uri": _as_executors_use(self.url),
            "database": self.database,
            "collection": self.collection,
            "aggregation.pipeline": json.dumps([{"$match": asked}, {"$project": columns}]),
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
