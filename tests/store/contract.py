"""What every store promises; each adapter's tests inherit `StoreContract` and give it a store."""
# ruff: noqa: RUF001 - look-alike letters are what search is about

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from making import SOME_TIME, make_location, make_schema, make_track, make_vectors
from soundalike.domain.errors import SchemaMismatchError, TrackConflictError
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import FileProblem, FileStamp, Reason, Root
from soundalike.domain.ports import Store
from soundalike.domain.tracks import Position, Sort, Track, TrackPage
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, RootName, TrackId
from soundalike.domain.words import words

MUSIC = RootName("music")
SCHEMA = make_schema()
LATER_MS = 1_800_000_000_123
LATER = datetime(2027, 1, 15, 8, 0, 0, 123_000, tzinfo=UTC)

HOSTILE_TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udcffb",
    "%",
    "_",
    "*",
    '"',
    "'",
    "');--",
    "$where",
    ".*",
    "\\",
    "\U0010ffff",
    "é" * 10_000,
    "a b " * 5_000,
]


def found_ids(page: TrackPage) -> list[str]:
    return [track.id for track in page.tracks]


def search(store: Store, query: str, *, sort: str = "title", limit: int = 100) -> list[str]:
    page = store.find_tracks(words(query), sort=Sort.parse(sort), limit=limit)
    assert page.total == len(page.tracks)
    return found_ids(page)


def walk(store: Store, sort: str, *, limit: int, query: str = "") -> list[str]:
    """Page through everything that matches."""
    ids: list[str] = []
    after: Position | None = None
    while True:
        page = store.find_tracks(words(query), sort=Sort.parse(sort), limit=limit, after=after)
        assert len(page.tracks) <= limit
        ids += found_ids(page)
        if page.next is None:
            assert page.total == len(ids)
            return ids
        after = page.next


def same_vectors(found: FeatureVectors | None, expected: FeatureVectors) -> bool:
    return (
        found is not None
        and found.schema == expected.schema
        and np.array_equal(found.whole, expected.whole)
        and np.array_equal(found.first_half, expected.first_half)
        and np.array_equal(found.second_half, expected.second_half)
    )


class RootsContract:
    def test_roots_come_by_name(self, store: Store) -> None:
        store.save_root(Root(RootName("zoo"), Path("/z")))
        store.save_root(Root(MUSIC, Path("/m")))
        assert store.roots() == (Root(MUSIC, Path("/m")), Root(RootName("zoo"), Path("/z")))

    def test_a_root_can_be_somewhere_else(self, store: Store) -> None:
        store.save_root(Root(MUSIC, Path("/old")))
        store.save_root(Root(MUSIC, Path("/new/\udcff")))
        assert store.roots() == (Root(MUSIC, Path("/new/\udcff")),)


