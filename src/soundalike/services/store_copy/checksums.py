"""What a store holds: counted and summed up, so that two of them can be compared without keeping either."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from soundalike.domain.errors import CopyError, StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.ports.library import Progress, Store
from soundalike.services.store_copy.records import (
    DIGEST_BYTES,
    Item,
    Kind,
    account_item,
    erasure_item,
    listen_item,
    problem_item,
    profile_item,
    root_item,
    token_item,
    track_items,
)

Stage = Callable[[str], AbstractContextManager[Progress]]
"""Opens a stretch of work by its name; what it gives is told how far it is."""

_BUCKETS = 256
_STEP = 500

_T = TypeVar("_T")


@dataclass(slots=True)
class Tally:
    """How many items there are of a kind, and the sum of their digests, whatever their order.

    Sums are kept in parts by name, so that where two stores differ only few items need to be read again.
    """

    count: int = 0
    sums: list[int] = field(default_factory=lambda: [0] * _BUCKETS)

    def add(self, item: Item) -> None:
        """Count an item."""
        self.count += 1
        self.sums[item.bucket] += int.from_bytes(item.digest)

    @property
    def checksum(self) -> str:
        """Hex of the sum."""
        return f"{sum(self.sums) % (1 << 8 * DIGEST_BYTES):0{2 * DIGEST_BYTES}x}"


Stock = Mapping[Kind, Tally]


def new_stock() -> dict[Kind, Tally]:
    """Return the stock of a store that holds nothing."""
    return {kind: Tally() for kind in Kind}


def take_stock(store: Store, stage: Stage, *, whose: str) -> Stock:
    """Read all that a store holds.

    Raises
    ------
    StoreError
        That names what is damaged.
    """
    stock = new_stock()
    for what, read in _READERS.items():
        with stage(f"Checking {what} in {whose}") as progress:
            for done, item in enumerate(read(store), start=1):
                stock[item.kind].add(item)
                if done % _STEP == 0:
                    progress(done, 0)
    return stock


def tally_roots(store: Store) -> Tally:
    """Count the roots of a store as they are now."""
    tally = Tally()
    for root in store.roots():
        tally.add(root_item(root))
    return tally


def differences(first: Store, second: Store, stocks: tuple[Stock, Stock], kind: Kind) -> list[str]:
    """Name items of a kind in which two stores differ: those of the first part whose sums do, at least."""
    mine, theirs = (stock[kind].sums for stock in stocks)
    bucket = next((number for number in range(_BUCKETS) if mine[number] != theirs[number]), None)
    found: list[set[tuple[str, bytes]]] = [
        {(item.name, item.digest) for item in _items_of(store, kind) if item.bucket == bucket}
        for store in (first, second)
    ]
    return sorted({name for name, _ in found[0] ^ found[1]})


def _items_of(store: Store, kind: Kind) -> Iterator[Item]:
    what = {Kind.TOKENS: "accounts", Kind.VECTORS: "tracks"}.get(kind, kind.value)
    return (item for item in _READERS[what](store) if item.kind is kind)


def _accounts(store: Store) -> Iterator[Item]:
    for user in store.users():
        yield account_item(user)
        yield from map(token_item, store.tokens_of(user.id))


def _tracks(store: Store) -> Iterator[Item]:
    for kept in store.kept_tracks():
        yield from track_items(kept)


def _listens(store: Store) -> Iterator[Item]:
    for user_id in store.listen_counts():
        yield from map(listen_item, telling(f"the listens of {user_id!r}", store.listens_of(user_id)))


def _profiles(store: Store) -> Iterator[Item]:
    for user_id in store.profile_counts():
        profile = store.profile(user_id)
        if profile is not None:
            yield profile_item(profile)


_READERS: Mapping[str, Callable[[Store], Iterable[Item]]] = {
    "accounts": _accounts,
    "tracks": _tracks,
    "problems": lambda store: map(problem_item, store.problems()),
    "erasures": lambda store: map(erasure_item, store.erasures()),
    "listens": _listens,
    "profiles": _profiles,
    "roots": lambda store: map(root_item, store.roots()),
}


def telling(what: str, rows: Iterable[_T]) -> Iterator[_T]:
    """Yield rows; an error in reading them says what they are."""
    with _telling(what):
        yield from rows


@contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except (StoreBusyError, StoreUnavailableError):
        raise
    except StoreError as error:
        msg = f"{what}: {error}"
        raise CopyError(msg) from error
