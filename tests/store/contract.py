"""What every store promises; each adapter's tests inherit `StoreContract` and give it a store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from making import make_location, make_track, make_vectors
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.files import FileProblem, Reason, Root
from soundalike.domain.ports import Store
from soundalike.domain.types import RelativePath, TrackId
from store.asking import LATER_MS, MUSIC, SCHEMA, same_vectors, search
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
