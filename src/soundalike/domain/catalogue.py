"""Artists, albums, genres and recordings, derived from what the tags of all tracks say.

Tracks whose tags have the same folded name are a *group*; settling a group gives its tracks their ids and
lists what the group has. The results depend on the group's tracks alone, not on their order, on the store,
or on what was there before, so that stores and their copies have the same ids.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain, islice
from typing import TypeVar

from soundalike.domain.credits import album_credit, artist_credits, credits_of
from soundalike.domain.entries import (
    Album,
    Artist,
    CatalogueEntry,
    EntryKind,
    Group,
    Settled,
)
from soundalike.domain.files import Location
from soundalike.domain.genres import genre_id, genre_tags_of, settle_genre
from soundalike.domain.parting import Parting, most_common
from soundalike.domain.recordings import digest, name_key, with_recordings
from soundalike.domain.tags import ExternalIdKind, Tags
from soundalike.domain.tracks import Track, TrackEntry
from soundalike.domain.types import AlbumId, ArtistId, DurationMs, TrackId

FEWEST_COMPILED = 3
"""So many artists on an album without an album artist make it a compilation."""

_MOST_KEPT = 2_000

_VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "v. a."})

_T = TypeVar("_T")


def groups_of(tags: Tags) -> frozenset[Group]:
    """Return the groups that a track with these tags belongs to."""
    found = {Group(EntryKind.ARTIST, credit.key) for credit in credits_of(tags)}
    found |= {Group(EntryKind.GENRE, name_key(genre)) for genre in tags.genres}
    if tags.album is not None:
        found.add(Group(EntryKind.ALBUM, name_key(tags.album)))
    return frozenset(found)


def own_entry(tags: Tags) -> TrackEntry:
    """Return the entry of a track by its own tags, until its groups are settled."""
    owner = owner_of(tags)
    return TrackEntry(
        artist_ids=tuple(artist_id(name_key(name)) for name in tags.artists),
        album_artist_id=None if tags.album_artist is None else artist_id(name_key(tags.album_artist)),
        album_id=None if tags.album is None else album_id(name_key(tags.album), owner),
        genre_ids=tuple(genre_id(name_key(name)) for name in tags.genres),
        is_compilation=tags.is_compilation or is_various(tags.album_artist),
    )


def owner_of(tags: Tags) -> str | None:
    """Return the key of whose album it is, by these tags alone; None for a compilation."""
    if is_various(tags.album_artist) or (tags.is_compilation and tags.album_artist is None):
        return None
    owner = tags.album_artist or next(iter(tags.artists), None)
    return None if owner is None else name_key(owner)


def album_musicbrainz_id(tags: Tags) -> str | None:
    """Return the MusicBrainz id of a track's album."""
    return next(iter(tags.ids(ExternalIdKind.ALBUM)), None)


def settle(group: Group, read: Callable[[], Iterable[Track]]) -> Settled:
    """Settle a group.

    Parameters
    ----------
    group : Group
        Which one.
    read : callable
        Returns all of its tracks, vanished ones too, in any order. Those of an album have their artists'
        ids. It is called again for an artist of very many.
    """
    if group.kind is EntryKind.ARTIST:
        return _settle_artists(group.key, read)
    if group.kind is EntryKind.GENRE:
        return settle_genre(group.key, map(genre_tags_of, read()))
    return _settle_albums(group.key, sorted(read(), key=lambda track: track.id))


def settled_entry(group: Group, settled: Track, stored: TrackEntry) -> TrackEntry:
    """Return the entry of a track once a group is settled: nothing but what the group decides is changed.

    Parameters
    ----------
    group : Group
        Which one.
    settled : Track
        The track, as `settle` returned it.
    stored : TrackEntry
        What it is now: other groups of the track may have been settled meanwhile.
    """
    new = settled.entry
    if group.kind is EntryKind.ALBUM:
        return replace(
            stored,
            album_id=new.album_id,
            is_compilation=new.is_compilation,
            recording=new.recording,
            is_preferred=new.is_preferred,
            preferred_for=new.preferred_for,
        )
    of_album = any(credit.key == group.key for credit in album_credit(settled.tags))
    return replace(
        stored,
        artist_ids=tuple(
            one if credit.key == group.key else before
            for credit, one, before in zip(
                artist_credits(settled.tags), new.artist_ids, stored.artist_ids, strict=True
            )
        ),
        album_artist_id=new.album_artist_id if of_album else stored.album_artist_id,
    )


def albums_to_settle(kind: EntryKind, changed: Iterable[Track]) -> frozenset[Group]:
    """Return the albums to settle once more after a group, since an album names its artist.

    Parameters
    ----------
    kind : EntryKind
        Of the group.
    changed : iterable of Track
        Those whose entries it has changed.
    """
    if kind is not EntryKind.ARTIST:
        return frozenset()
    groups = (one for track in changed for one in groups_of(track.tags))
    return frozenset(one for one in groups if one.kind is EntryKind.ALBUM)


