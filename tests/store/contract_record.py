"""What every store promises of the library's record."""

from dataclasses import replace

from making import make_track, make_vectors
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.ports.library import Store
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.types import LibraryId, TrackId
from store.asking import LATER_MS, SCHEMA

FIRST, SECOND = LibraryMark(LibraryId("1" * 32)), LibraryMark(LibraryId("2" * 32))


class LibraryRecordContract:
    def test_a_new_store_has_no_mark_until_it_is_given_one(self, store: Store) -> None:
        assert store.library_mark() == UNMARKED
        assert store.set_library_mark(FIRST, replacing=UNMARKED)
        assert store.library_mark() == FIRST

    def test_of_two_that_give_a_mark_at_once_one_does(self, store: Store) -> None:
        assert store.set_library_mark(FIRST, replacing=UNMARKED)
        assert not store.set_library_mark(SECOND, replacing=UNMARKED)
        assert store.library_mark() == FIRST
        assert store.set_library_mark(SECOND, replacing=FIRST)
        assert store.library_mark() == SECOND

    def test_a_copy_is_unfinished_until_its_mark_is_lifted(self, store: Store) -> None:
        unfinished = replace(FIRST, is_unfinished=True)
        assert store.set_library_mark(unfinished, replacing=UNMARKED)
        assert store.library_mark() == unfinished
        assert not store.set_library_mark(SECOND, replacing=FIRST)
        assert store.set_library_mark(FIRST, replacing=unfinished)
        assert store.library_mark() == FIRST

    def test_a_store_that_was_just_opened_or_written_is_writable_and_asking_writes_nothing(
        self, store: Store
    ) -> None:
        store.check_writable()
        store.save_track(make_track("t1"))
        version = store.library_version()
        store.check_writable()
        assert store.library_version() == version

    def test_every_change_of_a_track_raises_the_version_and_names_the_track(self, store: Store) -> None:
        def change(track_ids: list[str]) -> None:
            before, seen = store.library_version(), versions[-1]
            assert before > seen
            version, changed = store.changed_since(seen)
            assert (version, sorted(changed)) == (before, track_ids)
            versions.append(before)

        versions = [store.library_version()]
        store.save_track(make_track("t1"))
        change(["t1"])
        store.save_track(make_track("t2"), make_vectors(SCHEMA))
        change(["t2"])
        store.save_track(make_track("t1", title="Another"))
        change(["t1"])
        store.mark_vanished([TrackId("t2")], LATER_MS)
        change(["t2"])
        store.save_stored_tracks([make_track("t3"), make_track("t1")])
        change(["t1", "t3"])
        store.save_stored_vectors([StoredVectors.of(TrackId("t3"), make_vectors(SCHEMA))])
        change(["t3"])

    def test_saving_no_vectors_is_no_change(self, store: Store) -> None:
        store.save_track(make_track("t1"))
        version = store.library_version()
        store.save_stored_vectors([])
        assert store.library_version() == version

    def test_what_changed_is_named_once_in_the_order_of_the_changes(self, store: Store) -> None:
        start = store.library_version()
        for name in ("b", "a", "c", "b"):
            store.save_track(make_track(name))
        assert store.changed_since(start)[1] == ("a", "c", "b")
        assert store.changed_since(store.library_version()) == (store.library_version(), ())

    def test_what_was_vanished_already_and_what_is_read_are_no_changes(self, store: Store) -> None:
        store.save_track(make_track("t1"))
        store.mark_vanished([TrackId("t1")], LATER_MS)
        version = store.library_version()
        store.mark_vanished([TrackId("t1"), TrackId("unknown")], LATER_MS)
        store.track(TrackId("t1"))
        assert store.changed_since(version)[1] == ()