class TracksContract:
    def test_a_track_comes_back_as_it_was_saved(self, store: Store) -> None:
        track = make_track(
            title="Größe\n",
            artist=None,
            album="",
            genre="Żywiec",
            year=9999,
            path=b"a/\xff\x00/b.mp3",
            target=Path("/else/where\udcff.mp3"),
            vanished_at=SOME_TIME + timedelta(milliseconds=1),
        )
        store.save_track(track)
        assert store.track(track.id) == track

    def test_times_are_kept_to_the_millisecond_in_utc(self, store: Store) -> None:
        zone = timezone(timedelta(hours=-7))
        for ms in (0, 1, 999):
            time = datetime(1969, 12, 31, 16, 59, 59, ms * 1000 + 999, tzinfo=zone)
            store.save_track(make_track(added_at=time))
            found = store.track(TrackId("t1"))
            assert found is not None
            assert found.added_at == time - timedelta(microseconds=999)
            assert found.added_at.tzinfo is UTC

    @pytest.mark.parametrize("text", HOSTILE_TEXTS)
    def test_any_text_in_tags_is_kept(self, store: Store, text: str) -> None:
        track = make_track(title=text, artist=text, album=text, genre=text)
        store.save_track(track)
        assert store.track(track.id) == track
        assert found_ids(store.find_tracks(words(text), sort=Sort(), limit=10)) == ["t1"]

    def test_any_time_of_change_is_kept(self, store: Store) -> None:
        for mtime_ns in (-(2**70), -1, 0, 2**63, 2**70):
            store.save_track(make_track(mtime_ns=mtime_ns))
            found = store.track(TrackId("t1"))
            assert found is not None
            assert found.stamp == FileStamp(1000, mtime_ns)

    def test_saving_again_replaces(self, store: Store) -> None:
        store.save_track(make_track(title="Old", artist="Gone"))
        retagged = make_track(title="New", artist=None, year=2001)
        store.save_track(retagged)
        assert store.track(TrackId("t1")) == retagged
        assert store.count_tracks() == 1
        assert search(store, "old") == search(store, "gone") == []
        assert search(store, "new") == ["t1"]

    def test_unknown_tracks_are_none(self, store: Store) -> None:
        assert store.track(TrackId("nobody")) is None
        assert store.track_at(make_location(b"nowhere")) is None
        assert store.tracks_with_hash(AudioHash("none")) == ()

    @pytest.mark.parametrize("text", HOSTILE_TEXTS)
    def test_no_id_makes_it_fail(self, store: Store, text: str) -> None:
        store.save_track(make_track())
        assert store.track(TrackId(text)) is None
        assert store.tracks([TrackId(text), TrackId("t1")]).keys() == {"t1"}
        assert store.mark_vanished([TrackId(text)], LATER_MS) == 0
        assert store.vectors_of(TrackId(text), SCHEMA) is None
        store.drop_vectors(TrackId(text))

    def test_any_number_of_tracks_may_be_asked_for(self, store: Store) -> None:
        for number in range(3):
            store.save_track(make_track(f"t{number}", vanished_at=SOME_TIME if number == 2 else None))
        assert store.tracks([]) == {}
        assert store.tracks([TrackId(f"t{number}") for number in range(40_000)]).keys() == {"t0", "t1", "t2"}

    def test_a_location_belongs_to_one_track(self, store: Store) -> None:
        first = make_track("t1", path=b"a.mp3")
        store.save_track(first)
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_track(make_track("t2", path=b"a.mp3"), make_vectors(SCHEMA))
        assert store.track(TrackId("t2")) is None
        assert store.track_at(first.location) == first
        assert store.ids_with_vectors(SCHEMA) == frozenset()

    def test_the_same_path_below_another_root_is_another_location(self, store: Store) -> None:
        store.save_track(make_track("t1", path=b"a.mp3"))
        store.save_track(make_track("t2", path=b"a.mp3", root="disk"))
        found = store.track_at(make_location(b"a.mp3", "disk"))
        assert found is not None
        assert found.id == "t2"

    def test_a_track_that_moved_keeps_its_id_and_vectors(self, store: Store) -> None:
        vectors = make_vectors(SCHEMA)
        old, new = make_track(path=b"old.mp3"), make_track(path=b"new.mp3")
        store.save_track(old, vectors)
        store.save_track(new, moved_from=old.location)
        assert store.track_at(old.location) is None
        assert store.track_at(new.location) == new
        assert same_vectors(store.vectors_of(new.id, SCHEMA), vectors)

    def test_two_writers_cannot_both_move_a_track(self, store: Store) -> None:
        old, new = make_track(path=b"old.mp3"), make_track(path=b"new.mp3")
        store.save_track(old)
        store.save_track(new, moved_from=old.location)
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_track(make_track(path=b"other.mp3"), make_vectors(SCHEMA), moved_from=old.location)
        assert store.track(old.id) == new
        assert store.vectors_of(old.id, SCHEMA) is None

    def test_only_a_stored_track_can_move(self, store: Store) -> None:
        with pytest.raises(TrackConflictError):
            store.save_track(make_track(), moved_from=make_location(b"old.mp3"))
        assert store.count_tracks() == 0

    def test_tracks_of_one_audio_come_oldest_first(self, store: Store) -> None:
        for track_id, seconds in (("c", 0), ("a", 5), ("b", 5), ("d", 9)):
            added_at = SOME_TIME + timedelta(seconds=seconds)
            store.save_track(make_track(track_id, audio_hash="same", added_at=added_at))
        store.save_track(make_track("other"))
        store.mark_vanished([TrackId("a")], LATER_MS)
        assert [t.id for t in store.tracks_with_hash(AudioHash("same"))] == ["c", "a", "b", "d"]


