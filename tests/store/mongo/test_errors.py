"""Errors of the driver and of servers, and writes that meet others of the same document."""

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from soundalike.domain.errors import StoreError, StoreUnavailableError
from soundalike.store.mongo.errors import mapped_errors, upsert


class Upsert:
    """A write that fails some times, since another one of the same document is first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.is_done = False

    def __call__(self, *_arguments: object, upsert: bool) -> None:
        if self.failures:
            self.failures -= 1
            msg = "another write was first"
            raise DuplicateKeyError(msg)
        self.is_done = upsert


def test_an_upsert_that_meets_another_is_repeated() -> None:
    write = Upsert(failures=1)
    upsert(write, {}, {})
    assert write.is_done


def test_an_upsert_is_repeated_once() -> None:
    with pytest.raises(DuplicateKeyError):
        upsert(Upsert(failures=2), {}, {})


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, StoreUnavailableError), (8, StoreUnavailableError), (2, StoreError), (9, StoreError)],
)
def test_a_server_that_is_broken_is_away_and_one_that_rejects_a_command_is_not(
    code: int, kind: type[StoreError]
) -> None:
    details = {"ok": 0.0, "errmsg": "internal server error", "code": code}
    msg = "internal server error"
    with pytest.raises(StoreError) as raised, mapped_errors("host:1"):
        raise OperationFailure(msg, code, details)
    assert type(raised.value) is kind
    assert f"code {code}" in str(raised.value)
