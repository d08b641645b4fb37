"""What every store promises of roots, tracks, folders and absence."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from making import SOME_TIME, at, file_of, make_location, make_track, make_vectors
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.files import FileStamp, Root
from soundalike.domain.ports.library import Store
from soundalike.domain.tracks import Sort
from soundalike.domain.types import AudioHash, RelativePath, RootName, TrackId
from soundalike.domain.words import words
from store.asking import (
    HOSTILE_TEXTS,
    LATER,
    LATER_MS,
    MUSIC,
    SCHEMA,
    found_ids,
    same_vectors,
    save_many,
    search,
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

    def test_times_are_stored_to_the_millisecond_in_utc(self, store: Store) -> None:
        zone = timezone(timedelta(hours=-7))
        for ms in (0, 1, 999):
            time = datetime(1969, 12, 31, 16, 59, 59, ms * 1000 + 999, tzinfo=zone)
            store.save_track(make_track(added_at=time))
            found = store.track(TrackId("t1"))
            assert found is not None
            assert found.added_at == time - timedelta(microseconds=999)
            assert found.added_at.tzinfo is UTC

    def test_any_text_in_tags_is_stored(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                track = make_track(title=text, artist=text, album=text, genre=text)
                store.save_track(track)
                assert store.track(track.id) == track
                assert found_ids(store.find_tracks(words(text), sort=Sort(), limit=10)) == ["t1"]

    def test_any_time_of_change_is_stored(self, store: Store) -> None:
        for mtime_ns in (-(2**70), -1, 0, 2**63, 2**70):
            store.save_track(make_track(mtime_ns=mtime_ns))
            found = store.track(TrackId("t1"))
            assert file_of(found).stamp == FileStamp(1000, mtime_ns)

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

    def test_no_id_makes_it_fail(self, store: Store, subtests: pytest.Subtests) -> None:
        store.save_track(make_track())
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
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
        assert store.track_at(file_of(first).location) == first
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
        store.save_track(new, moved_from=file_of(old).location)
        assert store.track_at(file_of(old).location) is None
        assert store.track_at(file_of(new).location) == new
        assert same_vectors(store.vectors_of(new.id, SCHEMA), vectors)

    def test_two_writers_cannot_both_move_a_track(self, store: Store) -> None:
        old, new = make_track(path=b"old.mp3"), make_track(path=b"new.mp3")
        store.save_track(old)
        store.save_track(new, moved_from=file_of(old).location)
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_track(
                make_track(path=b"other.mp3"), make_vectors(SCHEMA), moved_from=file_of(old).location
            )
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
            return [file_of(track).location.path for track in store.tracks_under(MUSIC, RelativePath(path))]

        assert below(b"") == sorted(paths)
        assert below(b"a") == [b"a", b"a/\x00", b"a/b/y", b"a/x", b"a/\xff"]
        assert below(b"a/b") == [b"a/b/y"]
        assert below(b"nothing") == []
        assert list(store.tracks_under(RootName("unknown"), RelativePath(b""))) == []

    def test_tracks_may_be_written_while_they_are_gone_through(self, store: Store) -> None:
        count = 1200
        store.save_stored_tracks([make_track(f"t{n:04}", path=b"a/%04d" % n) for n in range(count)])
        seen = []
        for number, track in enumerate(store.tracks_under(MUSIC, RelativePath(b""))):
            seen.append(track.id)
            if number % 10 == 0:
                # Renamed to the far end: a walk over a live index would come upon it again.
                store.save_track(at(track, b"z/%04d" % number))
        assert seen == [f"t{number:04}" for number in range(count)]

    def test_two_walks_at_once_do_not_disturb_each_other(self, store: Store) -> None:
        tracks = [make_track(f"t{number:04}") for number in range(600)]
        save_many(store, tracks, (make_vectors(SCHEMA, number) for number in range(600)))
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
        assert store.track_at(file_of(gone).location) == gone
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
        store.save_stored_tracks([make_track(track_id) for track_id in ids])
        assert store.mark_vanished([TrackId(track_id) for track_id in ids], LATER_MS) == len(ids)
        assert store.count_tracks() == 0