class FoldersContract:
    def test_tracks_under_a_folder_come_by_path(self, store: Store) -> None:
        paths = [b"ab/x", b"a/x", b"a/b/y", b"a", b"a-", b"a0", b"b", b"A/x", b"a/\xff", b"a/\x00"]
        for number, path in enumerate(paths):
            store.save_track(make_track(f"t{number}", path=path))
        store.save_track(make_track("elsewhere", path=b"a/x", root="disk"))
        store.mark_vanished([TrackId("t1")], LATER_MS)

        def below(path: bytes) -> list[bytes]:
            return [track.location.path for track in store.tracks_under(MUSIC, RelativePath(path))]

        assert below(b"") == sorted(paths)
        assert below(b"a") == [b"a", b"a/\x00", b"a/b/y", b"a/x", b"a/\xff"]
        assert below(b"a/b") == [b"a/b/y"]
        assert below(b"nothing") == []
        assert list(store.tracks_under(RootName("unknown"), RelativePath(b""))) == []

    def test_tracks_may_be_written_while_they_are_gone_through(self, store: Store) -> None:
        count = 1200
        for number in range(count):
            store.save_track(make_track(f"t{number:04}", path=b"a/%04d" % number))
        seen = []
        for number, track in enumerate(store.tracks_under(MUSIC, RelativePath(b""))):
            seen.append(track.id)
            # Renamed to the far end: a walk over a live index would come upon it again.
            store.save_track(replace(track, location=make_location(b"z/%04d" % number)))
        assert seen == [f"t{number:04}" for number in range(count)]

    def test_two_walks_at_once_do_not_disturb_each_other(self, store: Store) -> None:
        for number in range(600):
            store.save_track(make_track(f"t{number:04}"), make_vectors(SCHEMA, number))
        first, second = store.track_vectors(SCHEMA), store.tracks_under(MUSIC, RelativePath(b""))
        assert [(a.track_id, b.id) for a, b in zip(first, second, strict=True)] == [
            (f"t{number:04}", f"t{number:04}") for number in range(600)
        ]


class VanishingContract:
    def test_vanished_tracks_leave_lists_but_not_the_store(self, store: Store) -> None:
        for track_id in ("t1", "t2"):
            store.save_track(make_track(track_id, title="Same", audio_hash="same"), make_vectors(SCHEMA))
        assert store.mark_vanished([TrackId("t1"), TrackId("t1"), TrackId("nobody")], LATER_MS) == 1
        assert search(store, "same") == search(store, "") == ["t2"]
        assert store.count_tracks() == 1
        assert [item.track_id for item in store.track_vectors(SCHEMA)] == ["t2"]

        gone = store.track(TrackId("t1"))
        assert gone is not None
        assert gone.is_vanished
        assert gone.vanished_at == LATER
        assert store.track_at(gone.location) == gone
        assert [t.id for t in store.tracks_with_hash(AudioHash("same"))] == ["t1", "t2"]
        assert [t.id for t in store.tracks_under(MUSIC, RelativePath(b""))] == ["t1", "t2"]
        assert store.ids_with_vectors(SCHEMA) == {"t1", "t2"}
        assert store.vectors_of(TrackId("t1"), SCHEMA) is not None

    def test_the_time_of_the_first_absence_stays(self, store: Store) -> None:
        store.save_track(make_track())
        assert store.mark_vanished([TrackId("t1")], LATER_MS) == 1
        assert store.mark_vanished([TrackId("t1")], LATER_MS + 5) == 0
        found = store.track(TrackId("t1"))
        assert found is not None
        assert found.vanished_at == LATER

    def test_a_track_that_is_back_is_found_again(self, store: Store) -> None:
        track = make_track(title="Comeback")
        vectors = make_vectors(SCHEMA)
        store.save_track(track, vectors)
        store.mark_vanished([track.id], LATER_MS)
        store.save_track(track)
        assert search(store, "comeback") == ["t1"]
        assert same_vectors(store.vectors_of(track.id, SCHEMA), vectors)

    def test_many_can_vanish_at_once(self, store: Store) -> None:
        ids = [f"t{number}" for number in range(1100)]
        for track_id in ids:
            store.save_track(make_track(track_id))
        assert store.mark_vanished([TrackId(track_id) for track_id in ids], LATER_MS) == len(ids)
        assert store.count_tracks() == 0


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

    @pytest.mark.parametrize(
        ("query", "ids"),
        [
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
        ],
    )
    def test_each_word_begins_a_word_of_the_track(self, library: Store, query: str, ids: list[str]) -> None:
        assert search(library, query) == ids

    @pytest.mark.parametrize("query", ["", "   ", "\x00"])
    def test_no_words_match_everything(self, library: Store, query: str) -> None:
        assert len(search(library, query)) == 7

    @pytest.mark.parametrize("text", HOSTILE_TEXTS)
    def test_no_query_makes_it_fail(self, library: Store, text: str) -> None:
        for asked in (words(text), [text], [text] * 3):
            page = library.find_tracks(asked, sort=Sort(), limit=5)
            assert page.total >= len(page.tracks)

    @pytest.mark.parametrize("text", HOSTILE_TEXTS)
    @pytest.mark.parametrize("sort", ["title", "-artist", "year", "-added"])
    def test_no_position_makes_it_fail(self, library: Store, text: str, sort: str) -> None:
        for key in (text, None, 10**30, -(10**30)):
            after = Position(key, TrackId(text))
            assert library.find_tracks([], sort=Sort.parse(sort), limit=5, after=after).total == 7

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

    @pytest.mark.parametrize(
        ("sort", "ids"),
        [
            ("title", "bcdefa"),
            ("-title", "afebcd"),
            ("artist", "badcef"),
            ("-artist", "cadbef"),
            ("album", "badcef"),
            ("-album", "cadbef"),
            ("year", "fbecad"),
            ("-year", "cbefad"),
            ("added", "afbcde"),
            ("-added", "edbcfa"),
        ],
    )
    @pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
    def test_pages_follow_the_order(self, ordered: Store, sort: str, ids: str, limit: int) -> None:
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


