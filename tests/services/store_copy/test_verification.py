"""A copy is read back and compared, and what differs is named."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fakes import MemoryStore
from filled_store import BOB, ERASED_MS, GONE, checksums_of
from making import (
    SOME_TIME,
    make_listen,
    make_schema,
    make_vectors,
)
from services.store_copy.watching import (
    copy,
    watched,
    written,
)
from soundalike.domain.errors import CopyError, StoreError
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.types import TrackId, UserId
from soundalike.domain.users import YOU, Credential, CredentialKind


class TestChecked:
    @pytest.mark.parametrize(
        ("spoil", "kind", "name"),
        [
            (lambda s: s.save_password(BOB, "another"), "accounts", "account 'bób'"),
            (lambda s: s.remove_credential(BOB, "k1"), "credentials", "token 'k1' of 'bob'"),
            (
                lambda s: s.save_track(replace(s.track(TrackId("t00007")), title="another")),
                "tracks",
                "track 't00007'",
            ),
            (
                lambda s: s.save_successors([replace(next(s.successors()), next="another")]),
                "successors",
                "successor of artist '",
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
        assert [one.kind for one in report.kinds if not one.is_same] == [kind]
        assert re.search(name, report.problem)
        assert target.library_mark().is_unfinished

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
        assert target.library_mark().is_unfinished
        again = copy(source, target)
        assert again.problem == ""
        assert written(again) == {"listens": len(heard)}

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

    def test_names_have_no_secrets(self, source: MemoryStore, target: MemoryStore) -> None:
        copy(source, target)
        target.add_credential(
            Credential(
                kind=CredentialKind.TOKEN,
                id="k9",
                user_id=BOB,
                label="",
                secret_hash="of k9",  # noqa: S106 - none
                created_at=SOME_TIME,
            )
        )
        with pytest.raises(CopyError, match="token 'k9' of 'bob'") as refusal:
            copy(source, target)
        assert "of k9" not in str(refusal.value)
