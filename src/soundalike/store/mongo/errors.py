"""What MongoDB's driver raises, in words of ours; credentials are never among them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnavailableError, StoreUnfitError

DUPLICATE_KEY = 11000

_BUSY = {24, 112}  # a lock that was not given in time, and a write that met another's
_CREDENTIALS = {11, 18}  # unknown user, failed authentication
_ATLAS = {8000}  # whatever Atlas has to say: of credentials, of its quotas
_UNAUTHORISED = {13}
_ILLEGAL = 20
_TOO_LARGE = {10334, 17419, 17420}
_FULL = {14031}
_LATE = {50, 64, 89, 91, 189, 262, 11600, 11601, 11602, 13435, 13436}

_LONGEST_REASON = 300

NO_REPLICA_SET = (
    "is a single server without a replica set, and has no transactions; start it with --replSet rs0 and "
    "run rs.initiate() in its shell once"
)
_CHECK_CREDENTIALS = "refuses the user name or password; check them, and authSource, in --store"
_CHECK_ROLE = "lets this user do less than needed; give it the role readWrite on the database"
_IN_USE = "has been in use by others for too long; try again later"
_WHAT_TO_CHECK = (
    "check that it runs and has a primary, its address, the firewall and the TLS settings; "
    "it may be tried again"
)


@contextmanager
def telling_errors(hosts: str) -> Iterator[None]:
    """Raise what the driver raises inside the block as an error of the store on these hosts.

    Raises
    ------
    StoreUnavailableError
        If the server does not answer, or not in time.
    StoreBusyError
        If others kept changing the same documents for too long.
    StoreUnfitError
        If it can keep nothing until somebody mends it.
    StoreError
        If it refuses, or answers with what was never written.
    """
    try:
        yield
    except (PyMongoError, BSONError) as error:
        raise _told(error, hosts) from error


def is_conflict(error: PyMongoError) -> bool:
    """Whether a write met another's."""
    return bool(_codes(error) & _BUSY)


def in_use(hosts: str) -> StoreBusyError:
    """Return the error that others kept changing what was to be changed."""
    return StoreBusyError(f"the store at {hosts} {_IN_USE}")


def _told(error: Exception, hosts: str) -> StoreError:
    kind, why = _explained(error, _codes(error))
    return kind(f"the store at {hosts} {why}")


def _explained(error: Exception, codes: set[int]) -> tuple[type[StoreError], str]:
    """Return the error of ours that stands for one of the driver's, and what is wrong with the store."""
    has_no_transactions = _ILLEGAL in codes and "Transaction numbers" in str(error)
    is_closed = isinstance(error, InvalidOperation) and "after close" in str(error)
    is_unknown_to_atlas = bool(codes & _ATLAS) and "auth" in str(error).lower()
    is_too_large = bool(codes & _TOO_LARGE) or isinstance(error, DocumentTooLarge)
    # The server's own words may quote what was to be written, and are not told.
    code = f"{type(error).__name__}, code {', '.join(map(str, sorted(codes))) or 'none'}"
    cases: tuple[tuple[bool, type[StoreError], str], ...] = (
        (bool(codes & _CREDENTIALS) or is_unknown_to_atlas, StoreUnfitError, _CHECK_CREDENTIALS),
        (bool(codes & _ATLAS), StoreUnfitError, "is refused by Atlas; look at its quotas and its alerts"),
        (bool(codes & _UNAUTHORISED), StoreUnfitError, _CHECK_ROLE),
        (has_no_transactions, StoreUnfitError, NO_REPLICA_SET),
        (is_too_large, StoreError, "takes no document as large as this (16 MB)"),
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
        (is_closed, StoreError, "is closed already"),
        (isinstance(error, ConfigurationError), StoreError, f"cannot be used: {_reason(error)}"),
        (isinstance(error, BSONError), StoreError, "holds a damaged document; restore a backup"),
        (True, StoreError, f"failed ({code}); its log says more"),
    )
    return next((kind, why) for is_met, kind, why in cases if is_met)


def _is_late(error: Exception) -> bool:
    late = (ConnectionFailure, WriteConcernError)
    return isinstance(error, late) or (isinstance(error, PyMongoError) and error.timeout)


def _codes(error: BaseException) -> set[int]:
    """Return the server's codes of an error, and of those that it stands for."""
    found: set[int] = set()
    one: BaseException | None = error
    while one is not None:
        if isinstance(one, OperationFailure):
            found |= {one.code} if isinstance(one.code, int) else set()
            found |= set(_codes_inside(one.details or {}))
        one = one.__cause__
    return found


def _codes_inside(details: Mapping[str, Any]) -> Iterator[int]:
    """Yield the codes of each write that a bulk write failed at."""
    if isinstance(details.get("code"), int):
        yield details["code"]
    for kind in ("writeErrors", "writeConcernErrors"):
        for one in details.get(kind) or ():
            yield from _codes_inside(one)


def _reason(error: Exception) -> str:
    """Return the driver's words, without the configuration that it recites."""
    words = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]} ..."
