"""The catalogue is a function of the tracks: not of their order, of batches, or of what it was before."""

import itertools
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.made_libraries import catalogued, ids, libraries, tag_sets, tagged
from fakes import MemoryStore
from making import file_of
from soundalike.domain.catalogue import album_id, artist_id, first_artist, is_various, own_entry, settle
from soundalike.domain.entries import Album, EntryKind, EntrySort, Genre, Group
from soundalike.domain.files import Part
from soundalike.domain.genres import genre_id
from soundalike.domain.tracks import Track, TrackEntry
from soundalike.domain.types import TrackId
from soundalike.services.library.catalogue import settle_catalogue


def entries(tracks: Sequence[Track]) -> dict[str, TrackEntry]:
    store = catalogued(tracks)
    return {track.id: found.entry for track in tracks if (found := store.track(track.id)) is not None}


def albums(store: MemoryStore) -> tuple[Album, ...]:
    return store.find_albums(sort=EntrySort(), limit=100).entries


class TestNames:
    def test_an_id_is_that_of_the_folded_name(self) -> None:
        one, other = tagged("1", artists=("Sigur Rós",)), tagged("2", artists=("SIGUR  ROS",))
        found = entries([one, other])
        assert found["1"].artist_ids == found["2"].artist_ids == (artist_id("sigur ros"),)

    def test_artists_genres_and_albums_of_one_name_have_ids_of_their_own(self) -> None:
        assert len({artist_id("x"), genre_id("x"), album_id("x", None), album_id("x", "x")}) == 4

    def test_parts_of_a_key_do_not_run_together(self) -> None:
        assert album_id("a\0b", "c") != album_id("a", "b\0c")
        assert artist_id("a", "b") != artist_id("a\0b")

    def test_the_name_that_most_tracks_have_is_shown(self) -> None:
        names = ["ABBA", "Abba", "abba", "Abba"]
        store = catalogued(tagged(str(number), artists=(name,)) for number, name in enumerate(names))
        found = store.artist(artist_id("abba"))
        assert found is not None
        assert (found.name, found.track_count) == ("Abba", 4)

    def test_two_musicbrainz_ids_under_one_name_are_two_artists(self) -> None:
        one = tagged("1", artists=("Nirvana",), external_ids=ids("artist", "b"))
        other = tagged("2", artists=("Nirvana",), external_ids=ids("artist", "a"))
        without = tagged("3", artists=("Nirvana",))
        assert entries([one, without])["3"].artist_ids == (artist_id("nirvana"),)
        found = entries([one, other, without])
        assert found["1"].artist_ids == (artist_id("nirvana", "b"),)
        assert found["2"].artist_ids == found["3"].artist_ids == (artist_id("nirvana", "a"),)

    @pytest.mark.parametrize("lost", ["1", "2", "3"])
    def test_vanished_tracks_part_a_name(self, lost: str) -> None:
        store = catalogued(
            tagged(number, artists=("N",), external_ids=(*ids("artist", number), *ids("album", number)))
            for number in "123"
        )
        store.mark_vanished([TrackId(lost)], 5)
        settle_catalogue(store)
        for number in "123":
            assert (artist := store.artist(artist_id("n", number))) is not None
            assert (album := store.album(album_id("album", "n", number))) is not None
            assert (artist.id, album.id) == (artist_id("n", number), album_id("album", "n", number))
            assert artist.track_count == album.track_count == (number != lost)

    def test_what_has_no_id_goes_to_the_lower_one_that_is_there(self) -> None:
        store = catalogued([
            tagged("1", artists=("N",), external_ids=(*ids("artist", "a"), *ids("album", "a"))),
            tagged("2", artists=("N",), external_ids=(*ids("artist", "b"), *ids("album", "b"))),
            tagged("3", artists=("N",)),
        ])  # fmt: skip
        for vanished, lower in (((), "a"), ((TrackId("1"),), "b")):
            store.mark_vanished(vanished, 5)
            settle_catalogue(store)
            track = store.track(TrackId("3"))
            assert track is not None
            assert track.entry.artist_ids == (artist_id("n", lower),)
            assert track.entry.album_id == album_id("album", "n", lower)
        assert [(one.id, one.track_count) for one in albums(store)] == [(album_id("album", "n", "b"), 2)]

    def test_ids_that_do_not_pair_with_names_part_nothing(self) -> None:
        one = tagged("1", artists=("A", "B"), external_ids=ids("artist", "x"))
        other = tagged("2", artists=("A",), external_ids=ids("artist", "y"))
        assert entries([one, other])["1"].artist_ids == (artist_id("a"), artist_id("b"))

    def test_an_id_that_was_parted_leads_to_the_lower_one(self) -> None:
        store = catalogued([tagged("1", artists=("Nirvana",), external_ids=ids("artist", "b"))])
        for number, one in enumerate("aba"):  # which of them is added last does not matter
            store.save_track(tagged(f"more {number}", artists=("Nirvana",), external_ids=ids("artist", one)))
            settle_catalogue(store)
            assert (found := store.artist(artist_id("nirvana"))) is not None
            assert found.id == artist_id("nirvana", "a")

    def test_a_genre_knows_the_one_above(self) -> None:
        tags: dict[str, Any] = {"genres": ("Lo-Fi", "Rock"), "genre_parents": {"Lo-Fi": "Indie"}}
        store = catalogued([tagged("1", **tags), tagged("2", genres=("lo-fi",))])
        assert store.genre(genre_id("lo-fi")) == Genre(
            id=genre_id("lo-fi"), key="lo-fi", name="Lo-Fi", parent_id=genre_id("indie"), track_count=2
        )


