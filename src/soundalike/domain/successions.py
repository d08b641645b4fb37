"""Which ids give way to which when tracks are retagged, so that what a listener has of an old one goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soundalike.domain.catalogue import album_id, album_musicbrainz_id, artist_id, owner_of
from soundalike.domain.credits import Credit, album_credit, artist_credits
from soundalike.domain.entries import EntryKind
from soundalike.domain.genres import genre_id
from soundalike.domain.recordings import name_key
from soundalike.domain.tags import Tags


@dataclass(frozen=True, slots=True)
class _Name:
    """The ids that a name in tags may have: with its MusicBrainz id, if there is one, and without."""

    parted: str
    unparted: str


def successions(before: Tags, after: Tags, *, was_compiled: bool) -> Mapping[tuple[EntryKind, str], str]:
    """Return which ids give way to which if a track is retagged.

    They lead to the ids that have a MusicBrainz id in them: where none parts a name, `settle` leads on.

    Parameters
    ----------
    before, after : Tags
        Of the track.
    was_compiled : bool
        Whether its album was one of various artists.
    """
    changes: dict[tuple[EntryKind, str], str] = {}
    titles = {tags.album and name_key(tags.album) for tags in (before, after)}
    is_compiled = was_compiled and len(titles) == 1
    for kind, old, new in (
        (EntryKind.ARTIST, _artist_names(artist_credits(before)), _artist_names(artist_credits(after))),
        (EntryKind.GENRE, _genre_names(before), _genre_names(after)),
        (EntryKind.ARTIST, _artist_names(album_credit(before)), _artist_names(album_credit(after))),
        (
            EntryKind.ALBUM,
            _album_names(before, is_compiled=was_compiled),
            _album_names(after, is_compiled=is_compiled),
        ),
    ):
        same = {other.unparted: other for other in new}
        for one, at_its_place in zip(old, [*new, *new[-1:] * len(old)], strict=False):
            other = same.get(one.unparted, at_its_place)
            # An id without a MusicBrainz id is that of a name, which has not changed where both have it.
            ended = {one.parted} - {one.unparted} if one.unparted in same else {one.parted, one.unparted}
            changes |= {(kind, each): other.parted for each in ended if each != other.parted}
    return changes


def _artist_names(found: Iterable[Credit]) -> list[_Name]:
    return [_Name(artist_id(one.key, one.musicbrainz_id or ""), artist_id(one.key)) for one in found]


def _genre_names(tags: Tags) -> list[_Name]:
    return [_Name(one, one) for one in (genre_id(name_key(name)) for name in tags.genres)]


def _album_names(tags: Tags, *, is_compiled: bool = False) -> list[_Name]:
    if tags.album is None:
        return []
    key, owner = name_key(tags.album), owner_of(tags)
    if is_compiled and tags.album_artist is None:
        owner = None
    parted = album_id(key, owner, album_musicbrainz_id(tags) or "")
    return [_Name(parted, album_id(key, owner))]
