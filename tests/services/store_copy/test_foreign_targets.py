"""A target that is neither empty nor a copy of the source is refused, and not written to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes import MemoryStore
from filled_store import BOB
from making import SOME_TIME, make_listen, make_location, make_schema, make_track, make_vectors
from services.store_copy.watching import NEW_ID, Writes, copy, watched
from soundalike.domain.errors import CopyError, SchemaMismatchError
from soundalike.domain.files import FileProblem, ProblemReason, Root
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import refold
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.types import LibraryId, RootName, TrackId, UserId
from soundalike.domain.users import User

OTHER = LibraryMark(LibraryId("f" * 32))


class TestSomethingElse:
    @pytest.mark.parametrize(
        "add",
        [
            lambda store: store.save_track(make_track("stranger")),
            lambda store: store.add_user(
                User(id=UserId("eve"), name="Eve", password_hash="x", created_at=SOME_TIME)  # noqa: S106 - none
            ),
            lambda store: store.save_problem(
                FileProblem(location=make_location(b"a", "elsewhere"), reason=ProblemReason.EMPTY)
            ),
            lambda store: store.erase_listens(Erasure(UserId("eve"), 1)),
            lambda store: store.add_listens([make_listen(9, user_id="eve")]),
            lambda store: store.save_profile(
                refold(UserId("eve"), [make_listen(user_id="eve")]), replacing=None
            ),
            lambda store: store.save_root(Root(RootName("mine"), Path("/mine"))),
        ],
    )
    @pytest.mark.parametrize("mark", [UNMARKED, OTHER])
    def test_a_target_with_anything_else_is_refused_untouched(
        self,
        source: MemoryStore,
        target: MemoryStore,
        mark: LibraryMark,
        add: Callable[[MemoryStore], object],
    ) -> None:
        add(target)
        target.set_library_mark(mark, replacing=UNMARKED)
        assert_refused(source, target, "the new store has something that is not a copy of the old store")

    def test_half_a_copy_of_the_version_before_is_refused(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        half.set_library_mark(OTHER, replacing=half.library_mark())  # as it was migrated
        assert_refused(source, half, "something that is not a copy")

    def test_what_another_copy_has_begun_is_refused(self, source: MemoryStore, target: MemoryStore) -> None:
        target.set_library_mark(LibraryMark(OTHER.library_id, is_unfinished=True), replacing=UNMARKED)
        assert_refused(source, target, "is an unfinished copy of another library than that of the old store")

    def test_a_new_library_without_anything_in_it_is_empty(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        target.set_library_mark(OTHER, replacing=UNMARKED)
        assert copy(source, target).problem == ""
        assert target.library_mark() == source.library_mark() == LibraryMark(NEW_ID)

    def test_a_target_that_another_process_marks_at_the_same_time_is_refused(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        def be_faster(name: str) -> None:
            if name == "set_library_mark" and target.library_mark() == UNMARKED:
                target.set_library_mark(OTHER, replacing=UNMARKED)

        with pytest.raises(CopyError, match="in use by another process; nothing was written"):
            copy(source, watched(target, before=be_faster))

    def test_a_finished_copy_and_its_original_are_refused_once_they_differ(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        copy(source, target)
        target.save_track(make_track("t00001", title="Retagged there", path=b"new"))
        for one, other in ((source, target), (target, source)):
            assert_refused(one, other, "has the same library .* copy of it or the other way round.*'t00001'")

    def test_an_unfinished_copy_is_not_copied(self, half: MemoryStore, target: MemoryStore) -> None:
        mark = half.library_mark()
        half.set_library_mark(LibraryMark(mark.library_id, is_unfinished=True), replacing=mark)
        writes = Writes()
        with pytest.raises(CopyError, match="the old store is an unfinished copy itself"):
            copy(half, watched(target, before=writes))
        assert writes.names == []

    def test_other_features_of_the_same_name_are_refused(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        half.forget_set("tiny-v1")
        half.save_stored_vectors([StoredVectors.of(TrackId("t00001"), make_vectors(make_schema(5)))])
        with pytest.raises(SchemaMismatchError, match="tiny-v1"):
            copy(source, half)


def test_what_was_added_to_an_unfinished_copy_is_removed(source: MemoryStore, half: MemoryStore) -> None:
    half.add_user(User(id=UserId("eve"), name="Eve", password_hash="x", created_at=SOME_TIME))  # noqa: S106 - none
    half.save_password(BOB, "another")
    assert copy(source, half).problem == ""
    assert half.users() == source.users()


def assert_refused(source: MemoryStore, target: MemoryStore, words: str) -> None:
    writes = Writes()
    with pytest.raises(CopyError, match=f"{words}.*nothing was written, choose an empty store"):
        copy(source, watched(target, before=writes))
    assert writes.names == []
