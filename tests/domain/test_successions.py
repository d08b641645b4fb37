"""An id that was once listed leads to what it became."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.made_libraries import catalogued, ids, libraries, tag_sets, tagged
from soundalike.domain.catalogue import album_id, artist_id, own_entry
from soundalike.domain.entries import EntryKind, EntrySort
from soundalike.domain.genres import genre_id
from soundalike.domain.successions import successions
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtistId, TrackId
from soundalike.services.library.catalogue import settle_catalogue


def led(before: Tags, after: Tags) -> Mapping[tuple[EntryKind, str], str]:
    return successions(before, after, was_compiled=False)


class TestSuccessions:
    def test_each_id_gives_way_to_what_stands_in_its_place(self) -> None:
        before = Tags(artists=("A", "B"), album="X", album_artist="C", genres=("G",))
        after = Tags(artists=("A", "D"), album="X", album_artist="E", genres=("H", "I"))
        assert led(before, after) == {
            (EntryKind.ARTIST, artist_id("b")): artist_id("d"),
            (EntryKind.ARTIST, artist_id("c")): artist_id("e"),
            (EntryKind.GENRE, genre_id("g")): genre_id("h"),
            (EntryKind.ALBUM, album_id("x", "c")): album_id("x", "e"),
        }  # fmt: skip

    def test_what_is_gone_or_still_there_has_no_successor(self) -> None:
        before = Tags(artists=("A", "B"), album="X", genres=("G",))
        assert led(before, Tags(artists=("B",))) == {(EntryKind.ARTIST, artist_id("a")): artist_id("b")}
        assert led(before, before) == {}

    def test_one_of_two_artists_gives_way_to_the_other(self) -> None:
        before, after = Tags(artists=("A", "B")), Tags(artists=("C",))
        assert set(led(before, after).values()) == {artist_id("c")}

    def test_a_musicbrainz_id_that_is_added_ends_nothing(self) -> None:
        before, after = Tags(artists=("A",)), Tags(artists=("A",), external_ids=ids("artist", "x"))
        assert led(before, after) == {}
        assert led(after, before) == {(EntryKind.ARTIST, artist_id("a", "x")): artist_id("a")}

    def test_an_id_leads_to_the_one_of_two_whose_musicbrainz_id_the_tags_have(self) -> None:
        other = tagged("2", artists=("New",), external_ids=ids("artist", "a"))
        store = catalogued([tagged("1", artists=("Old",)), other])
        store.save_track(tagged("1", artists=("New",), external_ids=ids("artist", "b")))
        settle_catalogue(store)
        assert (found := store.artist(artist_id("old"))) is not None
        assert found.id == artist_id("new", "b")

    def test_what_stays_a_compilation_ends_nothing(self) -> None:
        before, after = Tags(artists=("A",), album="Mix"), Tags(artists=("A",), album="mix", year=1999)
        assert successions(before, after, was_compiled=True) == {}

    def test_an_id_leads_to_what_its_album_became(self) -> None:
        tracks = [tagged(name, artists=(name,), path=f"mix/{name}") for name in "abc"]
        store = catalogued(tracks[:2])
        store.save_track(tracks[2])
        settle_catalogue(store)
        assert (compilation := store.album(album_id("album", "a"))) is not None
        assert compilation.id == album_id("album", None)
        store.mark_vanished([TrackId("a")], 5)
        settle_catalogue(store)
        for name in "abc":
            store.save_track(tagged(name, artists=(name,), album="Mix", path=f"mix/{name}"))
        settle_catalogue(store)
        assert (found := store.album(album_id("album", "a"))) is not None
        assert found.id == album_id("mix", None)
        store.save_track(tagged("a", artists=("d",), album="Mix", path="mix/a"))
        store.save_track(tagged("b", artists=("c",), album="Mix", path="mix/b"))
        settle_catalogue(store)
        assert (found := store.album(album_id("mix", None))) is not None
        assert found.id in {album_id("mix", "c"), album_id("mix", "d")}


@given(libraries(), st.data())
def test_an_id_that_was_listed_leads_to_an_entry_while_its_tracks_have_one(
    tracks: list[Track], data: st.DataObject
) -> None:
    store = catalogued(tracks)
    listed: set[str] = set()
    for track in data.draw(st.lists(st.sampled_from(tracks), max_size=6)):
        listed |= {one.id for one in store.find_artists(sort=EntrySort(), limit=100).entries}
        tags = data.draw(tag_sets.filter(lambda tags: bool(tags.artists)))
        store.save_track(replace(track, tags=tags, entry=own_entry(tags), vanished_at=None))
        if data.draw(st.booleans()):
            settle_catalogue(store)
    settle_catalogue(store)
    assert all(store.artist(ArtistId(one)) is not None for one in listed)
