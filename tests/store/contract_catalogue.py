"""What every store promises of artists, albums and genres."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from making import SOME_TIME, file_of, make_track
from soundalike.domain.catalogue import album_id, artist_id, groups_of, settle
from soundalike.domain.entries import (
    Album,
    Artist,
    EntryKind,
    EntrySort,
    Genre,
    Group,
    Settled,
    SettledGroup,
    Successor,
)
from soundalike.domain.genres import genre_id, settle_genre
from soundalike.domain.ports.library import Store
from soundalike.domain.tags import ExternalId, ExternalIdKind
from soundalike.domain.tracks import Position, Sort, SortField, Track, TrackEntry, TrackFilter
from soundalike.domain.types import TrackId
from soundalike.store.keys import sort_keys
from store.asking import HOSTILE_TEXTS, LATER_MS, found_ids
from store.contract_collections import CollectionsContract
from store.contract_places import PlacesContract, TagsContract, tagged

ROCK, POP = genre_id("rock"), genre_id("pop")


def settle_all(store: Store) -> None:
    """Settle as `services.library.catalogue` does."""
    while groups := store.unsettled(100):
        for group, mark in groups.items():
            settled = settle(group, partial(store.tracks_in, group))
            store.save_settled([SettledGroup(group, settled, mark)])


class SettlingContract:
    def test_groups_are_unsettled_until_they_are_settled(self, store: Store) -> None:
        track = tagged("t1", artists=("A",), album="B", genres=("C",))
        store.save_track(track)
        assert list(store.unsettled(10)) == [
            Group(EntryKind.ARTIST, "a"),
            Group(EntryKind.GENRE, "c"),
            Group(EntryKind.ALBUM, "b"),
        ]
        assert len(store.unsettled(2)) == 2
        settle_all(store)
        assert store.unsettled(10) == {}
        assert store.artist(artist_id("a")) == Artist(id=artist_id("a"), key="a", name="A", track_count=1)

    def test_a_change_makes_the_groups_before_and_after_unsettled(self, store: Store) -> None:
        store.save_track(tagged("t1", artists=("A",), album="B", genres=("C",)))
        settle_all(store)
        store.save_track(tagged("t1", artists=("A",), album="D"))
        assert {(group.kind, group.key) for group in store.unsettled(10)} == {
            ("artist", "a"), ("genre", "c"), ("album", "b"), ("album", "d"),
        }  # fmt: skip
        settle_all(store)
        store.mark_vanished([TrackId("t1")], LATER_MS)
        assert {(group.kind, group.key) for group in store.unsettled(10)} == {("artist", "a"), ("album", "d")}
        settle_all(store)
        store.save_stored_tracks([tagged("t1", genres=("C",))])
        assert {group.kind for group in store.unsettled(10)} == {"artist", "album", "genre"}

    def test_a_group_that_changes_while_it_is_settled_is_left_as_it_is(self, store: Store) -> None:
        group = Group(EntryKind.ALBUM, "b")
        store.save_track(tagged("t1", album="B", track_number=1))
        mark = store.unsettled(10)[group]
        settled = settle(group, partial(store.tracks_in, group))
        store.save_track(tagged("t1", album="B", track_number=2))
        store.save_settled([SettledGroup(group, settled, mark, [Group(EntryKind.ALBUM, "other")])])
        assert list(store.unsettled(10)) == [group]
        assert store.album(album_id("b", None)) is None
        assert [one.entry.recording for one in store.tracks_in(group)] == [None]
        settle_all(store)
        assert [one.entry.recording for one in store.tracks_in(group)] != [None]

    def test_settling_leaves_what_other_groups_of_a_track_decide(self, store: Store) -> None:
        def parted(number: int) -> Track:
            about = {"artists": ("A", "B"), "album_artist": "C", "album": "D", "track_number": 1}
            kinds = (ExternalIdKind.ARTIST, ExternalIdKind.ARTIST, ExternalIdKind.ALBUM_ARTIST)
            return tagged(
                f"t{number}", **about, external_ids=tuple(ExternalId(k, f"{number}") for k in kinds)
            )

        store.save_track(parted(1))
        store.save_track(parted(2))
        waiting = store.unsettled(10)
        settled = {group: settle(group, partial(store.tracks_in, group)) for group in waiting}
        store.save_settled([SettledGroup(group, settled[group], mark) for group, mark in waiting.items()])
        for number in "12":
            assert (track := store.track(TrackId(f"t{number}"))) is not None
            assert track.entry.artist_ids == (artist_id("a", number), artist_id("b", number))
            assert track.entry.album_artist_id == artist_id("c", number)
            assert track.entry.recording is not None

    def test_settling_may_make_other_groups_unsettled(self, store: Store) -> None:
        group = Group(EntryKind.ARTIST, "a")
        store.save_track(tagged("t1", artists=("A",)))
        mark = store.unsettled(1)[group]
        store.save_settled([SettledGroup(group, Settled((), ()), mark, [Group(EntryKind.ALBUM, "b")])])
        assert list(store.unsettled(10)) == [Group(EntryKind.ALBUM, "b")]

    def test_of_groups_saved_together_those_that_changed_meanwhile_are_left(self, store: Store) -> None:
        store.save_track(tagged("t1", album="B", track_number=1))
        store.save_track(tagged("t2", album="C", track_number=1))
        found = [
            SettledGroup(group, settle(group, partial(store.tracks_in, group)), mark)
            for group, mark in store.unsettled(10).items()
        ]
        store.save_track(tagged("t1", album="B", track_number=2))
        store.save_settled(found)
        assert list(store.unsettled(10)) == [Group(EntryKind.ALBUM, "b")]
        assert (store.album(album_id("b", None)), store.album(album_id("c", None)) is None) == (None, False)

    def test_what_a_genres_tags_say_gives_the_genre_that_its_tracks_give(self, store: Store) -> None:
        spellings = ("Rock", "ROCK", "ROCK", "R\u00f6ck", "\ud800")
        for number, name in enumerate(spellings):
            parents = {"ROCK": "Music", "Pop": "Other"} if number < 3 else None
            store.save_track(tagged(f"t{number}", genres=(name, "Pop"), genre_parents=parents))
        store.mark_vanished([TrackId("t0"), TrackId("t4")], LATER_MS)
        for group in (group for group in store.unsettled(20) if group.kind is EntryKind.GENRE):
            by_tracks = settle(group, partial(store.tracks_in, group))
            assert settle_genre(group.key, store.genre_tags(group)) == by_tracks
            assert by_tracks.entries

    def test_the_tracks_of_a_group_are_those_whose_tags_name_it(self, store: Store) -> None:
        store.save_track(tagged("t1", artists=("Á",), album="X"))
        store.save_track(tagged("t2", artists=("B",), album_artist="a", album="x", genres=("A",)))
        store.save_track(tagged("t3", artists=("Ab",)))
        store.mark_vanished([TrackId("t2")], LATER_MS)
        for kind, key, ids in (
            ("artist", "a", {"t1", "t2"}),
            ("album", "x", {"t1", "t2"}),
            ("genre", "a", {"t2"}),
        ):
            assert {track.id for track in store.tracks_in(Group(EntryKind(kind), key))} == ids

    def test_any_name_makes_a_group(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                track = tagged("t1", artists=(text,), album=text, genres=(text,))
                store.save_track(track)
                settle_all(store)
                for group in groups_of(track.tags):
                    assert [one.id for one in store.tracks_in(group)] == ["t1"]
                assert (found := store.album(track.entry.album_id or album_id("", None))) is not None
                assert found.title == text

    def test_an_id_leads_to_its_successor(self, store: Store) -> None:
        first = tagged("t1", artists=("Prince",), album="Parade", genres=("Funk",))
        store.save_track(first)
        settle_all(store)
        second = tagged("t1", artists=("The Artist",), album="Parade (OST)", genres=("Soul", "Funk"))
        store.save_track(second)
        settle_all(store)
        store.save_track(tagged("t1", artists=("TAFKAP",), album="Parade (OST)", genres=("Soul", "Funk")))
        settle_all(store)
        found = store.artist(first.entry.artist_ids[0])
        assert found == store.artist(second.entry.artist_ids[0]) == store.artist(artist_id("tafkap"))
        assert found is not None
        assert first.entry.album_id is not None
        assert (album := store.album(first.entry.album_id)) is not None
        assert (album.title, album.artist) == ("Parade (OST)", "TAFKAP")
        assert (genre := store.genre(genre_id("funk"))) is not None
        assert genre.name == "Funk"
        assert store.artist(artist_id("nobody")) is None

    def test_an_id_that_was_parted_leads_to_the_lower_one(self, store: Store) -> None:
        for number, one in enumerate("baba"):
            ids = (ExternalId(ExternalIdKind.ARTIST, one),)
            store.save_track(tagged(f"t{number}", artists=("A",), external_ids=ids))
            settle_all(store)
            assert (found := store.artist(artist_id("a"))) is not None
            assert found.id == (artist_id("a", "a") if number else artist_id("a"))
            assert store.artist(artist_id("a", "b")) is not None

    def test_names_that_change_back_and_forth_lead_nowhere_else(self, store: Store) -> None:
        for name in ("A", "B", "A"):
            store.save_track(tagged("t1", artists=(name,)))
            settle_all(store)
        for key in ("a", "b"):
            assert (found := store.artist(artist_id(key))) is not None
            assert found.name == "A"

    def test_successors_come_by_kind_and_id(self, store: Store) -> None:
        made = [Successor(kind, f"{n:03}", f"next of {n}") for kind in EntryKind for n in range(501)]
        store.save_successors(made[::-1])
        assert list(store.successors()) == made
        store.save_successors([replace(made[0], next="another")])
        store.remove_successor(made[-1])
        store.remove_successor(made[-1])
        assert list(store.successors()) == [replace(made[0], next="another"), *made[1:-1]]

    def test_an_artist_whose_tracks_vanished_is_known_but_not_listed(self, store: Store) -> None:
        store.save_track(tagged("t1", artists=("A",), album="B", genres=("C",)))
        store.mark_vanished([TrackId("t1")], LATER_MS)
        settle_all(store)
        assert (found := store.artist(artist_id("a"))) is not None
        assert found.track_count == 0
        assert (album := store.album(album_id("b", "a"))) is not None
        assert album.track_count == 0
        for page in (
            store.find_artists(sort=EntrySort(), limit=10),
            store.find_albums(sort=EntrySort(), limit=10),
            store.find_genres(sort=EntrySort(), limit=10),
        ):
            assert (page.entries, page.total, page.next) == ((), 0, None)


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