class VectorsContract:
    def test_vectors_come_back_bit_for_bit(self, store: Store) -> None:
        odd = np.array([-0.0, np.inf, np.float32(1e-45), np.nan], dtype=np.float32)
        vectors = FeatureVectors(SCHEMA, odd, odd[::-1].copy(), odd * 2)
        store.save_track(make_track(), vectors)
        found = store.vectors_of(TrackId("t1"), SCHEMA)
        assert found is not None
        assert found.whole.tobytes() == odd.tobytes()
        assert found.first_half.tobytes() == odd[::-1].tobytes()
        assert found.second_half.tobytes() == (odd * 2).tobytes()
        assert not found.whole.flags.writeable

    def test_vectors_are_kept_for_each_feature_set(self, store: Store) -> None:
        other = make_schema(6, name="other")
        store.save_track(make_track(), make_vectors(SCHEMA, 1))
        store.save_track(make_track(), make_vectors(other, 2))
        assert same_vectors(store.vectors_of(TrackId("t1"), SCHEMA), make_vectors(SCHEMA, 1))
        assert same_vectors(store.vectors_of(TrackId("t1"), other), make_vectors(other, 2))
        assert store.vectors_of(TrackId("t1"), make_schema(version=2)) is None

    def test_new_vectors_replace_those_of_the_same_set(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA, 1))
        store.save_track(make_track(), make_vectors(SCHEMA, 2))
        assert same_vectors(store.vectors_of(TrackId("t1"), SCHEMA), make_vectors(SCHEMA, 2))
        assert len(list(store.track_vectors(SCHEMA))) == 1

    def test_retagging_leaves_vectors_and_new_audio_drops_them(self, store: Store) -> None:
        other = make_schema(name="other")
        store.save_track(make_track(), make_vectors(SCHEMA))
        store.save_track(make_track(title="Retagged"), make_vectors(other))
        assert store.ids_with_vectors(SCHEMA) == store.ids_with_vectors(other) == {"t1"}
        store.save_track(make_track(audio_hash="another"), make_vectors(other, 3))
        assert store.vectors_of(TrackId("t1"), SCHEMA) is None
        assert same_vectors(store.vectors_of(TrackId("t1"), other), make_vectors(other, 3))

    def test_vectors_can_be_dropped(self, store: Store) -> None:
        for track_id in ("t1", "t2"):
            store.save_track(make_track(track_id), make_vectors(SCHEMA))
        store.drop_vectors(TrackId("t1"))
        assert store.ids_with_vectors(SCHEMA) == {"t2"}
        assert store.track(TrackId("t1")) == make_track("t1")

    def test_vectors_are_found_by_audio(self, store: Store) -> None:
        store.save_track(make_track("t1", audio_hash="same"))
        store.save_track(make_track("t2", audio_hash="same", vanished_at=SOME_TIME), make_vectors(SCHEMA, 7))
        store.save_track(make_track("t3"), make_vectors(SCHEMA))
        store.save_track(make_track("t4"))
        assert same_vectors(store.vectors_with_hash(AudioHash("same"), SCHEMA), make_vectors(SCHEMA, 7))
        assert store.vectors_with_hash(AudioHash("hash of t4"), SCHEMA) is None
        assert store.hashes_with_vectors(SCHEMA) == {"same", "hash of t3"}
        assert store.ids_with_vectors(SCHEMA) == {"t2", "t3"}

    def test_every_vector_comes_once_by_id(self, store: Store) -> None:
        ids = [f"t{number:04}" for number in range(1001)]
        for number, track_id in enumerate(reversed(ids)):
            store.save_track(make_track(track_id), make_vectors(SCHEMA, number))
        store.save_track(make_track("t0500x"))
        found = list(store.track_vectors(SCHEMA))
        assert [item.track_id for item in found] == ids
        assert found[0].audio_hash == "hash of t0000"
        assert same_vectors(found[0].vectors, make_vectors(SCHEMA, 1000))

    def test_vectors_are_never_read_as_other_features(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA))
        impostor = make_schema(5)
        readings: list[Callable[[], object]] = [
            lambda: store.vectors_of(TrackId("t1"), impostor),
            lambda: store.vectors_with_hash(AudioHash("hash of t1"), impostor),
            lambda: store.hashes_with_vectors(impostor),
            lambda: store.ids_with_vectors(impostor),
            lambda: list(store.track_vectors(impostor)),
            lambda: store.save_track(make_track("t2"), make_vectors(impostor)),
        ]
        for read in readings:
            with pytest.raises(SchemaMismatchError, match="tiny-v1"):
                read()
        assert store.track(TrackId("t2")) is None

    def test_a_feature_set_that_nothing_has_is_empty(self, store: Store) -> None:
        assert store.vectors_of(TrackId("t1"), SCHEMA) is None
        assert store.hashes_with_vectors(SCHEMA) == frozenset()
        assert store.ids_with_vectors(SCHEMA) == frozenset()
        assert list(store.track_vectors(SCHEMA)) == []