class TestAlbums:
    def test_an_album_is_its_album_artists(self) -> None:
        found = entries([
            tagged("1", artists=("A feat. B",), album_artist="A"),
            tagged("2", artists=("A",)),
            tagged("3", artists=("B",), album="ALBUM"),
        ])  # fmt: skip
        assert found["1"].album_id == found["2"].album_id == album_id("album", "a")
        assert found["3"].album_id == album_id("album", "b")

    def test_two_releases_of_one_title_are_two_albums(self) -> None:
        first, second = ids("album", "r1"), ids("album", "r2")
        found = entries([
            tagged("1", artists=("A",), external_ids=first),
            tagged("2", artists=("A",), external_ids=second),
            tagged("3", artists=("A",)),
        ])  # fmt: skip
        assert found["1"].album_id == found["3"].album_id == album_id("album", "a", "r1")
        assert found["2"].album_id == album_id("album", "a", "r2")

    @pytest.mark.parametrize(
        "tags", [{"is_compilation": True}, {"album_artist": "Various Artists"}, {"album_artist": "VA"}]
    )
    def test_a_compilation_has_no_artist(self, tags: dict[str, Any]) -> None:
        store = catalogued([tagged("1", artists=("A",), **tags), tagged("2", artists=("B",), **tags)])
        (album,) = albums(store)
        assert (album.id, album.artist, album.is_compilation, album.track_count) == (
            album_id("album", None), None, True, 2,
        )  # fmt: skip

    def test_three_artists_in_one_folder_make_a_compilation(self) -> None:
        tracks = [tagged(name, artists=(name,), path=f"mix/{name}") for name in "abc"]
        apart = tagged("d", artists=("d",), path="mix/more/d")
        found = entries([*tracks, apart])
        assert {found[name].album_id for name in "abc"} == {album_id("album", None)}
        assert all(found[name].is_compilation for name in "abc")
        assert (found["d"].album_id, found["d"].is_compilation) == (album_id("album", "d"), False)
        assert not any(entry.is_compilation for entry in entries(tracks[:2]).values())

    def test_the_discs_of_a_box_make_one_compilation(self) -> None:
        found = entries(
            [
                tagged(name, artists=(name,), path=f"mix/CD{number}/{name}")
                for number, name in enumerate("abcd")
            ]
        )
        assert {one.album_id for one in found.values()} == {album_id("album", None)}
        apart = entries([tagged(name, artists=(name,), path=f"mix/{name}/{name}") for name in "xyz"])
        assert len({one.album_id for one in apart.values()}) == 3

    def test_an_album_artist_makes_none(self) -> None:
        tracks = [tagged(name, artists=(name,), album_artist="DJ", path=f"mix/{name}") for name in "abc"]
        found = entries(tracks)
        assert {entry.album_id for entry in found.values()} == {album_id("album", "dj")}
        assert not any(entry.is_compilation for entry in found.values())

    def test_vanished_tracks_make_no_compilation(self) -> None:
        tracks = [tagged(name, artists=(name,), path=f"mix/{name}") for name in "abc"]
        store = catalogued(tracks)
        store.mark_vanished([TrackId("c")], 5)
        settle_catalogue(store)
        assert (found := store.track(TrackId("a"))) is not None
        assert found.entry.album_id == album_id("album", "a")

    def test_an_album_knows_its_artist_year_and_length(self) -> None:
        tracks = [
            tagged("1", artists=("A",), year=1999, track_number=1, ms=1000),
            tagged("2", artists=("A", "B"), year=1998, track_number=2, ms=2000),
        ]
        store = catalogued(tracks)
        (album,) = albums(store)
        assert (album.artist, album.artist_id, album.year, album.track_count, album.duration_ms) == (
            "A", artist_id("a"), 1998, 2, 3000,
        )  # fmt: skip

    def test_a_parted_artist_has_the_album(self) -> None:
        store = catalogued([tagged("1", artists=("N",), external_ids=ids("artist", "b"))])
        store.save_track(tagged("2", artists=("N",), album="Other", external_ids=ids("artist", "a")))
        settle_catalogue(store)
        assert {album.title: album.artist_id for album in albums(store)} == {
            "Album": artist_id("n", "b"), "Other": artist_id("n", "a"),
        }  # fmt: skip

    def test_a_track_without_an_artist_is_on_an_album_of_nobodys(self) -> None:
        (album,) = albums(catalogued([tagged("1")]))
        assert (album.id, album.artist, album.is_compilation) == (album_id("album", None), None, False)


