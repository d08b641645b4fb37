"""The connection to MongoDB: its options, transactions, long readings, and what they end in."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import pymongo
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import AutoReconnect, CursorNotFound, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern

from soundalike.domain.errors import SettingsError, StoreError, StoreUnavailableError
from soundalike.store.mongo.address import DATABASE, MongoAddress
from soundalike.store.mongo.errors import NO_REPLICA_SET, in_use, is_conflict, telling_errors

Document = dict[str, Any]
Documents = Collection[Document]
Order = Sequence[tuple[str, int]]

BY_ID: Order = (("_id", 1),)

LARGEST_INTEGER = 2**63 - 1

# Asking for more ids at once makes some servers slow by its square; on others it is as good.
MOST_IDS = 100

DURABLE = WriteConcern(w="majority", j=True)

_CONNECT_TIMEOUT_S = 10.0
_MOMENT_S = 1.0
_TURNS = 3
_LOST = (CursorNotFound, AutoReconnect, ExecutionTimeout)
_SNAPSHOT = ReadConcern("snapshot")

_T = TypeVar("_T")


class MongoConnection:
    """One client of a MongoDB database, shared by all threads.

    Every write waits until most of the replica set has it in its journal, whatever the connection string
    says. Reads go to the primary, so that what was written is seen.
    """

    def __init__(self, url: str, *, timeout_s: float, selection_timeout_s: float) -> None:
        """Connect; what the connection string says of time-outs goes before the arguments.

        Raises
        ------
        SettingsError
            If the connection string cannot be used.
        StoreUnavailableError
            If the server does not answer.
        StoreError
            If it refuses the user, or is no replica set.
        """
        address = MongoAddress.parse(url)
        if address is None:
            raise SettingsError(_unusable(url))
        client = _client(url, timeout_s=timeout_s, selection_timeout_s=selection_timeout_s)
        if client is None:  # raised here, so that no cause that quotes the string hangs on it
            raise SettingsError(_unusable(url))
        self._client = client
        self.hosts = address.hosts
        if "." in address.database:
            client.close()
            msg = (
                f"the store at {self.hosts}: a database's name holds no dot, since MongoDB takes what "
                "follows for a collection; choose another name"
            )
            raise SettingsError(msg)
        self._timeout_s = client.options.timeout or None
        self._longest_s = self._timeout_s and 2 * self._timeout_s
        self._database: Database[Document] = client.get_default_database(DATABASE).with_options(
            read_preference=ReadPreference.PRIMARY, write_concern=DURABLE, read_concern=ReadConcern("local")
        )
        self._is_given_up = self._is_closed = False
        selection_timeout_s = client.options.server_selection_timeout
        try:
            with telling_errors(self.hosts), pymongo.timeout(selection_timeout_s):
                greeting = client.admin.command("hello")
            refuse_single_server(greeting, self.hosts)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every connection; what is asked after is told."""
        self._is_closed = True
        self._client.close()

    @contextmanager
    def using(self) -> Iterator[Database[Document]]:
        """Lend the database; what the driver raises inside the block is told as the store's error.

        Whoever finds the server gone waits as long as is allowed, since another of a replica set may take its
        place; whoever comes after that, until it is back, waits for a moment only.
        """
        self._refuse_after_closing()
        is_gone = self._is_given_up and self._is_without_primary()
        try:
            with telling_errors(self.hosts), pymongo.timeout(_MOMENT_S) if is_gone else nullcontext():
                yield self._database
        except StoreUnavailableError:
            self._is_given_up = True
            raise
        self._is_given_up = False

    def _is_without_primary(self) -> bool:
        return not self._client.topology_description.has_writable_server()

    def _refuse_after_closing(self) -> None:
        if self._is_closed:
            msg = f"the store at {self.hosts} is closed already"
            raise StoreError(msg)

    @contextmanager
    def taking_long(self) -> Iterator[Database[Document]]:
        """Lend the database for what may take longer than anything else."""
        with self.using() as database, pymongo.timeout(self._longest_s):
            yield database

    def transaction(
        self,
        work: Callable[[Database[Document], ClientSession], _T],
        *,
        is_long: bool = False,
    ) -> _T:
        """Do work whose changes come about together or not at all; done anew where another's came between.

        What a killed process had begun stands in the way until the server gives it up, after a minute: so
        others are waited for three times as long as the server itself.

        `work` hands the session on to everything that it asks of the database, and changes nothing else.
        """
        conflicts = 0

        def attempt(session: ClientSession) -> _T:
            nonlocal conflicts
            try:
                return work(self._database, session)
            except PyMongoError as error:
                conflicts += is_conflict(error)
                raise

        for turn in range(1, _TURNS + 1):
            conflicts = 0
            try:
                return self._transaction(attempt, self._longest_s if is_long else self._timeout_s)
            except StoreUnavailableError as error:
                if not conflicts or self._is_without_primary():
                    raise
                if turn == _TURNS:
                    raise in_use(self.hosts) from error
        raise AssertionError

    def _transaction(self, attempt: Callable[[ClientSession], _T], timeout_s: float | None) -> _T:
        with self.using(), pymongo.timeout(timeout_s), self._client.start_session() as session:
            return session.with_transaction(
                attempt,
                read_concern=_SNAPSHOT,
                write_concern=DURABLE,
                read_preference=ReadPreference.PRIMARY,
            )

    def reading(  # noqa: PLR0913 - a query has that many parts
        self,
        collection: str,
        query: Mapping[str, Any],
        *,
        order: Order,
        beyond: Callable[[Document], Mapping[str, Any]],
        fields: Sequence[str] | None = None,
        hint: Order | None = None,
        batch: int,
    ) -> Iterator[Document]:
        """Yield documents in an order, in bounded memory, however long the caller takes for each.

        A server forgets a cursor that rests for ten minutes or has worked for too long, and those of a
        server that was restarted are gone: the reading goes on with a new one, as long as it gets on.

        Parameters
        ----------
        collection : str
            Its name.
        query : mapping
            What the documents meet.
        order : sequence of (str, int)
            Fields and directions; no two documents are equal in it.
        beyond : callable
            Returns the condition that a document comes after a given one.
        fields : sequence of str or None
            What is read of each; None is all.
        hint : sequence of (str, int) or None
            The index to read by.
        batch : int
            How many are held at a time.
        """
        last: Document | None = None
        while True:
            self._refuse_after_closing()
            has_moved = False
            wanted = query if last is None else {"$and": [query, beyond(last)]}
            try:
                with self.taking_long() as database:  # some servers put all of it in order first
                    cursor = database[collection].find(
                        wanted, fields, sort=order, batch_size=batch, **({"hint": hint} if hint else {})
                    )
                    document = next(cursor, None)
                with closing(cursor):
                    while document is not None:
                        last, has_moved = document, True
                        yield document
                        with telling_errors(self.hosts):
                            document = next(cursor, None)
            except StoreError as error:
                if not has_moved or not isinstance(error.__cause__, _LOST):
                    raise
            else:
                return


