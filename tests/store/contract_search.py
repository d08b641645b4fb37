"""What every store promises of searching and listing."""
# ruff: noqa: RUF001 - look-alike letters are what search is about

import itertools
from datetime import UTC, datetime

import pytest

from making import SOME_TIME, make_track
from soundalike.domain.ports.library import Store
from soundalike.domain.tracks import Position, Sort
from soundalike.domain.types import TrackId
from soundalike.domain.words import words
from store.asking import HOSTILE_TEXTS, LATER_MS, found_ids, search, walk


class SearchContract:
    @pytest.fixture
    def library(self, store: Store) -> Store:
        store.save_track(make_track("1", title="Jóga", artist="Björk", album="Homogenic"))
        store.save_track(make_track("2", title="Hoppípolla", artist="Sigur Rós", album="Takk…"))
        store.save_track(make_track("3", title="Thunderstruck", artist="AC/DC", album="The Razors Edge"))
        store.save_track(make_track("4", title="Don't Stop", artist="Fleetwood Mac", album="Rumours"))
        store.save_track(make_track("5", title="夜に駆ける", artist="YOASOBI", album=None))
        store.save_track(make_track("6", title="💚", artist="!!!", album="100% Silk_"))
        store.save_track(make_track("7", title="So What", artist="P!nk", album=None))
        return store

    def test_each_word_begins_a_word_of_the_track(self, library: Store, subtests: pytest.Subtests) -> None:
        cases = [
            ("bjork", ["1"]),
            ("BJÖRK joga", ["1"]),
            ("jo homo bj", ["1"]),
            ("sigur ros", ["2"]),
            ("igur", []),
            ("bjork ros", []),
            ("ac/dc", ["3"]),
            ("acdc", ["3"]),
            ("edge the", ["3"]),
            ("dont", ["4"]),
            ("don’t stop", ["4"]),
            ("駆", ["5"]),
            ("ける 夜", ["5"]),
            ("💚", ["6"]),
            ("!!!", ["6"]),
            ("100%", ["6"]),
            ("p!nk", ["7"]),
            ("%", []),
            ("s_", ["4", "2", "7", "6"]),
            ("s", ["4", "2", "7", "6"]),
            ("s s s so", ["7"]),
        ]
        for query, ids in cases:
            with subtests.test(query=query):
                assert search(library, query) == ids

    def test_no_words_match_everything(self, library: Store, subtests: pytest.Subtests) -> None:
        for query in ("", "   ", "\x00"):
            with subtests.test(query=query):
                assert len(search(library, query)) == 7

    def test_no_query_makes_it_fail(self, library: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                for asked in (words(text), [text], [text] * 3):
                    page = library.find_tracks(asked, sort=Sort(), limit=5)
                    assert page.total >= len(page.tracks)

    def test_no_position_makes_it_fail(self, library: Store, subtests: pytest.Subtests) -> None:
        for text, sort in itertools.product(HOSTILE_TEXTS, ("title", "-artist", "year", "-added")):
            with subtests.test(text=text, sort=sort):
                for key in (text, None, 10**30, -(10**30)):
                    after = Position(key, TrackId(text))
                    assert library.find_tracks([], sort=Sort.parse(sort), limit=5, after=after).total == 7

    def test_a_track_saved_as_vanished_is_not_found_until_it_returns(self, store: Store) -> None:
        for vanished_at, ids in ((None, ["t1"]), (SOME_TIME, []), (None, ["t1"])):
            store.save_track(make_track("t1", title="Gone Fishing", vanished_at=vanished_at))
            assert search(store, "gone") == ids

    def test_a_long_query_finds_what_holds_all_its_words(self, store: Store) -> None:
        title = " ".join(f"word{number}x" for number in range(3000))
        store.save_track(make_track("long", title=title))
        store.save_track(make_track("short", title="word1x"))
        assert search(store, title) == ["long"]

    def test_as_many_words_as_one_likes_are_answered(self, store: Store) -> None:
        store.save_track(make_track(title="".join(map(chr, range(0x4E00, 0x4E00 + 5000)))))
        assert search(store, "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))) == ["t1"]


class OrderContract:
    @pytest.fixture
    def ordered(self, store: Store) -> Store:
        def save(track_id: str, title: str, artist: str | None, year: int | None, day: int) -> None:
            added_at = datetime(2026, 1, day, tzinfo=UTC)
            store.save_track(
                make_track(track_id, title=title, artist=artist, album=artist, year=year, added_at=added_at)
            )

        save("e", "Zebra", None, 1999, 5)
        save("d", "ärger", "beta", None, 4)
        save("c", "Arger", "Ölf", 2001, 3)
        save("b", "arger", "alpha", 1999, 3)
        save("a", "𝄞 Clef", "Beta", None, 1)
        save("f", "\uffee", None, -5, 2)
        store.save_track(make_track("gone", vanished_at=SOME_TIME))
        return store

    def test_pages_follow_the_order(self, ordered: Store, subtests: pytest.Subtests) -> None:
        cases = [
            ("title", "bcdefa"),
            ("-title", "afebcd"),
            ("artist", "bdacef"),
            ("-artist", "cadbef"),
            ("album", "bdacef"),
            ("-album", "cadbef"),
            ("year", "fbecad"),
            ("-year", "cbefad"),
            ("added", "afbcde"),
            ("-added", "edbcfa"),
        ]
        for (sort, ids), limit in itertools.product(cases, (1, 2, 5, 6, 100)):
            with subtests.test(sort=sort, limit=limit):
                assert walk(ordered, sort, limit=limit) == list(ids)

    def test_a_full_last_page_is_the_last(self, ordered: Store) -> None:
        assert ordered.find_tracks([], sort=Sort(), limit=6).next is None

    def test_a_page_tells_how_many_match_over_all_pages(self, ordered: Store) -> None:
        page = ordered.find_tracks(["arger"], sort=Sort(), limit=2)
        assert (found_ids(page), page.total) == (["b", "c"], 3)
        assert page.next is not None
        rest = ordered.find_tracks(["arger"], sort=Sort(), limit=2, after=page.next)
        assert (found_ids(rest), rest.total, rest.next) == (["d"], 3, None)

    def test_a_page_goes_on_where_the_last_ended_though_tracks_come_and_go(self, ordered: Store) -> None:
        page = ordered.find_tracks([], sort=Sort(), limit=3)
        assert found_ids(page) == ["b", "c", "d"]
        ordered.mark_vanished([TrackId("d")], LATER_MS)
        ordered.save_track(make_track("new", title="aaa"))
        assert found_ids(ordered.find_tracks([], sort=Sort(), limit=2, after=page.next)) == ["e", "f"]