# Names and ids


@lru_cache(maxsize=10_000)  # names come again with other tracks
def artist_id(key: str, musicbrainz_id: str = "") -> ArtistId:
    """Return the id of an artist."""
    return ArtistId(digest("artist", key, musicbrainz_id))


@lru_cache(maxsize=10_000)
def album_id(key: str, artist_key: str | None, musicbrainz_id: str = "") -> AlbumId:
    """Return the id of an album; `artist_key` is None for a compilation, or where no artist is known."""
    return AlbumId(digest("album", key, "none" if artist_key is None else f"by {artist_key}", musicbrainz_id))


@lru_cache(maxsize=10_000)
def is_various(name: str | None) -> bool:
    """Whether an artist's name means various artists."""
    return name is not None and name_key(name) in _VARIOUS


def first_artist(track: Track) -> ArtistId | None:
    """Return whom a track is by, for rules about the same artist; None if that is unknown or various."""
    name = track.tags.artists[0] if track.tags.artists else ""
    if not name.strip() or is_various(name):
        return None
    return track.entry.artist_ids[0] if track.entry.artist_ids else artist_id(name_key(name))


def _some(value: _T | None) -> tuple[_T, ...]:
    return () if value is None else (value,)


# Artists


def _settle_artists(key: str, read: Callable[[], Iterable[Track]]) -> Settled:
    """Settle an artist in bounded memory, since half the library may be by Various Artists."""
    tracks = iter(read())
    kept = list(islice(tracks, _MOST_KEPT))
    more = list(islice(tracks, 1))
    there: Counter[tuple[str | None, str]] = Counter()
    gone: Counter[tuple[str | None, str]] = Counter()
    counts: Counter[frozenset[str | None]] = Counter()
    for track in chain(kept, more, tracks):
        found = [credit for credit in credits_of(track.tags) if credit.key == key]
        (gone if track.is_vanished else there).update((one.musicbrainz_id, one.name) for one in found)
        counts[frozenset(one.musicbrainz_id for one in found)] += not track.is_vanished
    which = Parting.by(_ids(there), _ids(gone))
    entries = _artists(key, which, (there, gone), counts)
    settled = (_with_artist(key, track, which) for track in (read() if more else kept))
    changed = tuple(track for track in settled if track is not None)
    return Settled(changed, entries, which.successors(lambda one: artist_id(key, one)))


def _ids(names: Iterable[tuple[str | None, str]]) -> Iterator[str]:
    return (one for one, _ in names if one is not None)


def _artists(
    key: str,
    which: Parting,
    names: Sequence[Counter[tuple[str | None, str]]],
    counts: Mapping[frozenset[str | None], int],
) -> tuple[Artist, ...]:
    found = sorted({which(one) for each in names for one, _ in each})
    # Names of vanished tracks are shown only where there are no others.
    shown = {
        part: next(filter(None, (Counter(_of_part(part, which, each)) for each in names))) for part in found
    }
    return tuple(
        Artist(
            id=artist_id(key, part),
            key=key,
            name=most_common(shown[part].elements()) or "",
            track_count=sum(count for ids, count in counts.items() if part in map(which, ids)),
        )
        for part in sorted(found, key=lambda part: artist_id(key, part))
    )