class TestRecordings:
    def test_copies_of_one_recording_have_one_key(self) -> None:
        found = entries([
            tagged("1", track_number=1, ms=100_000),
            tagged("2", track_number=1, disc_number=1, ms=102_000, title="SONG"),
            tagged("3", track_number=1, ms=102_001),
            tagged("4", track_number=1, disc_number=2, ms=100_000),
            tagged("5", track_number=2, ms=100_000),
            tagged("6", track_number=1, ms=100_000, title="Song (live)"),
            tagged("7", track_number=1, ms=100_000, album="Other"),
        ])  # fmt: skip
        assert found["1"].recording == found["2"].recording
        others = [found[number].recording for number in "134567"]
        assert None not in others
        assert len(set(others)) == 6

    @pytest.mark.parametrize("missing", [{"track_number": None}, {"title": None}, {"album": None}])
    def test_what_is_not_fully_tagged_is_no_copy(self, missing: dict[str, Any]) -> None:
        found = entries([tagged(name, **{"track_number": 1, **missing}) for name in "ab"])
        assert [found[name].recording for name in "ab"] == [None, None]
        assert all(found[name].is_preferred for name in "ab")

    def test_lossless_comes_before_bitrate_before_id(self) -> None:
        flac = tagged("z", track_number=1, kind="audio/flac")
        large = _sized(tagged("y", track_number=1), 9_000)
        first, second = tagged("a", track_number=1), tagged("b", track_number=1)

        def preferred(*tracks: Track) -> list[str]:
            return [track_id for track_id, entry in entries(tracks).items() if entry.is_preferred]

        assert preferred(first, second) == ["a"]
        assert preferred(first, second, large) == ["y"]
        assert preferred(first, second, large, flac) == ["z"]
        assert preferred(first, replace(flac, vanished_at=flac.added_at)) == ["a"]
        assert preferred(replace(first, file=None), second) == ["b"]

    def test_a_part_has_the_bitrate_of_its_file(self) -> None:
        def part(number: int, size_bytes: int) -> Track:
            track = _sized(tagged(f"b{number}", track_number=number + 1, path="image.mp3"), size_bytes)
            end = (number + 1) * 30_000 if number == 0 else None
            return replace(track, file=replace(file_of(track), part=Part(number * 30_000, end, 1_000)))

        alone = _sized(tagged("a", track_number=1), 1_000)
        for size_bytes, preferred in ((2_100, "b0"), (1_900, "a")):
            found = entries([part(0, size_bytes), part(1, size_bytes), alone])
            assert [one for one in ("a", "b0") if found[one].is_preferred] == [preferred]

    def test_an_album_in_two_formats_counts_once(self) -> None:
        tracks = [
            tagged(
                f"{kind}{number}",
                track_number=number,
                artists=("A",),
                kind=f"audio/{kind}",
                title=str(number),
            )
            for kind in ("mpeg", "flac")
            for number in (1, 2, 3)
        ]
        store = catalogued(tracks)
        (album,) = albums(store)
        assert album.track_count == 3
        assert album.duration_ms == 90_000

    @given(st.lists(st.integers(0, 8_000), min_size=1, max_size=8))
    def test_no_copy_is_more_than_2_s_longer_than_the_first(self, lengths: list[int]) -> None:
        tracks = [tagged(str(number), track_number=1, ms=ms) for number, ms in enumerate(lengths)]
        found = entries(tracks)
        by_key: dict[str | None, list[int]] = {}
        for track in tracks:
            by_key.setdefault(found[track.id].recording, []).append(track.duration_ms)
        spans = sorted((min(each), max(each)) for each in by_key.values())
        assert all(longest - shortest <= 2_000 for shortest, longest in spans)
        # Each begins more than 2 s after the beginning of the one before, or it would have been part of it.
        assert all(later[0] - earlier[0] > 2_000 for earlier, later in itertools.pairwise(spans))
        assert sum(found[track.id].is_preferred for track in tracks) == len(by_key)


