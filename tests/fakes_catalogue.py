"""The catalogue of `MemoryStore`."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from soundalike.domain.catalogue import groups_of, settled_entry
from soundalike.domain.entries import (
    Album,
    Artist,
    CatalogueEntry,
    EntryKind,
    EntryPage,
    EntryPosition,
    EntrySort,
    Genre,
    GenreTags,
    Group,
    SettledGroup,
    Successor,
)
from soundalike.domain.genres import genre_tags_of
from soundalike.domain.successions import successions
from soundalike.domain.tags import ExternalId
from soundalike.domain.tracks import Track
from soundalike.domain.types import AlbumId, ArtistId, GenreId, TrackId
from soundalike.store.keys import entry_key

_Entry = TypeVar("_Entry", Artist, Album, Genre)


class MemoryCatalogue:
    """The `CatalogueStore` port on dictionaries."""

    _lock: threading.RLock
    _tracks: dict[TrackId, Track]
    _changes: list[TrackId]

    def __init__(self) -> None:
        self._unsettled: dict[Group, int] = {}
        self._marks = 0
        self._entries: dict[Group, tuple[CatalogueEntry, ...]] = {}
        self._successors: dict[tuple[EntryKind, str], str] = {}

    def _put(self, track: Track) -> None:
        """Store a track, and mark the groups that it leaves and joins."""
        stored = self._tracks.get(track.id)
        if stored is not None:
            self._mark(groups_of(stored.tags))
            self._successors |= successions(stored.tags, track.tags, was_compiled=stored.entry.is_compilation)
        self._mark(groups_of(track.tags))
        self._tracks[track.id] = track
        self._changes.append(track.id)

    def _mark(self, groups: Iterable[Group]) -> None:
        self._marks += 1
        self._unsettled |= dict.fromkeys(groups, self._marks)

    def unsettled(self, limit: int) -> dict[Group, int]:
        order = list(EntryKind)
        groups = sorted(self._unsettled, key=lambda group: (order.index(group.kind), group.key))
        return {group: self._unsettled[group] for group in groups[:limit]}

    def tracks_in(self, group: Group) -> Iterator[Track]:
        yield from [track for track in list(self._tracks.values()) if group in groups_of(track.tags)]

    def genre_tags(self, group: Group) -> Iterator[GenreTags]:
        return map(genre_tags_of, self.tracks_in(group))

    def save_settled(self, found: Sequence[SettledGroup]) -> None:
        for one in found:
            self._save_settled(one)

    def _save_settled(self, found: SettledGroup) -> None:
        group, settled = found.group, found.settled
        with self._lock:
            if self._unsettled.get(group) != found.mark:
                return
            del self._unsettled[group]
            for track in settled.tracks:
                stored = self._tracks[track.id]
                self._tracks[track.id] = replace(stored, entry=settled_entry(group, track, stored.entry))
                self._changes.append(track.id)
            self._entries[group] = settled.entries
            self._successors |= {(group.kind, one): other for one, other in settled.successors.items()}
            self._mark(found.then)

    def find_artists(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Artist]:
        return _page(self._listed(Artist), sort, limit, after, offset)

    def find_genres(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Genre]:
        return _page(self._listed(Genre), sort, limit, after, offset)

    def find_albums(
        self,
        *,
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None = None,
        offset: int = 0,
        artist: ArtistId | None = None,
    ) -> EntryPage[Album]:
        found = [one for one in self._listed(Album) if artist is None or one.artist_id == artist]
        return _page(found, sort, limit, after, offset)

    def artist(self, artist_id: ArtistId) -> Artist | None:
        return self._entry(EntryKind.ARTIST, Artist, artist_id)

    def album(self, album_id: AlbumId) -> Album | None:
        return self._entry(EntryKind.ALBUM, Album, album_id)

    def genre(self, genre_id: GenreId) -> Genre | None:
        return self._entry(EntryKind.GENRE, Genre, genre_id)

    def successors(self) -> Iterator[Successor]:
        order = list(EntryKind)
        for kind, one in sorted(self._successors, key=lambda key: (order.index(key[0]), key[1])):
            yield Successor(kind, one, self._successors[kind, one])

    def save_successors(self, successors: Collection[Successor]) -> None:
        self._successors |= {(one.kind, one.id): one.next for one in successors}

    def remove_successor(self, successor: Successor) -> None:
        self._successors.pop((successor.kind, successor.id), None)

    def tracks_with_ids(self, ids: Collection[ExternalId]) -> tuple[Track, ...]:
        found = [track for track in self._tracks.values() if not track.tags.track_ids.isdisjoint(ids)]
        return tuple(sorted(found, key=lambda track: (track.added_at, track.id)))

    def _all_of(self, kind: type[_Entry]) -> list[_Entry]:
        return [one for one in chain.from_iterable(self._entries.values()) if isinstance(one, kind)]

    def _listed(self, kind: type[_Entry]) -> list[_Entry]:
        return [one for one in self._all_of(kind) if one.track_count]

    def _entry(self, kind: EntryKind, of: type[_Entry], wanted: str) -> _Entry | None:
        known: dict[str, _Entry] = {one.id: one for one in self._all_of(of)}
        seen: set[str] = set()
        while wanted not in known and wanted not in seen:
            seen.add(wanted)
            wanted = self._successors.get((kind, wanted), wanted)
        return known.get(wanted)


def _page(
    entries: list[_Entry], sort: EntrySort, limit: int, after: EntryPosition | None, offset: int
) -> EntryPage[_Entry]:
    key: Callable[[_Entry], str | int | None] = lambda one: entry_key(one, sort.field)  # noqa: E731 - typed
    having = sorted((one for one in entries if key(one) is not None), key=lambda one: one.id)
    having.sort(key=key, reverse=sort.is_descending)  # type: ignore[arg-type] # keys of one kind
    found = having + sorted((one for one in entries if key(one) is None), key=lambda one: one.id)
    first = 0
    if after is not None:
        positions = [EntryPosition(key(one), one.id) for one in found]
        first = positions.index(after) + 1 if after in positions else len(found)
    page = tuple(found[first + offset :][:limit])
    is_last = first + offset + limit >= len(found)
    last = None if is_last or not page else EntryPosition(key(page[-1]), page[-1].id)
    return EntryPage(entries=page, total=len(entries), next=last)
