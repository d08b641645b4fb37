"""Settling what changed in the catalogue: artists, genres, albums and recordings."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from itertools import groupby

from soundalike.domain.catalogue import albums_to_settle, settle
from soundalike.domain.entries import EntryKind, Group, SettledGroup
from soundalike.domain.genres import settle_genre
from soundalike.domain.ports.catalogue import CatalogueStore

_BATCH = 500
_MOST_TRACKS = 1_000
_ATTEMPTS = 3


def settle_catalogue(store: CatalogueStore) -> int:
    """Settle every group of tracks that changed; return how many there were.

    Some hundred groups are stored at a time, so that an interrupted run is continued by the next. Artists
    come before albums.
    """
    count = 0
    attempts: Counter[Group] = Counter()
    while groups := store.unsettled(_BATCH):
        if min(attempts[group] for group in groups) >= _ATTEMPTS:
            break  # another process changes their tracks all the time, and settles them when it is done
        attempts.update(groups.keys())
        # An album names its artist, so artists are stored before albums are read.
        for _, of_kind in groupby(groups.items(), key=lambda pair: pair[0].kind):
            _settle(store, of_kind)
        count += len(groups)
    return count


def _settle(store: CatalogueStore, groups: Iterable[tuple[Group, int]]) -> None:
    """Settle groups of one kind; few tracks are in memory, and few are written at a time."""
    found: list[SettledGroup] = []
    tracks = 0
    for group, mark in groups:
        if group.kind is EntryKind.GENRE:
            settled = settle_genre(group.key, store.genre_tags(group))
        else:
            settled = settle(group, partial(store.tracks_in, group))
        found.append(SettledGroup(group, settled, mark, albums_to_settle(group.kind, settled.tracks)))
        tracks += len(settled.tracks)
        if tracks >= _MOST_TRACKS:
            store.save_settled(found)
            found, tracks = [], 0
    if found:
        store.save_settled(found)