def _of_part(part: str, which: Parting, names: Mapping[tuple[str | None, str], int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (one, name), count in names.items():
        if which(one) == part:
            found[name] += count
    return found


def _with_artist(key: str, track: Track, which: Parting) -> Track | None:
    """Return a track with the ids of an artist, or None if it has them."""
    ids, album_artist = track.entry.artist_ids, track.entry.album_artist_id
    lacks_album_artist = album_artist is None and track.tags.album_artist is not None
    if len(ids) != len(track.tags.artists) or lacks_album_artist:
        own = own_entry(track.tags)
        ids = ids if len(ids) == len(own.artist_ids) else own.artist_ids
        album_artist = album_artist or own.album_artist_id
    artist_ids = tuple(
        artist_id(key, which(credit.musicbrainz_id)) if credit.key == key else one
        for one, credit in zip(ids, artist_credits(track.tags), strict=True)
    )
    album_artist_id = next(
        (
            artist_id(key, which(credit.musicbrainz_id)) if credit.key == key else album_artist
            for credit in album_credit(track.tags)
        ),
        None,
    )
    if (artist_ids, album_artist_id) == (track.entry.artist_ids, track.entry.album_artist_id):
        return None
    entry = replace(track.entry, artist_ids=artist_ids, album_artist_id=album_artist_id)
    return replace(track, entry=entry)


# Albums


def _settle_albums(key: str, tracks: Sequence[Track]) -> Settled:
    compiled = _compiled_folders(track for track in tracks if not track.is_vanished)
    owners = {track.id: _owner_key(track, compiled) for track in tracks}
    ids_of: defaultdict[tuple[str | None, bool], set[str]] = defaultdict(set)
    for track in tracks:
        ids_of[owners[track.id], track.is_vanished].update(_some(album_musicbrainz_id(track.tags)))
    which = {
        owner: Parting.by(ids_of[owner, False], ids_of[owner, True]) for owner in frozenset(owners.values())
    }
    albums: defaultdict[AlbumId, list[Track]] = defaultdict(list)
    for track in tracks:
        owner = owners[track.id]
        albums[album_id(key, owner, which[owner](album_musicbrainz_id(track.tags)))].append(track)
    changed: list[Track] = []
    entries: list[CatalogueEntry] = []
    for one in sorted(albums):
        settled = with_recordings(one, [_on_album(track, one, compiled) for track in albums[one]])
        changed += [
            track for track, old in zip(settled, albums[one], strict=True) if track.entry != old.entry
        ]
        entries.append(_album(one, key, settled, is_owned=owners[settled[0].id] is not None))
    successors = _of_other_owners(key, albums, owners)
    for owner, parting in which.items():
        successors |= parting.successors(partial(album_id, key, owner))
    return Settled(tuple(changed), tuple(entries), successors)


def _on_album(track: Track, album: AlbumId, compiled: frozenset[Location]) -> Track:
    is_compilation = track.tags.is_compilation or _is_compiled(track, compiled)
    if (track.entry.album_id, track.entry.is_compilation) == (album, is_compilation):
        return track
    return replace(track, entry=replace(track.entry, album_id=album, is_compilation=is_compilation))


def _of_other_owners(
    key: str, albums: Mapping[AlbumId, Sequence[Track]], owners: Mapping[TrackId, str | None]
) -> dict[str, str]:
    """Return the successors of ids that albums had until they became a compilation, or ceased to be one."""
    successors: dict[str, str] = {}
    for one, tracks in albums.items():
        for track in tracks:
            before = None if owners[track.id] is not None else owner_of(track.tags)
            had = {album_id(key, before, which) for which in ("", album_musicbrainz_id(track.tags) or "")}
            if track.entry.album_id in had - albums.keys():
                successors |= dict.fromkeys(had - albums.keys(), one)
    return successors


def _compiled_folders(tracks: Iterable[Track]) -> frozenset[Location]:
    """Return the folders where an album's tracks name no album artist, but three artists or more."""
    artists: defaultdict[Location, set[str]] = defaultdict(set)
    for track in tracks:
        folder = _folder(track)
        if folder is not None and track.tags.album_artist is None and track.tags.artists:
            artists[folder].add(name_key(track.tags.artists[0]))
    return frozenset(folder for folder, names in artists.items() if len(names) >= FEWEST_COMPILED)


def _folder(track: Track) -> Location | None:
    return None if track.file is None else track.file.location.album_folder


def _is_compiled(track: Track, compiled: frozenset[Location]) -> bool:
    """Whether a track's album is one of various artists."""
    if track.tags.album_artist is not None:
        return is_various(track.tags.album_artist)
    return track.tags.is_compilation or _folder(track) in compiled


def _owner_key(track: Track, compiled: frozenset[Location]) -> str | None:
    if _is_compiled(track, compiled):
        return None
    return owner_of(track.tags)


def _album(one: AlbumId, key: str, tracks: Sequence[Track], *, is_owned: bool) -> Album:
    there = [track for track in tracks if not track.is_vanished]
    shown = there or tracks
    counted = [track for track in there if track.entry.is_preferred]
    owner = most_common(_owner(track) for track in shown) if is_owned else None
    return Album(
        id=one,
        key=key,
        title=most_common(track.tags.album or "" for track in shown) or "",
        artist_id=None if owner is None else ArtistId(owner[0]),
        artist=None if owner is None else owner[1],
        is_compilation=any(track.entry.is_compilation for track in shown),
        year=min((track.tags.year for track in shown if track.tags.year is not None), default=None),
        track_count=len(counted),
        duration_ms=DurationMs(sum(track.duration_ms for track in counted)),
        added_at=max(track.added_at for track in shown),
    )


def _owner(track: Track) -> tuple[str, str]:
    """Return id and name of the artist whose album a track is on."""
    if track.tags.album_artist is not None:
        return str(track.entry.album_artist_id), track.tags.album_artist
    return track.entry.artist_ids[0], track.tags.artists[0]