class ProblemsContract:
    def problems(self, store: Store, path: bytes = b"") -> list[FileProblem]:
        return list(store.problems_under(MUSIC, RelativePath(path)))

    @pytest.mark.parametrize("reason", Reason)
    def test_a_problem_comes_back_as_it_was_saved(self, store: Store, reason: Reason) -> None:
        problem = FileProblem(
            location=make_location(b"\xff.mp3"),
            reason=reason,
            heard_ms=DurationMs(3500),
            detail="a\x00\ud800",
            is_used=True,
            stamp=FileStamp(5, 2**64),
        )
        store.save_problem(problem)
        assert self.problems(store) == [problem]

    def test_there_is_one_line_for_each_file(self, store: Store) -> None:
        store.save_problem(FileProblem(location=make_location(b"a"), reason=Reason.EMPTY))
        store.save_problem(FileProblem(location=make_location(b"a"), reason=Reason.SILENT))
        assert [problem.reason for problem in self.problems(store)] == [Reason.SILENT]

    def test_problems_under_a_folder_come_by_path(self, store: Store) -> None:
        for path in (b"a/x", b"a", b"", b"ab", b"a/\xff", b"b"):
            store.save_problem(FileProblem(location=make_location(path), reason=Reason.EMPTY))
        store.save_problem(FileProblem(location=make_location(b"a/x", "disk"), reason=Reason.EMPTY))
        assert [p.location.path for p in self.problems(store)] == [b"", b"a", b"a/x", b"a/\xff", b"ab", b"b"]
        assert [p.location.path for p in self.problems(store, b"a")] == [b"a", b"a/x", b"a/\xff"]

    def test_problems_can_be_removed_while_they_are_gone_through(self, store: Store) -> None:
        for number in range(1100):
            path = b"%04d" % number
            store.save_problem(FileProblem(location=make_location(path), reason=Reason.EMPTY))
        seen = []
        for problem in store.problems_under(MUSIC, RelativePath(b"")):
            seen.append(problem.location)
            store.remove_problems([problem.location, make_location(b"unknown")])
        assert len(seen) == len(set(seen)) == 1100
        assert self.problems(store) == []

    def test_saving_a_track_clears_the_problem_at_its_location(self, store: Store) -> None:
        track = make_track()
        other = FileProblem(location=make_location(b"other"), reason=Reason.EMPTY)
        store.save_problem(FileProblem(location=track.location, reason=Reason.EMPTY))
        store.save_problem(other)
        store.save_track(track)
        assert self.problems(store) == [other]

    def test_a_refused_track_clears_nothing(self, store: Store) -> None:
        store.save_track(make_track("t1", path=b"a.mp3"))
        problem = FileProblem(location=make_location(b"a.mp3"), reason=Reason.HEADER_TOO_LONG, is_used=True)
        store.save_problem(problem)
        with pytest.raises(TrackConflictError):
            store.save_track(make_track("t2", path=b"a.mp3"))
        assert self.problems(store) == [problem]


