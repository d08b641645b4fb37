"""Errors of MongoDB's driver as our own, without credentials."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnavailableError, StoreUnfitError

DUPLICATE_KEY = 11000
NAMESPACE_EXISTS = 48

_BUSY = {24, 112}  # lock time-out, write conflict
_CREDENTIALS = {11, 18}  # unknown user, failed authentication
_ATLAS = {8000}  # errors of Atlas, about credentials or quotas
_UNAUTHORISED = {13}
_ILLEGAL = 20
_TOO_LARGE = {10334, 17419, 17420}
_FULL = {14031}
_BROKEN = {1, 8}  # internal error, unknown error: of the server, whatever it was asked
_LATE = {50, 64, 89, 91, 189, 262, 11600, 11601, 11602, 13435, 13436}

_LONGEST_REASON = 300

NO_REPLICA_SET = (
    "is a single server without a replica set, and so without transactions; start it with --replSet rs0 and "
    "run rs.initiate() in its shell once"
)
NO_TRANSACTIONS = (
    "does not run transactions, whatever it says of itself; use MongoDB as a replica set or behind a "
    "router, or another server with its protocol that runs them"
)
_CHECK_CREDENTIALS = "refuses the user name or password; check them, and authSource, in --store"
_CHECK_ROLE = "does not allow this user enough; give it the role readWrite on the database"
_IN_USE = "has been in use by others for too long; try again later"
_WHAT_TO_CHECK = (
    "check that it runs and has a primary, its address, the firewall and the TLS settings, and try again"
)


@contextmanager
def mapped_errors(hosts: str) -> Iterator[None]:
    """Raise errors of the driver inside the block as errors of the store on these hosts.

    Raises
    ------
    StoreUnavailableError
        If the server does not answer, not in time, or only that it is broken.
    StoreBusyError
        If others kept changing the same documents for too long.
    StoreUnfitError
        If it can store nothing until it is repaired.
    StoreError
        If it refuses, or answers with damaged documents.
    """
    try:
        yield
    except (PyMongoError, BSONError) as error:
        raise _mapped(error, hosts) from error


@contextmanager
def no_error_if_there() -> Iterator[None]:
    """Pass over the error that a collection cannot be created, since there is one with its name."""
    try:
        yield
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise


def upsert(write: Callable[..., object], condition: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    """Update a document or insert it, outside a transaction.

    MongoDB repeats an upsert that met another one of the same new document; other servers report a duplicate
    key. Then it is repeated here, and meets the other's document.

    Parameters
    ----------
    write : callable
        A collection's ``update_one`` or ``replace_one``.
    condition, change : mapping
        Which document, and what it becomes.
    """
    try:
        write(condition, change, upsert=True)
    except DuplicateKeyError:
        write(condition, change, upsert=True)


def is_conflict(error: PyMongoError) -> bool:
    """Whether it is a conflict between two writes."""
    return bool(_codes(error) & _BUSY)


def in_use(hosts: str) -> StoreBusyError:
    """Return the error that other processes kept changing the same documents."""
    return StoreBusyError(f"the store at {hosts} {_IN_USE}")


def _mapped(error: Exception, hosts: str) -> StoreError:
    kind, why = _classified(error, _codes(error))
    return kind(f"the store at {hosts} {why}")


def _classified(error: Exception, codes: set[int]) -> tuple[type[StoreError], str]:
    """Return the type of our error for one of the driver's, and what is wrong with the store."""
    has_no_transactions = _ILLEGAL in codes and "Transaction numbers" in str(error)
    is_closed = isinstance(error, InvalidOperation) and "after close" in str(error)
    is_unknown_to_atlas = bool(codes & _ATLAS) and "auth" in str(error).lower()
    is_too_large = bool(codes & _TOO_LARGE) or isinstance(error, DocumentTooLarge)
    # The server's own message may quote documents, and is not shown.
    code = f"{type(error).__name__}, code {', '.join(map(str, sorted(codes))) or 'none'}"
    cases: tuple[tuple[bool, type[StoreError], str], ...] = (
        (bool(codes & _CREDENTIALS) or is_unknown_to_atlas, StoreUnfitError, _CHECK_CREDENTIALS),
        (bool(codes & _ATLAS), StoreUnfitError, "is refused by Atlas; check its quotas and its alerts"),
        (bool(codes & _UNAUTHORISED), StoreUnfitError, _CHECK_ROLE),
        (has_no_transactions, StoreUnfitError, NO_REPLICA_SET),
        (is_too_large, StoreError, "does not store documents of more than 16 MB"),
        (
            bool(codes & _FULL),
            StoreUnfitError,
            "has no space left on its disk; free some and run the command again",
        ),
        (bool(codes & _BUSY), StoreBusyError, _IN_USE),
        (
            _is_late(error) or bool(codes & _LATE),
            StoreUnavailableError,
            f"does not answer ({_reason(error)}); {_WHAT_TO_CHECK}",
        ),
        (
            bool(codes & _BROKEN),
            StoreUnavailableError,
            f"answers with an error of its own ({code}); its log says more, and it may have to be restarted",
        ),
        (is_closed, StoreError, "is already closed"),
        (isinstance(error, ConfigurationError), StoreError, f"cannot be used: {_reason(error)}"),
        (isinstance(error, BSONError), StoreError, "has a damaged document; restore a backup"),
        (True, StoreError, f"failed ({code}); its log says more"),
    )
    return next((kind, why) for is_met, kind, why in cases if is_met)


def _is_late(error: Exception) -> bool:
    late = (ConnectionFailure, WriteConcernError)
    return isinstance(error, late) or (isinstance(error, PyMongoError) and error.timeout)


def _codes(error: BaseException) -> set[int]:
    """Return the server's codes of an error and of its causes."""
    found: set[int] = set()
    one: BaseException | None = error
    while one is not None:
        if isinstance(one, OperationFailure):
            found |= {one.code} if isinstance(one.code, int) else set()
            found |= set(_codes_inside(one.details or {}))
        one = one.__cause__
    return found


def _codes_inside(details: Mapping[str, Any]) -> Iterator[int]:
    """Yield the codes of the writes that failed in a bulk write."""
    if isinstance(details.get("code"), int):
        yield details["code"]
    for kind in ("writeErrors", "writeConcernErrors"):
        for one in details.get(kind) or ():
            yield from _codes_inside(one)


def _reason(error: Exception) -> str:
    """Return the driver's message without the configuration that it repeats."""
    words = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]} ..."