def after_id(document: Document) -> Document:
    """Return the condition that a document comes after a given one by ``_id``."""
    return {"_id": {"$gt": document["_id"]}}


def refuse_single_server(hello: Mapping[str, Any], hosts: str) -> None:
    """Raise unless a server's greeting tells of a replica set or of a router before several.

    Raises
    ------
    StoreError
        If it does not.
    """
    if not hello.get("setName") and hello.get("msg") != "isdbgrid":
        msg = f"the store at {hosts} {NO_REPLICA_SET}"
        raise StoreError(msg)


def _client(url: str, *, timeout_s: float, selection_timeout_s: float) -> MongoClient[Document] | None:
    """Make a client, which connects by itself later; None where the connection string makes none."""
    wishes: dict[str, Any] = {
        "appName": "soundalike",
        "timeoutMS": int(timeout_s * 1000),
        "serverSelectionTimeoutMS": int(selection_timeout_s * 1000),
        "connectTimeoutMS": int(min(_CONNECT_TIMEOUT_S, selection_timeout_s) * 1000),
    }
    said = {name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
    options = {name: value for name, value in wishes.items() if name.lower() not in said}
    try:
        url.encode()  # no lone surrogates
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # an option that is not known is a mistake
            return MongoClient(url, **options)
    except (PyMongoError, UserWarning, OSError, TypeError, ValueError):
        return None


def _unusable(url: str) -> str:
    what_to_write = (
        "the connection string of the store (--store) cannot be used: write "
        "mongodb://USER:PASSWORD@HOST:27017/DATABASE, with options that MongoDB knows, and %XX in "
        "place of any of : / ? # [ ] @ % in user name and password"
    )
    words = [what_to_write]
    if url.startswith("mongodb+srv"):
        words.append("check that its host has an SRV record and can be looked up")
    if "file=" in url.lower():
        words.append("check that the files which it names are there")
    return "; ".join((*words, "it is not shown here"))