def _sized(track: Track, size_bytes: int) -> Track:
    assert track.file is not None
    return replace(track, file=replace(track.file, stamp=replace(track.file.stamp, size_bytes=size_bytes)))


class TestSameArtist:
    def test_the_same_artist_is_the_first(self) -> None:
        one, other = tagged("1", artists=("A", "B")), tagged("2", artists=("a",))
        assert first_artist(one) == first_artist(other) == artist_id("a")

    def test_various_artists_and_none_are_nobody(self) -> None:
        assert first_artist(tagged("1", artists=("Various Artists",))) is None
        assert first_artist(tagged("1")) is None
        assert is_various("VARIOUS  artists")
        assert not is_various("Various Cruelties")
        assert not is_various(None)


def whole(store: MemoryStore, tracks: Iterable[Track]) -> object:
    """Return all that a catalogue says."""
    of_tracks = [(track.id, found.entry) for track in tracks if (found := store.track(track.id)) is not None]
    artists = store.find_artists(sort=EntrySort(), limit=100)
    return of_tracks, artists, store.find_genres(sort=EntrySort(), limit=100), albums(store)


@settings(max_examples=150)
@given(libraries(), st.data())
def test_neither_order_nor_batches_nor_the_past_matter(tracks: list[Track], data: st.DataObject) -> None:
    at_once = catalogued(tracks)
    shuffled = data.draw(st.permutations(tracks))
    pieces = MemoryStore()
    before = data.draw(st.lists(tag_sets, min_size=len(tracks), max_size=len(tracks)))
    for track, tags in zip(shuffled, before, strict=True):
        pieces.save_track(replace(track, tags=tags, entry=own_entry(tags), title=tags.title or "old"))
        if data.draw(st.booleans()):
            settle_catalogue(pieces)
    for track in shuffled:
        pieces.save_track(track)
        if data.draw(st.booleans()):
            settle_catalogue(pieces)
    settle_catalogue(pieces)
    assert whole(pieces, tracks) == whole(at_once, tracks)


@given(libraries())
def test_settling_again_changes_nothing(tracks: list[Track]) -> None:
    store = catalogued(tracks)
    for kind in EntryKind:
        for key in ("a", "b", "x", "y", "rock", "pop", "various artists"):
            group = Group(kind, key)
            assert settle(group, partial(store.tracks_in, group)).tracks == ()


def test_an_artist_of_very_many_tracks_is_settled_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("soundalike.domain.catalogue._MOST_KEPT", 100)

    def read() -> Iterator[Track]:
        return (tagged(str(number), artists=("A",), album=None) for number in range(1_500))

    group = Group(EntryKind.ARTIST, "a")
    tracemalloc.start()
    settled = settle(group, read)
    _, peak = tracemalloc.get_traced_memory()
    everything = list(read())
    _, all_of_them = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < all_of_them / 2
    assert settled == settle(group, lambda: everything)
