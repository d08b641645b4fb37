"""Settling what changed in the catalogue: artists, genres, albums and recordings."""

from collections import Counter
from functools import partial

from soundalike.domain.catalogue import groups_of, settle
from soundalike.domain.entries import EntryKind, Group
from soundalike.domain.ports.catalogue import CatalogueStore

_BATCH = 500
_ATTEMPTS = 3


def settle_catalogue(store: CatalogueStore) -> int:
    """Settle every group of tracks that changed; return how many there were.

    Each group is stored on its own, so that an interrupted run is continued by the next. Artists come
    before albums, since an album names its artist: a change of an artist's ids settles the albums again.
    """
    count = 0
    attempts: Counter[Group] = Counter()
    while groups := store.unsettled(_BATCH):
        if min(attempts[group] for group in groups) >= _ATTEMPTS:
            break  # another process changes their tracks all the time, and settles them when it is done
        attempts.update(groups.keys())
        for group, mark in groups.items():
            settled = settle(group, partial(store.tracks_in, group))
            albums = (
                {
                    one
                    for track in settled.tracks
                    for one in groups_of(track.tags)
                    if one.kind is EntryKind.ALBUM
                }
                if group.kind is EntryKind.ARTIST
                else set()
            )
            store.save_settled(group, settled, mark=mark, then=albums)
            count += 1
    return count
