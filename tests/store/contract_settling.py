"""What every store promises of artists, albums and genres while they are settled."""

from dataclasses import replace
from functools import partial

import pytest

from soundalike.domain.catalogue import album_id, artist_id, groups_of, settle
from soundalike.domain.entries import (
    Artist,
    EntryKind,
    EntrySort,
    Group,
    Settled,
    SettledGroup,
    Successor,
)
from soundalike.domain.genres import genre_id, settle_genre
from soundalike.domain.ports.library import Store
from soundalike.domain.tags import ExternalId, ExternalIdKind
from soundalike.domain.tracks import Track
from soundalike.domain.types import TrackId
from store.asking import HOSTILE_TEXTS, LATER_MS
from store.contract_places import tagged

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
