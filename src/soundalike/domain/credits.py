"""Who made a track, and whose album it is on, as its tags say."""

from collections.abc import Sequence
from dataclasses import dataclass

from soundalike.domain.recordings import name_key
from soundalike.domain.tags import ExternalIdKind, Tags


@dataclass(frozen=True, slots=True)
class Credit:
    """An artist's name in tags, and the MusicBrainz id that stands beside it."""

    name: str
    key: str
    musicbrainz_id: str | None


def credits_of(tags: Tags) -> tuple[Credit, ...]:
    """Return who made a track, then whose album it is on."""
    return (*artist_credits(tags), *album_credit(tags))


def artist_credits(tags: Tags) -> tuple[Credit, ...]:
    """Return who made a track."""
    ids: Sequence[str | None] = tags.ids(ExternalIdKind.ARTIST)
    if len(ids) != len(tags.artists):  # nobody can say which is whose
        ids = [None] * len(tags.artists)
    return tuple(Credit(name, name_key(name), one) for name, one in zip(tags.artists, ids, strict=True))


def album_credit(tags: Tags) -> tuple[Credit, ...]:
    """Return whose album a track is on, if its tags name anybody."""
    if tags.album_artist is None:
        return ()
    ids = tags.ids(ExternalIdKind.ALBUM_ARTIST)
    return (Credit(tags.album_artist, name_key(tags.album_artist), ids[0] if len(ids) == 1 else None),)
