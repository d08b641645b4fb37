"""A store is copied completely, however often the copy is interrupted, and never over other data."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from fakes import MemoryStore
from filled_store import BOB, ERASED_MS, GONE, MUSIC, checksums_of, fill, no_progress
from making import (
    SOME_TIME,
    make_listen,
    make_location,
    make_schema,
    make_track,
    make_vectors,
    stored_vectors,
)
from soundalike.domain.errors import CopyError, SchemaMismatchError, StoreBusyError, StoreError
from soundalike.domain.files import FileProblem, ProblemReason, Root
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import refold
from soundalike.domain.stored_tracks import StoredTrack
from soundalike.domain.types import RootName, TrackId, UserId
from soundalike.domain.users import YOU, Token, User
from soundalike.services.entities import ENTITIES
from soundalike.services.store_copy.copier import Copier, CopyReport

WRITES = frozenset(
    {
        "add_listens", "add_token", "add_user", "drop_vectors", "erase_listens", "save_stored_tracks",
        "mark_vanished", "remove_problems", "remove_token", "remove_user", "save_password",
        "save_problem", "save_profile", "save_root", "save_track",
    }
)  # fmt: skip
NAMES = ("the old store", "the new store")
BATCHES = {"tracks": 7, "listens": 11}
SMALL_BATCHES = [replace(one, batch=BATCHES.get(one.kind, one.batch)) for one in ENTITIES]


class KilledError(BaseException):
    """Ends a copy as a kill does: nothing may catch it."""


class Watched:
    """A store that reports every call before and after it is made."""

    def __init__(self, store: Store, before: Callable[[str], None], after: Callable[[str], None]) -> None:
        self._store, self._before, self._after = store, before, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._before(name)
            result = method(*args, **kwargs)
            self._after(name)
            return result

        return call


def nothing(_name: str) -> None:
    pass


def watched(
    store: Store, *, before: Callable[[str], None] = nothing, after: Callable[[str], None] = nothing
) -> Store:
    return cast("Store", Watched(store, before, after))


class Writes:
    """Counts the writes into a store, and kills the writer after a number of them."""

    def __init__(self, most: int | None = None) -> None:
        self.names: list[str] = []
        self._most = most

    def __call__(self, name: str) -> None:
        if name in WRITES:
            if len(self.names) == self._most:
                raise KilledError
            self.names.append(name)


def copy(source: Store, target: Store) -> CopyReport:
    return Copier(source, target, names=NAMES, entities=SMALL_BATCHES).copy(no_progress)


def written(report: CopyReport) -> dict[str, int]:
    return {kind.kind: kind.written for kind in report.kinds if kind.written}


def without_listens(names: list[str]) -> list[str]:
    return [name for name in names if name != "add_listens"]


@pytest.fixture
def source() -> MemoryStore:
    store = MemoryStore()
    fill(store)
    return store


@pytest.fixture
def target() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def half(source: MemoryStore, target: MemoryStore) -> MemoryStore:
    """All of the source but its roots, as left by a copy that was killed at the end."""

    def kill(name: str) -> None:
        if name == "save_root":
            raise KilledError

    with pytest.raises(KilledError):
        copy(source, watched(target, before=kill))
    return target


def test_everything_is_copied(source: MemoryStore, target: MemoryStore) -> None:
    report = copy(source, target)
    assert report.problem == ""
    assert checksums_of(target) == checksums_of(source)
    for kind in report.kinds:
        assert kind.is_same
        assert kind.written == kind.source.count == kind.target.count > 0
    assert target.roots() == source.roots()
    assert target.users() == source.users()
    assert target.tokens_of(BOB) == source.tokens_of(BOB)
    assert list(target.problems()) == list(source.problems())
    assert target.erasures() == source.erasures()
    assert list(target.listens_of(BOB)) == list(source.listens_of(BOB))
    assert target.profile(BOB) == source.profile(BOB)
    assert [one.track for one in target.stored_tracks()] == [one.track for one in source.stored_tracks()]


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

    def test_a_half_copied_store_always_has_accounts(self, source: MemoryStore) -> None:
        target = MemoryStore()

        def check(name: str) -> None:
            if name in WRITES:
                assert target.has_users()
                assert target.users() == source.users() or name in {"add_user", "add_token"}

        copy(source, watched(target, after=check))

    def test_a_half_copied_store_has_no_roots(self, source: MemoryStore, target: MemoryStore) -> None:
        writes = Writes()
        copy(source, watched(target, before=writes))
        assert writes.names.count("save_root") == 2
        assert set(writes.names[-2:]) == {"save_root"}

    def test_changes_in_the_source_since_then_are_copied(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        source.save_password(BOB, "a new one")
        source.remove_token(BOB, "k1")
        source.save_track(make_track("t00001", title="Retagged", path=b"moved"))
        source.drop_vectors(TrackId("t00002"))
        source.mark_vanished([TrackId("t00003")], 7)
        source.save_track(make_track("t00006x", title="New"), make_vectors(make_schema(8)))
        first, second, *_ = source.problems()
        source.remove_problems([first.location])
        source.save_problem(replace(second, detail="something else"))
        source.erase_listens(Erasure(BOB, ERASED_MS + 10))
        late = make_listen(1000, user_id=BOB, at_ms=ERASED_MS + 10_000)
        source.add_listens([late])
        kept = refold(BOB, source.listens_of(BOB), erased_ms=ERASED_MS + 10)
        assert source.save_profile(kept, replacing=None)
        report = copy(source, half)
        assert report.problem == ""
        assert checksums_of(half) == checksums_of(source)
        expected = {
            "accounts": 1,
            "tracks": 4,
            "problems": 1,
            "erasures": 1,
            "listens": 1,
            "profiles": 1,
            "roots": 2,
        }
        assert {kind: n for kind, n in written(report).items() if kind != "vectors"} == expected

    def test_an_account_removed_from_the_source_since_then_is_removed(
        self, source: MemoryStore, half: MemoryStore
    ) -> None:
        source.erase_listens(Erasure(BOB, ERASED_MS + 5), is_total=True)
        source.remove_user(BOB)
        assert copy(source, half).problem == ""
        assert half.user(BOB) is None
        assert half.tokens_of(BOB) == ()
        assert half.count_listens(BOB) == 0
        assert half.profile(BOB) is None
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
        source.save_track(replace(first, location=make_location(b"aside")))
        source.save_track(replace(last, location=first.location))
        source.save_track(replace(first, location=last.location))
        assert copy(source, half).problem == ""
        assert checksums_of(half) == checksums_of(source)
        assert half.track(first.id) == replace(first, location=last.location)

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
        other = stored_vectors(make_vectors(make_schema(5)))
        track = source.track(TrackId("t00001"))
        assert track is not None
        half._fingerprints.clear()  # noqa: SLF001 - no port can put them there
        half.save_stored_tracks([StoredTrack(track=track, vectors=(other,))])
        with pytest.raises(SchemaMismatchError, match="tiny-v1"):
            copy(source, half)


class TestChecked:
    @pytest.mark.parametrize(
        ("spoil", "kind", "name"),
        [
            (lambda s: s.save_password(BOB, "another"), "accounts", "account 'bób'"),
            (lambda s: s.remove_token(BOB, "k1"), "tokens", "token 'k1' of 'bob'"),
            (
                lambda s: s.save_track(replace(s.track(TrackId("t00007")), title="another")),
                "tracks",
                "track 't00007'",
            ),
            (
                lambda s: s.save_track(s.track(TrackId("t00007")), make_vectors(make_schema(8), 99)),
                "vectors",
                "vectors tiny-v1 of track 't00007'",
            ),
            (
                lambda s: s.save_problem(replace(next(s.problems()), detail="another")),
                "problems",
                "problem of 'disk:bad/",
            ),
            (lambda s: s.erase_listens(Erasure(GONE, ERASED_MS + 1)), "erasures", "erasure of 'gone'"),
            (
                lambda s: s.add_listens([make_listen(999, user_id=YOU, at_ms=10**9)]),
                "listens",
                "listen .*3e7' of 'you'",
            ),
            (
                lambda s: s.save_profile(
                    replace(s.profile(YOU), lateness_ms=1), replacing=s.profile_version(YOU)
                ),
                "profiles",
                "profile of 'you'",
            ),
        ],
    )
    def test_a_changed_record_in_the_target_is_found_and_named(
        self,
        source: MemoryStore,
        target: MemoryStore,
        spoil: Callable[[MemoryStore], object],
        kind: str,
        name: str,
    ) -> None:
        spoilt: list[str] = []

        def spoil_once(call: str) -> None:
            if call == "save_profile" and len(list(target.profile_counts())) == 2 and not spoilt:
                spoilt.append(call)
                spoil(target)

        report = copy(source, watched(target, after=spoil_once))
        assert spoilt
        assert report.problem.startswith("the new store is not the same as the old store: ")
        assert "run the same command again" in report.problem
        assert [one.kind for one in report.kinds if not one.is_same] == [kind, "roots"]
        assert re.search(name, report.problem)
        assert target.roots() == ()

    def test_a_source_that_changes_meanwhile_is_reported_and_copied_by_the_next_run(
        self, source: MemoryStore, target: MemoryStore
    ) -> None:
        heard: list[Listen] = []

        def listen(call: str) -> None:
            if call == "save_profile":
                heard.append(make_listen(1000 + len(heard), user_id=YOU, at_ms=10**9))
                source.add_listens(heard[-1:])

        report = copy(source, watched(target, before=listen))
        assert heard
        assert report.problem.startswith(
            "the old store changed while it was copied; run the same command again"
        )
        assert target.roots() == ()
        again = copy(source, target)
        assert again.problem == ""
        assert written(again) == {"listens": len(heard), "roots": 2}

    def test_damage_is_reported_with_its_user(
        self, source: MemoryStore, target: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def damaged(_user_id: UserId) -> Iterator[Listen]:
            yield make_listen()
            msg = "the store's file is damaged"
            raise StoreError(msg)

        monkeypatch.setattr(source, "listens_of", damaged)
        with pytest.raises(CopyError, match=r"the listens of '(you|bob)': the store's file is damaged"):
            copy(source, target)

    def test_checksums_do_not_depend_on_order(self) -> None:
        listens = [make_listen(number, at_ms=5) for number in range(20)]
        stores = [MemoryStore(), MemoryStore()]
        stores[0].add_listens(listens)
        stores[1].add_listens(listens[::-1])
        assert checksums_of(stores[0]) == checksums_of(stores[1])

    def test_names_have_no_secrets(self, source: MemoryStore, half: MemoryStore) -> None:
        half.add_token(
            Token(id="k9", user_id=BOB, label="", secret_hash="of k9", created_at=SOME_TIME)  # noqa: S106 - none
        )
        half.save_root(MUSIC)
        with pytest.raises(CopyError, match="token 'k9' of 'bob'") as refusal:
            copy(source, half)
        assert "of k9" not in str(refusal.value)
