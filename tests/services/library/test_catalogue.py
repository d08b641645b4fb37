"""What changed is settled, artists before the albums that name them."""

from collections.abc import Iterator, Sequence

from fakes import MemoryStore
from making import make_track
from soundalike.domain.catalogue import own_entry
from soundalike.domain.entries import EntrySort, Group, SettledGroup
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags
from soundalike.domain.tracks import Track
from soundalike.services.library.catalogue import settle_catalogue


def by_nirvana(track_id: str, album: str, musicbrainz_id: str | None = None) -> Track:
    ids = () if musicbrainz_id is None else (ExternalId(ExternalIdKind.ARTIST, musicbrainz_id),)
    tags = Tags(title="Song", artists=("Nirvana",), album=album, external_ids=ids)
    return make_track(track_id, tags=tags, entry=own_entry(tags))


class RestlessStore(MemoryStore):
    """Another process changes each group while it is read."""

    def tracks_in(self, group: Group) -> Iterator[Track]:
        found = list(super().tracks_in(group))
        for track in found:
            self.save_track(track)
        yield from found


def test_albums_follow_when_their_artist_is_parted() -> None:
    store = MemoryStore()
    store.save_track(by_nirvana("1", "Nevermind", "b"))
    assert settle_catalogue(store) == 2
    store.save_track(by_nirvana("2", "Local Anaesthetic", "a"))
    settle_catalogue(store)
    albums = store.find_albums(sort=EntrySort(), limit=10).entries
    artists = store.find_artists(sort=EntrySort(), limit=10).entries
    assert len(artists) == 2
    assert {album.artist_id for album in albums} == {artist.id for artist in artists}


def test_nothing_is_settled_twice() -> None:
    store = MemoryStore()
    store.save_track(by_nirvana("1", "Nevermind"))
    settle_catalogue(store)
    assert settle_catalogue(store) == 0


class CountingStore(MemoryStore):
    """Knows how many groups were stored at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[int] = []

    def save_settled(self, found: Sequence[SettledGroup]) -> None:
        self.saved.append(len(found))
        super().save_settled(found)


def test_groups_of_a_kind_are_stored_together() -> None:
    store = CountingStore()
    for number in range(20):
        tags = Tags(title="Song", artists=(f"Artist {number}",), album=f"Album {number}")
        store.save_track(make_track(f"{number}", tags=tags, entry=own_entry(tags)))
    assert settle_catalogue(store) == 40
    assert store.saved == [20, 20]


def test_few_tracks_are_written_at_a_time() -> None:
    store = CountingStore()
    for number in range(20):
        for track_number in range(1, 101):
            tags = Tags(title="Song", album=f"Album {number}", track_number=track_number)
            entry = own_entry(tags)
            store.save_track(make_track(f"{number}-{track_number}", tags=tags, entry=entry))
    settle_catalogue(store)
    assert store.saved == [10, 10]


def test_settling_ends_although_tracks_change_all_the_time() -> None:
    store = RestlessStore()
    store.save_track(by_nirvana("1", "Nevermind"))
    settle_catalogue(store)
    assert len(store.unsettled(10)) == 2
