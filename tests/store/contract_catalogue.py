"""What every store promises of artists, albums and genres."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from making import SOME_TIME, file_of, make_track
from soundalike.domain.catalogue import album_id, artist_id
from soundalike.domain.entries import (
    Album,
    Artist,
    EntryKind,
    EntrySort,
    Genre,
)
from soundalike.domain.genres import genre_id
from soundalike.domain.ports.library import Store
from soundalike.domain.tracks import Position, Sort, SortField, TrackEntry, TrackFilter
from soundalike.domain.types import TrackId
from soundalike.store.keys import sort_keys
from store.asking import LATER_MS, found_ids
from store.contract_collections import CollectionsContract
from store.contract_places import PlacesContract, TagsContract, tagged
from store.contract_settling import SettlingContract, settle_all

ROCK, POP = genre_id("rock"), genre_id("pop")


class EntriesContract:
    @pytest.fixture
    def catalogued(self, store: Store) -> Store:
        def save(track_id: str, artist: str, album: str, year: int | None, *genres: str) -> None:
            track = tagged(track_id, artists=(artist,), album=album, year=year, genres=genres)
            store.save_track(replace(track, added_at=SOME_TIME + timedelta(int(track_id))))

        save("1", "Björk", "Homogenic", 1997, "Pop", "Rock")
        save("2", "abba", "Arrival", 1976, "Pop")
        save("3", "ABBA", "Super Trouper", None, "Pop")
        save("4", "ABBA", "Waterloo", 1974)
        save("5", "Various Artists", "Zonk", 1997)
        settle_all(store)
        return store

    def test_entries_come_in_every_order(self, catalogued: Store, subtests: pytest.Subtests) -> None:
        cases = [
            ("name", ["Arrival", "Homogenic", "Super Trouper", "Waterloo", "Zonk"]),
            ("-name", ["Zonk", "Waterloo", "Super Trouper", "Homogenic", "Arrival"]),
            ("-added", ["Zonk", "Waterloo", "Super Trouper", "Arrival", "Homogenic"]),
        ]
        for (sort, titles), limit in [(case, limit) for case in cases for limit in (1, 2, 4, 5, 6)]:
            with subtests.test(sort=sort, limit=limit):
                found, after = [], None
                while True:
                    asked = EntrySort.parse(sort, EntryKind.ALBUM)
                    page = catalogued.find_albums(sort=asked, limit=limit, after=after)
                    assert page.total == 5
                    found += [album.title for album in page.entries]
                    if (after := page.next) is None:
                        break
                assert found == titles

    def test_missing_values_come_last(self, catalogued: Store) -> None:
        for sort, first in (("year", "Waterloo"), ("-year", None)):
            page = catalogued.find_albums(sort=EntrySort.parse(sort, EntryKind.ALBUM), limit=10)
            assert page.entries[-1].title == "Super Trouper"
            assert first in {None, page.entries[0].title}

    def test_an_offset_leaves_entries_out(self, catalogued: Store) -> None:
        page = catalogued.find_albums(sort=EntrySort(), limit=2, offset=1)
        assert [album.title for album in page.entries] == ["Homogenic", "Super Trouper"]
        rest = catalogued.find_albums(sort=EntrySort(), limit=2, after=page.next, offset=1)
        assert ([album.title for album in rest.entries], rest.total, rest.next) == (["Zonk"], 5, None)
        assert catalogued.find_albums(sort=EntrySort(), limit=2, offset=100).entries == ()
        assert catalogued.find_albums(sort=EntrySort(), limit=2, offset=2**70).total == 5

    def test_albums_of_one_artist(self, catalogued: Store) -> None:
        page = catalogued.find_albums(sort=EntrySort(), limit=2, artist=artist_id("abba"))
        assert ([album.title for album in page.entries], page.total) == (["Arrival", "Super Trouper"], 3)

    def test_artists_and_genres_are_counted(self, catalogued: Store) -> None:
        tracks = EntrySort.parse("-tracks", EntryKind.ARTIST)
        artists = catalogued.find_artists(sort=tracks, limit=1)
        assert artists.entries == (Artist(id=artist_id("abba"), key="abba", name="ABBA", track_count=3),)
        assert artists.total == 3
        genres = catalogued.find_genres(sort=EntrySort(), limit=10)
        assert genres.entries == (
            Genre(id=POP, key="pop", name="Pop", track_count=3),
            Genre(id=ROCK, key="rock", name="Rock", track_count=1),
        )

    def test_an_album_comes_back_whole(self, catalogued: Store) -> None:
        track = catalogued.track(TrackId("2"))
        assert track is not None
        assert catalogued.album(album_id("arrival", "abba")) == Album(
            id=album_id("arrival", "abba"),
            key="arrival",
            title="Arrival",
            artist_id=artist_id("abba"),
            artist="abba",
            year=1976,
            track_count=1,
            duration_ms=track.duration_ms,
            added_at=track.added_at,
        )


class FiltersContract:
    @pytest.fixture
    def filtered(self, store: Store) -> Store:
        def save(track_id: str, entry: TrackEntry, *, has_file: bool = True) -> None:
            track = make_track(track_id, title=f"song {track_id}", has_file=has_file)
            store.save_track(replace(track, entry=entry))

        one, two = album_id("one", None), album_id("two", None)
        ada, bob = artist_id("ada"), artist_id("bob")
        save("a", TrackEntry(album_id=one, artist_ids=(ada,), genre_ids=(ROCK, POP)))
        save("b", TrackEntry(album_id=one, artist_ids=(bob, ada), genre_ids=(POP,), is_preferred=False))
        save("c", TrackEntry(album_id=two, artist_ids=(bob,), album_artist_id=ada), has_file=False)
        save("d", TrackEntry(album_id=two, artist_ids=(bob,)))
        save("e", TrackEntry(album_id=one, artist_ids=(ada,)))
        store.mark_vanished([TrackId("e")], LATER_MS)
        return store

    @pytest.mark.parametrize(
        ("only", "ids"),
        [
            (TrackFilter(), "abcd"),
            (TrackFilter(album=album_id("one", None)), "ab"),
            (TrackFilter(album=album_id("none", None)), ""),
            (TrackFilter(artist=artist_id("ada")), "abc"),
            (TrackFilter(artist=artist_id("bob")), "bcd"),
            (TrackFilter(genre=POP), "ab"),
            (TrackFilter(genre=ROCK), "a"),
            (TrackFilter(hides_duplicates=True), "acd"),
            (TrackFilter(is_playable=True), "abd"),
            (TrackFilter(artist=artist_id("ada"), hides_duplicates=True, is_playable=True), "a"),
        ],
    )
    def test_filters(self, filtered: Store, only: TrackFilter, ids: str) -> None:
        for words in ([], ["song"]):
            page = filtered.find_tracks(words, sort=Sort(), limit=10, only=only)
            assert (found_ids(page), page.total) == (list(ids), len(ids))
        for sort in ("artist", "-album", "year", "-added"):
            page = filtered.find_tracks([], sort=Sort.parse(sort), limit=10, only=only)
            assert sorted(found_ids(page)) == list(ids)

    def test_of_copies_with_other_names_each_list_has_one(self, store: Store) -> None:
        def save(track_id: str, media_type: str, **tags: object) -> None:
            same = {"title": "Song", "album": "One", "album_artist": "Ada", "track_number": 1}
            track = tagged(track_id, **same, **tags)
            file = replace(file_of(track), media_type=media_type)
            store.save_track(replace(track, file=file))

        def listed(**only: Any) -> list[str]:
            hiding = TrackFilter(hides_duplicates=True, **only)
            page = store.find_tracks([], sort=Sort(), limit=10, only=hiding)
            assert page.total == len(page.tracks)
            if page.tracks:
                first = page.tracks[0]
                after = Position(sort_keys(first)[SortField.TITLE], first.id)
                rest = store.find_tracks([], sort=Sort(), limit=10, only=hiding, after=after)
                assert (rest.tracks, rest.total) == (page.tracks[1:], page.total)
            return found_ids(page)

        save("a", "audio/flac", artists=("Ada",), genres=("Rock",))
        save("b", "audio/mpeg", artists=("Ada", "Bob"), genres=("Pop",))
        save("c", "audio/mpeg", artists=("Bob",), genres=("Rock", "Pop"))
        settle_all(store)
        ada, bob = artist_id("ada"), artist_id("bob")
        assert listed() == listed(artist=ada) == listed(genre=ROCK) == ["a"]
        assert listed(album=album_id("one", "ada")) == listed(artist=ada, genre=ROCK) == ["a"]
        assert listed(artist=bob) == listed(genre=POP) == listed(artist=bob, genre=POP) == ["b"]
        assert listed(album=album_id("one", "ada"), artist=bob, is_playable=True) == ["b"]
        for track_id in "abc":
            store.mark_vanished([TrackId(track_id)], LATER_MS)
            settle_all(store)
            assert listed(artist=bob) == listed(genre=POP) == {"a": ["b"], "b": ["c"], "c": []}[track_id]

    def test_pages_of_a_filter_follow_each_other(self, filtered: Store) -> None:
        only = TrackFilter(artist=artist_id("ada"))
        first = filtered.find_tracks([], sort=Sort(), limit=2, only=only)
        rest = filtered.find_tracks([], sort=Sort(), limit=2, only=only, after=first.next)
        assert (found_ids(first), found_ids(rest), rest.total, rest.next) == (["a", "b"], ["c"], 3, None)

    def test_an_offset_leaves_tracks_out(self, filtered: Store) -> None:
        page = filtered.find_tracks([], sort=Sort(), limit=2, offset=1)
        assert (found_ids(page), page.total) == (["b", "c"], 4)
        rest = filtered.find_tracks([], sort=Sort(), limit=2, after=page.next)
        assert found_ids(rest) == ["d"]
        assert found_ids(filtered.find_tracks(["song"], sort=Sort(), limit=2, offset=3)) == ["d"]
        for far in (4, 2**70):
            page = filtered.find_tracks([], sort=Sort(), limit=2, offset=far)
            assert (page.tracks, page.total, page.next) == ((), 4, None)

    def test_albums_are_in_the_order_of_disc_number_and_title(self, store: Store) -> None:
        places = {
            "a": (2, 1, "A"),
            "b": (None, 10, "A"),
            "c": (1, 2, "A"),
            "d": (1, None, "A"),
            "e": (1, 2, "B"),
        }
        for track_id, (disc, number, title) in places.items():
            tags = {
                "title": title,
                "artists": ("X",),
                "album": "Y",
                "disc_number": disc,
                "track_number": number,
            }
            store.save_track(tagged(track_id, **tags))
        for sort in ("album", "artist"):
            page = store.find_tracks([], sort=Sort.parse(sort), limit=10)
            assert found_ids(page) == ["c", "e", "b", "d", "a"]


class CatalogueContract(
    TagsContract, PlacesContract, SettlingContract, EntriesContract, FiltersContract, CollectionsContract
):
    """Everything that a store promises of the catalogue; give a fixture named `store`."""
