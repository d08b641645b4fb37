"""Writes that meet others of the same document."""

import pytest
from pymongo.errors import DuplicateKeyError

from soundalike.store.mongo.errors import upsert


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
