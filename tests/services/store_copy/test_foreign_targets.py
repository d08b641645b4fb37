"""A target with data that is not from the source is refused, and not written to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes import MemoryStore
from filled_store import BOB, ERASED_MS, MUSIC
from making import (
    SOME_TIME,
    make_listen,
    make_location,
    make_schema,
    make_track,
    make_vectors,
)
from services.store_copy.watching import (
    Writes,
    copy,
    watched,
    written,
)
from soundalike.domain.errors import CopyError, SchemaMismatchError
from soundalike.domain.files import FileProblem, ProblemReason, Root
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import refold
from soundalike.domain.stored_tracks import StoredTrack, StoredVectors
from soundalike.domain.types import RootName, TrackId, UserId
from soundalike.domain.users import YOU, User


class TestSomethingElse:
    @pytest.fixture(params=["empty", "half"])
    def place(self, request: pytest.FixtureRequest) -> MemoryStore:
        """A valid target, before other data is written to it."""
        store: MemoryStore = request.getfixturevalue({"empty": "target", "half": "half"}[request.param])
        return store

    @pytest.mark.parametrize(
        ("add", "name"),
        [
            (lambda store: store.save_track(make_track("stranger")), "track 'stranger'"),
            (
                lambda store: store.add_user(
                    User(id=UserId("eve"), name="Eve", password_hash="x", created_at=SOME_TIME)  # noqa: S106 - none
                ),
                "account 'Eve'",
            ),
            (
                lambda store: store.save_problem(
                    FileProblem(location=make_location(b"a/\xff", "elsewhere"), reason=ProblemReason.EMPTY)
                ),
                "problem of 'elsewhere:a/\ufffd'",
            ),
            (lambda store: store.erase_listens(Erasure(UserId("eve"), 1)), "erasure of 'eve'"),
            (lambda store: store.erase_listens(Erasure(BOB, ERASED_MS + 1)), "erasure of 'bob'"),
            (lambda store: store.add_listens([make_listen(9, user_id="eve")]), "listen .*9' of 'eve'"),
            (
                lambda store: store.add_listens([make_listen(999, user_id=YOU, at_ms=ERASED_MS + 1)]),
                "listen .*3e7' of 'you'",
            ),
            (
                lambda store: store.save_profile(
                    refold(UserId("eve"), [make_listen(user_id="eve")]), replacing=None
                ),
                "profile of 'eve'",
            ),
        ],
    )
    def test_a_target_with_other_data_is_refused_untouched(
        self, source: MemoryStore, place: MemoryStore, add: Callable[[MemoryStore], object], name: str
    ) -> None:
        add(place)
        writes = Writes()
        with pytest.raises(CopyError, match=f"the new store has what is not from the old store: .*{name}"):
            copy(source, watched(place, before=writes))
        assert writes.names == []

    def test_another_account_of_the_same_name_is_foreign(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        later = SOME_TIME + timedelta(milliseconds=1)
        target.add_user(User(id=YOU, name="Ada", password_hash="x", created_at=later))  # noqa: S106 - none
        with pytest.raises(CopyError, match="account 'Ada'"):
            copy(source, target)

    def test_a_listen_with_other_content_is_foreign(self, source: MemoryStore, target: MemoryStore) -> None:
        other = replace(next(source.listens_of(YOU)), track_id=TrackId("another"))
        target.add_listens([other])
        with pytest.raises(CopyError, match=r"listen .* of 'you'"):
            copy(source, target)

    def test_at_most_three_foreign_records_are_named(self, source: MemoryStore, target: MemoryStore) -> None:
        for number in range(10):
            target.save_track(make_track(f"stranger {number}"))
        with pytest.raises(CopyError, match="stranger 0") as refusal:
            copy(source, target)
        assert str(refusal.value).count("stranger") == 3

    def test_a_whole_library_is_refused_once_it_differs(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        copy(source, target)
        target.save_track(make_track("t00001", title="Retagged there", path=b"new"))
        writes = Writes()
        with pytest.raises(CopyError, match=r"has a whole library.*'t00001'.*nothing was written"):
            copy(source, watched(target, before=writes))
        assert writes.names == []

    def test_a_library_with_roots_of_its_own_is_refused(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        target.save_root(Root(RootName("mine"), Path("/mine")))
        with pytest.raises(CopyError, match="whole library"):
            copy(source, target)
        copied = MemoryStore()
        copy(source, copied)
        copied.save_root(Root(MUSIC.name, Path("/moved")))
        with pytest.raises(CopyError, match="root 'music'"):
            copy(source, copied)

    def test_a_copy_that_lacks_a_root_only_gets_it(self, source: MemoryStore, half: MemoryStore) -> None:
        half.save_root(MUSIC)
        report = copy(source, half)
        assert report.problem == ""
        assert written(report) == {"roots": 1}
        assert half.roots() == source.roots()

    def test_other_features_of_the_same_name_are_refused(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        other = StoredVectors.of(make_vectors(make_schema(5)))
        track = source.track(TrackId("t00001"))
        assert track is not None
        half._fingerprints.clear()  # noqa: SLF001 - no port can put them there
        half.save_stored_tracks([StoredTrack(track=track, vectors=(other,))])
        with pytest.raises(SchemaMismatchError, match="tiny-v1"):
            copy(source, half)
