"""A store is copied completely, however often the copy is interrupted, and never over other data."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import MemoryStore
from filled_store import BOB, ERASED_MS, checksums_of, fill
from making import (
    SOME_TIME,
    at,
    erased_until,
    file_of,
    make_listen,
    make_location,
    make_schema,
    make_track,
    make_vectors,
)
from services.store_copy.watching import (
    NEW_ID,
    WRITES,
    KilledError,
    Writes,
    copy,
    leave_half,
    watched,
    without_listens,
    written,
)
from soundalike.domain.entries import EntrySort
from soundalike.domain.errors import CopyError, StoreBusyError
from soundalike.domain.files import FileProblem, Part, ProblemReason
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import refold
from soundalike.domain.tags import Gains, Tags
from soundalike.domain.types import TrackId
from soundalike.domain.users import YOU, EndedSession, User


def test_everything_is_copied(source: MemoryStore, target: MemoryStore) -> None:
    report = copy(source, target)
    assert report.problem == ""
    assert checksums_of(target) == checksums_of(source)
    for kind in report.kinds:
        assert kind.is_same
        assert kind.written == kind.source.count == kind.target.count > 0
    assert target.roots() == source.roots()
    assert target.users() == source.users()
    assert target.credentials_of(BOB) == source.credentials_of(BOB)
    assert list(target.ended_sessions()) == list(source.ended_sessions())
    assert list(target.problems()) == list(source.problems())
    assert target.erasures() == source.erasures()
    assert list(target.listens_of(BOB)) == list(source.listens_of(BOB))
    assert target.profile(BOB) == source.profile(BOB)
    assert list(target.stored_tracks()) == list(source.stored_tracks())
    assert target.unsettled(1) == {}
    for sort in (EntrySort(), EntrySort(is_descending=True)):
        assert target.find_albums(sort=sort, limit=100) == source.find_albums(sort=sort, limit=100)
        assert target.find_artists(sort=sort, limit=100) == source.find_artists(sort=sort, limit=100)


def test_parts_tracks_without_files_and_all_tags_are_copied(source: MemoryStore, target: MemoryStore) -> None:
    tags = Tags(title="One", artists=("A", "B"), album="X", track_number=3, gains=Gains(track_db=-7.5))
    for number in (1, 2):
        part = Part(number * 100, number * 100 + 100, 75)
        source.save_track(make_track(f"part{number}", tags=tags, path=b"image.flac", part=part))
    source.save_track(make_track("bare", tags=tags, has_file=False))
    assert copy(source, target).problem == ""
    for track_id in map(TrackId, ("part1", "part2", "bare")):
        copied, original = target.track(track_id), source.track(track_id)
        assert copied is not None
        assert original is not None
        assert replace(copied, entry=original.entry) == original
    source.save_track(make_track("bare", tags=replace(tags, disc_number=2), has_file=False))
    assert checksums_of(target) != checksums_of(source)


def test_a_finished_copy_is_compared_and_left_alone(source: MemoryStore, target: MemoryStore) -> None:
    first = copy(source, target)
    writes = Writes()
    again = copy(source, watched(target, before=writes))
    assert writes.names == []
    assert again.problem == ""
    for before, now in zip(first.kinds, again.kinds, strict=True):
        assert (now.kind, now.source, now.target, now.written) == (
            before.kind,
            before.source,
            before.target,
            0,
        )


def test_an_empty_source_is_refused(target: MemoryStore) -> None:
    with pytest.raises(CopyError, match="the old store is empty"):
        copy(MemoryStore(), target)


@pytest.mark.parametrize(
    "add",
    [
        lambda store: store.add_user(
            User(id=YOU, name="Ada", password_hash="x", created_at=SOME_TIME)  # noqa: S106 - no password
        ),
        lambda store: store.save_problem(FileProblem(location=make_location(), reason=ProblemReason.EMPTY)),
        lambda store: store.erase_listens(Erasure(BOB, 1)),
        lambda store: store.add_listens([make_listen()]),
        lambda store: store.save_profile(refold(BOB, [make_listen(user_id=BOB)]), replacing=None),
    ],
)
def test_a_source_without_tracks_is_copied_too(
    add: Callable[[MemoryStore], object], target: MemoryStore
) -> None:
    source = MemoryStore()
    add(source)
    assert copy(source, target).problem == ""
    assert checksums_of(target) == checksums_of(source)


def change(source: MemoryStore) -> None:
    """Change some of everything."""
    source.save_password(BOB, "a new one")
    source.remove_credential(BOB, "k1")
    source.save_track(make_track("t00001", title="Retagged", path=b"moved"))
    source.drop_vectors(TrackId("t00002"))
    source.mark_vanished([TrackId("t00003")], 7)
    source.save_track(make_track("t00006x", title="New"), make_vectors(make_schema(8)))
    first, second, *_ = source.problems()
    source.remove_problems([first.place])
    source.save_problem(replace(second, detail="something else"))
    source.erase_listens(Erasure(BOB, ERASED_MS + 10))
    late = make_listen(1000, user_id=BOB, at_ms=ERASED_MS + 10_000)
    source.add_listens([late])
    folded = refold(BOB, source.listens_of(BOB), erased=erased_until(ERASED_MS + 10))
    assert source.save_profile(folded, replacing=None)


def remove_bob(source: MemoryStore) -> None:
    """Remove an account and its data, of which some is dated later."""
    source.erase_listens(Erasure(BOB, ERASED_MS + 5), is_total=True)
    source.remove_user(BOB)


class TestCutShort:
    def test_a_killed_copy_resumes_and_writes_nothing_twice(self, source: MemoryStore) -> None:
        whole = Writes()
        copy(source, watched(MemoryStore(), before=whole))
        assert len(whole.names) > 30
        for most in range(len(whole.names)):
            target = MemoryStore()
            with pytest.raises(KilledError):
                copy(source, watched(target, before=Writes(most)))
            there, rest = checksums_of(target), Writes()
            report = copy(source, watched(target, before=rest))
            assert report.problem == ""
            assert checksums_of(target) == checksums_of(source)
            assert [kind.written for kind in report.kinds] == [
                kind.source.count - there[kind.kind][0] for kind in report.kinds
            ]
            assert without_listens(rest.names) == without_listens(whole.names[most:])

    def test_a_target_is_marked_before_anything_else_until_all_is_compared(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        source.set_library_mark(LibraryMark(NEW_ID), replacing=UNMARKED)

        def check(name: str) -> None:
            is_marked = target.library_mark() == LibraryMark(NEW_ID, is_unfinished=True)
            assert is_marked == (name != "set_library_mark" or bool(writes.names))

        writes = Writes()

        def watch(name: str) -> None:
            if name in WRITES:
                check(name)
            writes(name)

        copy(source, watched(target, before=watch))
        assert writes.names[0] == writes.names[-1] == "set_library_mark"
        assert target.library_mark() == source.library_mark() == LibraryMark(NEW_ID)

    def test_changes_in_the_source_since_then_are_copied(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        change(source)
        report = copy(source, half)
        assert report.problem == ""
        assert checksums_of(half) == checksums_of(source)
        expected = {
            "accounts": 1,
            "tracks": 3,
            "problems": 1,
            "erasures": 1,
            "listens": 1,
            "profiles": 1,
            "roots": 2,
        }
        assert {kind: n for kind, n in written(report).items() if kind != "vectors"} == expected

    @pytest.mark.parametrize("act", [change, remove_bob])
    def test_a_killed_copy_of_changes_resumes(self, act: Callable[[MemoryStore], None]) -> None:
        def changed() -> tuple[MemoryStore, MemoryStore]:
            source, target = MemoryStore(), MemoryStore()
            fill(source)
            leave_half(source, target)
            act(source)
            return source, target

        whole = Writes()
        source, target = changed()
        copy(source, watched(target, before=whole))
        assert len(whole.names) > 3
        for most in range(len(whole.names)):
            source, target = changed()
            with pytest.raises(KilledError):
                copy(source, watched(target, before=Writes(most)))
            assert copy(source, target).problem == ""
            assert checksums_of(target) == checksums_of(source)

    def test_an_ended_session_that_the_source_has_forgotten_since_is_forgotten(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        later = EndedSession(digest="later", user_id=BOB, expires_at=SOME_TIME + timedelta(days=1))
        for store in (source, half):
            store.add_ended_session(later)
        source.forget_ended_sessions(SOME_TIME)
        assert copy(source, half).problem == ""
        assert list(half.ended_sessions()) == [later]

    def test_an_account_removed_from_the_source_since_then_is_removed(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        remove_bob(source)
        assert copy(source, half).problem == ""
        assert half.user(BOB) is None
        assert half.credentials_of(BOB) == ()
        assert half.count_listens(BOB) == 0
        assert half.profile(BOB) is None
        assert checksums_of(half) == checksums_of(source)

    def test_a_track_removed_from_the_source_since_then_is_removed_with_its_vectors(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        gone = TrackId("t00000")
        assert half.track(gone) is not None
        source.remove_tracks([gone])
        assert copy(source, half).problem == ""
        assert half.track(gone) is None
        assert checksums_of(half) == checksums_of(source)

    def test_a_user_erased_since_then_is_erased_with_listens_dated_later(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        source.erase_listens(Erasure(YOU, ERASED_MS + 1), is_total=True)
        assert half.count_listens(YOU) > 0
        assert copy(source, half).problem == ""
        assert half.count_listens(YOU) == 0
        assert half.profile(YOU) is None

    def test_tracks_that_swapped_locations_since_then_are_copied(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        first, last = (source.track(TrackId(name)) for name in ("t00000", "t00038"))
        assert first is not None
        assert last is not None
        source.save_track(at(first, b"aside"))
        source.save_track(at(last, file_of(first).location.path))
        source.save_track(at(first, file_of(last).location.path))
        assert copy(source, half).problem == ""
        assert checksums_of(half) == checksums_of(source)
        assert half.track(first.id) == at(first, file_of(last).location.path)

    def test_a_busy_target_is_tried_again(self, source: MemoryStore, target: MemoryStore) -> None:
        busy = iter(range(3))

        def be_busy(name: str) -> None:
            if name == "save_stored_tracks" and next(busy, None) is not None:
                msg = "the store has been in use by others"
                raise StoreBusyError(msg)

        assert copy(source, watched(target, before=be_busy)).problem == ""
        assert checksums_of(target) == checksums_of(source)

    def test_a_target_that_stays_busy_is_reported(self, source: MemoryStore, target: MemoryStore) -> None:
        def be_busy(name: str) -> None:
            if name == "save_stored_tracks":
                msg = "the store has been in use by others"
                raise StoreBusyError(msg)

        with pytest.raises(StoreBusyError, match="in use by others"):
            copy(source, watched(target, before=be_busy))
