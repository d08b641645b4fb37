"""The connection to MongoDB: its options, transactions, scans, and their errors."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import pymongo
from bson import ObjectId
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    CursorNotFound,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from soundalike.domain.errors import SettingsError, StoreError, StoreUnavailableError, StoreUnfitError
from soundalike.store.last_failure import LastFailure
from soundalike.store.mongo.address import DATABASE, MongoAddress
from soundalike.store.mongo.errors import (
    NO_REPLICA_SET,
    NO_TRANSACTIONS,
    in_use,
    is_conflict,
    mapped_errors,
)

Document = dict[str, Any]
Documents = Collection[Document]
Order = Sequence[tuple[str, int]]

BY_ID: Order = (("_id", 1),)

# More ids in one query take quadratic time on some servers, and are no faster on others.
MOST_IDS = 100

DURABLE = WriteConcern(w="majority", j=True)

_CONNECT_TIMEOUT_S = 10.0
_SHORT_TIMEOUT_S = 1.0
_ATTEMPTS = 3
_LOST_CURSOR = (CursorNotFound, AutoReconnect, ExecutionTimeout)
_SNAPSHOT = ReadConcern("snapshot")
_TRIAL = "library"  # a collection that every store has

_T = TypeVar("_T")


class _TakenBackError(Exception):
    """Ends a transaction, so that nothing of it is stored."""


class MongoConnection:
    """One client of a MongoDB database, shared by all threads.

    Every write waits until the majority of the replica set has it in its journal, whatever the connection
    string says. Reads go to the primary, so that they see all writes.
    """

    def __init__(self, url: str, *, timeout_s: float, selection_timeout_s: float) -> None:
        """Connect; time-outs in the connection string override the arguments.

        Raises
        ------
        SettingsError
            If the connection string cannot be used.
        StoreUnavailableError
            If the server does not answer.
        StoreError
            If it refuses the user, or does not run transactions.
        """
        address = MongoAddress.parse(url)
        if address is None:
            raise SettingsError(_unusable(url))
        client = _client(url, timeout_s=timeout_s, selection_timeout_s=selection_timeout_s)
        if client is None:  # raised here, so that it has no cause that quotes the string
            raise SettingsError(_unusable(url))
        self._client = client
        self.hosts = address.hosts
        if "." in address.database:
            client.close()
            msg = (
                f"the store at {self.hosts}: the name of a database has no dot, since MongoDB takes what "
                "follows as a collection; choose another name"
            )
            raise SettingsError(msg)
        self._timeout_s = client.options.timeout or None
        self._longest_s = self._timeout_s and 2 * self._timeout_s
        self._database: Database[Document] = client.get_default_database(DATABASE).with_options(
            read_preference=ReadPreference.PRIMARY, write_concern=DURABLE, read_concern=ReadConcern("local")
        )
        self._is_unreachable = self._is_closed = False
        self.last_failure = LastFailure()
        self.library_id: str | None = None
        """The id of the library, as it is stored, once it is known."""
        selection_timeout_s = client.options.server_selection_timeout
        try:
            with mapped_errors(self.hosts), pymongo.timeout(selection_timeout_s):
                hello = client.admin.command("hello")
            refuse_single_server(hello, self.hosts)
            self._try_transaction()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every connection; using the store after it raises an error."""
        self._is_closed = True
        self._client.close()

    @contextmanager
    def using(self, *, is_long: bool = False) -> Iterator[Database[Document]]:
        """Lend the database; errors of the driver inside the block are raised as the store's own.

        The first who finds the server gone waits for the whole time-out, since the replica set may elect
        another primary. After that, until it is back, everyone waits only a short time.

        Parameters
        ----------
        is_long : bool
            Whether a command may take longer than others.
        """
        self._refuse_after_closing()
        is_gone = self._is_unreachable and self._is_without_primary()
        try:
            timeout_s = _SHORT_TIMEOUT_S if is_gone else self._longest_s
            with (
                self.last_failure.noted(),
                mapped_errors(self.hosts),
                pymongo.timeout(timeout_s) if is_gone or is_long else nullcontext(),
            ):
                yield self._database
        except StoreUnavailableError:
            self._is_unreachable = True
            raise
        self._is_unreachable = False

    def _is_without_primary(self) -> bool:
        return not self._client.topology_description.has_writable_server()

    def _refuse_after_closing(self) -> None:
        if self._is_closed:
            msg = f"the store at {self.hosts} is already closed"
            raise StoreError(msg)

    def transaction(
        self,
        work: Callable[[Database[Document], ClientSession], _T],
        *,
        is_long: bool = False,
    ) -> _T:
        """Run a transaction; it is repeated where another one conflicted with it.

        A killed process's transaction blocks others until the server aborts it, after a minute. So
        conflicts are waited for three times as long as the server itself.

        Parameters
        ----------
        work : callable
            Passes the session to every command, and changes nothing but the database.
        is_long : bool
            Whether it may take longer than other transactions.
        """
        conflicts = 0

        def attempt(session: ClientSession) -> _T:
            nonlocal conflicts
            try:
                return work(self._database, session)
            except PyMongoError as error:
                conflicts += is_conflict(error)
                raise

        for number in range(1, _ATTEMPTS + 1):
            conflicts = 0
            try:
                return self._transaction(attempt, self._longest_s if is_long else self._timeout_s)
            except StoreUnavailableError as error:
                if not conflicts or self._is_without_primary():
                    raise
                if number == _ATTEMPTS:
                    raise in_use(self.hosts) from error
        raise AssertionError

    def _transaction(self, attempt: Callable[[ClientSession], _T], timeout_s: float | None) -> _T:
        with self.using(), pymongo.timeout(timeout_s), self._client.start_session() as session:
            found = session.with_transaction(
                attempt,
                read_concern=_SNAPSHOT,
                write_concern=DURABLE,
                read_preference=ReadPreference.PRIMARY,
            )
        self.last_failure.forget()
        return found

    def _try_transaction(self) -> None:
        """Take a change back, and look whether it is gone: some servers refuse transactions, or ignore them.

        Raises
        ------
        StoreUnfitError
            If it is there, or the server refuses.
        """
        trial = {"_id": ObjectId()}

        def change(database: Database[Document], session: ClientSession) -> None:
            database[_TRIAL].insert_one(dict(trial), session=session)
            raise _TakenBackError

        try:
            with suppress(_TakenBackError):
                self.transaction(change)
            with self.using() as database:
                if database[_TRIAL].find_one(trial) is None:
                    return
                database[_TRIAL].delete_one(trial)
        except StoreError as error:
            if not isinstance(error.__cause__, OperationFailure) or type(error) is not StoreError:
                raise
            raise self._unfit() from error
        raise self._unfit()

    def _unfit(self) -> StoreUnfitError:
        return StoreUnfitError(f"the store at {self.hosts} {NO_TRANSACTIONS}")

    def scan(  # noqa: PLR0913 - a query has that many parts
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

        A server closes a cursor that is idle for ten minutes or runs for too long, and a restart loses
        them: the scan then continues with a new one, as long as each yields something.

        Parameters
        ----------
        collection : str
            Its name.
        query : mapping
            The condition of the documents.
        order : sequence of (str, int)
            Fields and directions; no two documents are equal by them.
        beyond : callable
            Returns the condition that a document comes after a given one.
        fields : sequence of str or None
            The fields that are read; None for all.
        hint : sequence of (str, int) or None
            The index to use.
        batch : int
            How many are in memory at a time.
        """
        last: Document | None = None
        while True:
            self._refuse_after_closing()
            has_moved = False
            wanted = query if last is None else {"$and": [query, beyond(last)]}
            try:
                with self.using(is_long=True) as database:  # some servers sort everything first
                    cursor = database[collection].find(
                        wanted, fields, sort=order, batch_size=batch, **({"hint": hint} if hint else {})
                    )
                    document = next(cursor, None)
                with closing(cursor):
                    while document is not None:
                        last, has_moved = document, True
                        yield document
                        with mapped_errors(self.hosts):
                            document = next(cursor, None)
            except StoreError as error:
                if not has_moved or not isinstance(error.__cause__, _LOST_CURSOR):
                    raise
            else:
                return


def after_id(document: Document) -> Document:
    """Return the condition that a document comes after a given one by ``_id``."""
    return {"_id": {"$gt": document["_id"]}}


def refuse_single_server(hello: Mapping[str, Any], hosts: str) -> None:
    """Raise unless a server's `hello` is that of a replica set, or of a router.

    Raises
    ------
    StoreError
        If it is not.
    """
    if not hello.get("setName") and hello.get("msg") != "isdbgrid":
        msg = f"the store at {hosts} {NO_REPLICA_SET}"
        raise StoreError(msg)


def _client(url: str, *, timeout_s: float, selection_timeout_s: float) -> MongoClient[Document] | None:
    """Make a client, which connects by itself later; None if the connection string is invalid."""
    defaults: dict[str, Any] = {
        "appName": "soundalike",
        "timeoutMS": int(timeout_s * 1000),
        "serverSelectionTimeoutMS": int(selection_timeout_s * 1000),
        "connectTimeoutMS": int(min(_CONNECT_TIMEOUT_S, selection_timeout_s) * 1000),
    }
    given = {name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
    options = {name: value for name, value in defaults.items() if name.lower() not in given}
    try:
        url.encode()  # no lone surrogates
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # an unknown option is an error
            return MongoClient(url, **options)
    except (PyMongoError, UserWarning, OSError, TypeError, ValueError):
        return None


def _unusable(url: str) -> str:
    what_to_write = (
        "the connection string of the store (--store) cannot be used: write "
        "mongodb://USER:PASSWORD@HOST:27017/DATABASE, with options that MongoDB knows, and %XX in "
        "place of any of : / ? # [ ] @ % in user name and password"
    )
    advice = [what_to_write]
    if url.startswith("mongodb+srv"):
        advice.append("check that its host has an SRV record and can be looked up")
    if "file=" in url.lower():
        advice.append("check that the files in it exist")
    return "; ".join((*advice, "it is not shown here"))
