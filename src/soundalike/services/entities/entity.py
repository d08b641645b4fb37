"""How an entity, one kind of thing in a store, is declared."""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import Profile
from soundalike.domain.types import UserId

DIGEST_BYTES = 32

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Record:
    """One thing in a store, in a form that does not depend on the store.

    Parameters
    ----------
    kind : str
        Under which it is counted and reported.
    name : str
        For people, without secrets.
    content : bytes
        All of it.
    """

    kind: str
    name: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """BLAKE2b of name and content."""
        name = self.name.encode(errors="surrogatepass")
        return hashlib.blake2b(name + b"\0" + self.content, digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserData:
    """One user's data: the store, and their profile as it is now."""

    store: Store
    user_id: UserId
    profile: Profile


@dataclass(frozen=True, slots=True)
class Export:
    """What a user's export has of an entity.

    Parameters
    ----------
    member : str
        Its member in the exported JSON object.
    body : callable
        Returns it as JSON values; an iterator becomes a list that is written while it is read.
    """

    member: str
    body: Callable[[UserData], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity(Generic[_T]):
    """How one kind of thing is read, named, digested, compared, written, exported and erased.

    Parameters
    ----------
    kind : str
        Under which it is counted and reported.
    read : callable
        Yields every one in a store, in bounded memory, ascending by `order`.
    order : callable
        Returns by what all stores order them. Few have the same value, and come in any order.
    key : callable, optional
        Returns what identifies one; `order` by default. One replaces another with the same key.
    name, content : callable
        Return what its record has.
    write : callable
        Writes several into a store, each new or in place of the one with its key.
    batch : int
        How many are written at once.
    remove : callable
        Removes from the second store one that the first no longer has; does nothing by default.
    count : callable
        Returns about how many there are, for progress; 0 for unknown.
    exports : sequence of Export
        What a user's export has of it.
    erase : callable, optional
        Removes what a store has of a user who is erased.
    """

    kind: str
    read: Callable[[Store], Iterable[_T]]
    order: Callable[[_T], Any]
    key: Callable[[_T], Hashable] | None = None
    name: Callable[[_T], str]
    content: Callable[[_T], bytes]
    write: Callable[[Store, Sequence[_T]], object]
    batch: int = 1
    remove: Callable[[Store, Store, _T], object] = lambda _source, _target, _one: None
    count: Callable[[Store], int] = lambda _store: 0
    exports: Sequence[Export] = ()
    erase: Callable[[Store, Erasure], object] | None = None

    def key_of(self, one: _T) -> Hashable:
        """Return what identifies one."""
        return (self.key or self.order)(one)

    def record(self, one: _T) -> Record:
        """Return the record of one."""
        return Record(self.kind, self.name(one), self.content(one))


def fields(*values: object) -> bytes:
    """Return text, bytes, whole numbers and None as bytes that no other values have."""
    return ascii(values).encode()


def one_by_one(save: Callable[[Store, _T], object]) -> Callable[[Store, Sequence[_T]], object]:
    """Write things one by one."""
    return lambda store, found: [save(store, one) for one in found]
