"""Settling what changed in the catalogue: artists, genres, albums and recordings."""

from collections import Counter
from functools import partial

from soundalike.domain.catalogue import albums_to_settle, settle
from soundalike.domain.entries import Group
from soundalike.domain.ports.catalogue import CatalogueStore

_BATCH = 500
_ATTEMPTS = 3


def settle_catalogue(store: CatalogueStore) -> int:
    """Settle every group of tracks that changed; return how many there were.

    Each group is stored on its own, so that an interrupted run is continued by the next. Artists come
    before albums.
    """
    count = 0
    attempts: Counter[Group] = Counter()
    while groups := store.unsettled(_BATCH):
        if min(attempts[group] for group in groups) >= _ATTEMPTS:
            break  # another process changes their tracks all the time, and settles them when it is done
        attempts.update(groups.keys())
        for group, mark in groups.items():
            settled = settle(group, partial(store.tracks_in, group))
            then = albums_to_settle(group.kind, settled.tracks)
            store.save_settled(group, settled, mark=mark, then=then)
            count += 1
    return count
