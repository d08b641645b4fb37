"""What every store promises; each adapter's tests inherit `StoreContract` and give it a store."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from making import make_listen, make_location, make_schema, make_track, make_vectors
from soundalike.domain.errors import NameTakenError, TrackConflictError
from soundalike.domain.files import FileProblem, ProblemReason, Root
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.types import RelativePath, TrackId
from store.asking import ADA, BOB, LATER_MS, MUSIC, SCHEMA, same_vectors, save_many, search
from store.contract_accounts import (
    AccountsContract,
    CredentialsContract,
    EndedSessionsContract,
    hash_of,
    make_ended,
    make_token,
    make_user,
)
from store.contract_catalogue import CatalogueContract
from store.contract_copying import CopyingContract
from store.contract_features import FeaturesContract
from store.contract_listens import ErasuresContract, ListensContract, listens_of
from store.contract_profiles import (
    ErasedProfilesContract,
    ProfilesContract,
    RacingProfilesContract,
    RefoldedProfilesContract,
    has_profile,
    make_profile,
)
from store.contract_record import LibraryRecordContract
from store.contract_scans import ScansContract
from store.contract_search import OrderContract, SearchContract
from store.contract_tracks import FoldersContract, RootsContract, TracksContract, VanishingContract
from store.contract_vectors import ProblemsContract, ThreadsContract, VectorsContract


class StoreContract(
    RootsContract,
    TracksContract,
    FoldersContract,
    VanishingContract,
    SearchContract,
    OrderContract,
    VectorsContract,
    ProblemsContract,
    CopyingContract,
    FeaturesContract,
    LibraryRecordContract,
    ScansContract,
    CatalogueContract,
    ThreadsContract,
    ListensContract,
    ErasuresContract,
    ProfilesContract,
    ErasedProfilesContract,
    RefoldedProfilesContract,
    RacingProfilesContract,
    AccountsContract,
    CredentialsContract,
    EndedSessionsContract,
):
    """Everything that `Store` promises of itself; give a fixture named `store`."""


class DurableStoreContract(StoreContract):
    """The same, of stores that outlive their process; give a fixture `reopen` too."""

    def test_everything_is_there_after_reopening(self, store: Store, reopen: Callable[[], Store]) -> None:
        problem = FileProblem(location=make_location(b"bad"), reason=ProblemReason.EMPTY)
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

    def test_all_that_is_personal_is_there_after_reopening(
        self, store: Store, reopen: Callable[[], Store]
    ) -> None:
        listens = [make_listen(number, at_ms=number) for number in range(3)]
        profile = make_profile(1, 30)
        store.add_listens([*listens, make_listen(user_id=BOB, at_ms=5)])
        store.save_profile(profile, replacing=None)
        store.erase_listens(Erasure(BOB, 5))
        store.add_user(make_user("Ada"))
        store.add_credential(make_token())
        store.add_ended_session(make_ended())
        store.close()

        again = reopen()
        assert listens_of(again, ADA) == listens
        assert listens_of(again, BOB) == []
        assert again.add_listens(listens) == ()
        assert again.add_listens([make_listen(user_id=BOB, at_ms=5)]) == ()
        assert again.erasures() == (Erasure(BOB, 5),)
        assert has_profile(again, profile)
        assert again.users() == (make_user("Ada"),)
        assert again.credentials_of(ADA) == (make_token(),)
        assert again.credential_hashed(hash_of(make_token())) == make_token()
        assert again.is_session_ended(make_ended().digest)

    def test_tracks_that_were_copied_are_there_after_reopening(
        self, store: Store, reopen: Callable[[], Store]
    ) -> None:
        track, vectors = make_track("t1", title="Copied"), make_vectors(SCHEMA)
        save_many(store, [track], [vectors])
        store.close()

        again = reopen()
        assert list(again.stored_tracks()) == [track]
        assert same_vectors(again.vectors_of(track.id, SCHEMA), vectors)
        assert search(again, "copied") == ["t1"]

    def test_vectors_are_copied_in_bounded_memory(self, store: Store) -> None:
        wide = make_schema(200)
        for start in range(0, 2000, 500):
            numbers = range(start, start + 500)
            tracks = [make_track(f"t{n:05}") for n in numbers]
            save_many(store, tracks, (make_vectors(wide, n) for n in numbers))
        tracemalloc.start()
        try:
            assert len(list(store.stored_vectors())) == 2000
            _, peak_of_all = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            assert sum(1 for _ in store.stored_vectors()) == 2000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < peak_of_all / 2

    def test_two_stores_see_each_others_listeners(self, store: Store, reopen: Callable[[], Store]) -> None:
        other = reopen()
        listen, profile = make_listen(), make_profile(1)
        assert store.add_listens([listen]) == (listen,)
        assert other.add_listens([listen]) == ()
        assert other.save_profile(profile, replacing=None)
        assert not store.save_profile(profile, replacing=None)
        assert has_profile(store, profile)
        store.add_user(make_user("Ada"))
        assert other.has_users()
        with pytest.raises(NameTakenError):
            other.add_user(make_user("ADA", user_id="another"))
        other.add_credential(make_token())
        assert store.credential_hashed(hash_of(make_token())) == make_token()
        other.add_ended_session(make_ended())
        assert store.is_session_ended(make_ended().digest)
        other.erase_listens(Erasure(ADA, 0))
        assert listens_of(store, ADA) == []
        assert store.profile_version(ADA) is None
        other.remove_user(ADA)
        assert not store.has_users()
        assert store.credential_hashed(hash_of(make_token())) is None

    def test_listens_are_read_in_bounded_memory(self, store: Store) -> None:
        count = 8000
        store.add_listens([make_listen(number, at_ms=number) for number in range(count)])
        tracemalloc.start()
        try:
            assert len(list(store.listens_of(ADA))) == count
            _, peak_of_all = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            assert sum(1 for _ in store.listens_of(ADA)) == count
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < peak_of_all / 2