class ThreadsContract:
    def test_many_threads_may_write_and_read_at_once(self, store: Store) -> None:
        failures: list[BaseException] = []

        def work(thread: int) -> None:
            try:
                for number in range(15):
                    track = make_track(f"t{thread}-{number}", title="Shared")
                    store.save_track(track, make_vectors(SCHEMA))
                    page = store.find_tracks(["shared"], sort=Sort(), limit=100)
                    assert track in page.tracks or page.total > 100
                    assert page.total >= len(page.tracks)
            except BaseException as failure:  # noqa: BLE001 - a thread's failure is the test's
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert store.count_tracks() == len(store.ids_with_vectors(SCHEMA)) == 90

    def test_one_of_two_racing_threads_gets_the_location(self, store: Store) -> None:
        outcomes: list[str] = []
        barrier = threading.Barrier(2)

        def claim(track: Track) -> None:
            barrier.wait()
            try:
                store.save_track(track)
                outcomes.append("saved")
            except TrackConflictError:
                outcomes.append("refused")

        for round_number in range(10):
            racers = [
                threading.Thread(
                    target=claim, args=(make_track(f"{name}{round_number}", path=b"%d" % round_number),)
                )
                for name in "ab"
            ]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
        assert sorted(outcomes) == ["refused"] * 10 + ["saved"] * 10


class StoreContract(
    RootsContract,
    TracksContract,
    FoldersContract,
    VanishingContract,
    SearchContract,
    OrderContract,
    VectorsContract,
    ProblemsContract,
    ThreadsContract,
):
    """Everything that `Store` promises of itself; give a fixture named `store`."""


class DurableStoreContract(StoreContract):
    """The same, of stores that outlive their process; give a fixture `reopen` too."""

    def test_everything_is_there_after_reopening(self, store: Store, reopen: Callable[[], Store]) -> None:
        problem = FileProblem(location=make_location(b"bad"), reason=Reason.EMPTY)
        vectors = make_vectors(SCHEMA)
        store.save_root(Root(MUSIC, Path("/m")))
        store.save_track(make_track("t1", title="Kept"), vectors)
        store.save_track(make_track("t2"))
        store.mark_vanished([TrackId("t2")], LATER_MS)
        store.save_problem(problem)
        store.close()

        again = reopen()
        assert again.roots() == (Root(MUSIC, Path("/m")),)
        assert again.track(TrackId("t1")) == make_track("t1", title="Kept")
        assert search(again, "kept") == search(again, "") == ["t1"]
        assert same_vectors(again.vectors_of(TrackId("t1"), SCHEMA), vectors)
        assert list(again.problems_under(MUSIC, RelativePath(b""))) == [problem]

    def test_two_stores_on_the_same_data_see_each_other(
        self, store: Store, reopen: Callable[[], Store]
    ) -> None:
        other = reopen()
        store.save_track(make_track("t1"))
        other.save_track(make_track("t2"))
        assert search(store, "") == search(other, "") == ["t1", "t2"]
        with pytest.raises(TrackConflictError):
            other.save_track(make_track("t3", path=b"t1.mp3"))
