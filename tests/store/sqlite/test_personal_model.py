"""The data of listeners in SQLite equals a model in memory after any sequence of calls."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fakes import MemoryStore
from making import SOME_TIME, erased_until, make_listen
from soundalike.domain.errors import NameTakenError
from soundalike.domain.listens import Erasure, Listen, ListenKind
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import refold
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.domain.users import Credential, CredentialKind, User
from soundalike.store.sqlite.store import SqliteStore
from store.contract_accounts import hash_of

T = TypeVar("T")

NAMES = ("ada", "Ada", "you", "\ud800")

users = st.sampled_from([UserId(name) for name in NAMES])
texts = st.text(st.sampled_from("aAéß 'İ夜💚\x00\ud800%_"), max_size=4)
times_ms = st.integers(0, 6)
moments = st.builds(
    lambda microseconds: SOME_TIME + timedelta(microseconds=microseconds), st.integers(0, 3000)
)
listens = st.builds(
    make_listen,
    st.integers(0, 4),
    user_id=users,
    track_id=texts,
    kind=st.sampled_from(list(ListenKind)),
    position_ms=st.none() | st.integers(0, 3),
    at_ms=times_ms,
)
accounts = st.builds(User, id=users, name=texts, password_hash=texts, created_at=moments)
tokens = st.builds(
    Credential,
    kind=st.sampled_from(list(CredentialKind)),
    id=texts,
    user_id=users,
    label=texts,
    secret_hash=texts,
    created_at=moments,
)


class ListenersMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore(self.folder / "library.sqlite")
        self.model = MemoryStore()
        self.versions: list[ProfileVersion | None] = [None, None]

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def both(self, act: Callable[[Store], T]) -> T:
        """Do the same to both, and return what both return."""
        returned, expected = act(self.store), act(self.model)
        assert returned == expected
        return expected

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.folder / "library.sqlite")

    @rule(added=st.lists(listens, max_size=6))
    def add_listens(self, added: list[Listen]) -> None:
        self.both(lambda store: store.add_listens(added))

    @rule(user_id=users, at_ms=times_ms, generation=st.none() | st.integers(1, 4), is_total=st.booleans())
    def erase(self, user_id: UserId, at_ms: int, generation: int | None, is_total: bool) -> None:  # noqa: FBT001 - drawn by name
        erasure = Erasure(user_id, at_ms, generation)
        self.both(lambda store: store.erase_listens(erasure, is_total=is_total))

    @rule(user_id=users, is_current=st.booleans(), until_ms=st.none() | times_ms, choice=st.integers(0, 9))
    def save_profile(self, user_id: UserId, is_current: bool, until_ms: int | None, choice: int) -> None:  # noqa: FBT001 - drawn by name
        """Save in place of the stored version, or of an earlier one."""
        erased = self.model.erased(user_id) if is_current else erased_until(until_ms)
        profile = refold(user_id, self.model.listens_of(user_id), erased=erased)
        replacing = (
            self.model.profile_version(user_id) if is_current else self.versions[choice % len(self.versions)]
        )
        is_saved = self.both(lambda store: store.save_profile(profile, replacing=replacing))
        assert is_saved or not is_current
        self.versions.append(profile.version)

    @rule(user=accounts)
    def add_user(self, user: User) -> None:
        self.both(lambda store: is_added(store, user))

    @rule(user_id=users, password_hash=texts)
    def save_password(self, user_id: UserId, password_hash: str) -> None:
        self.both(lambda store: store.save_password(user_id, password_hash))

    @rule(user_id=users)
    def remove_user(self, user_id: UserId) -> None:
        self.both(lambda store: store.remove_user(user_id))

    @rule(token=tokens)
    def add_credential(self, token: Credential) -> None:
        # No two secrets are the same.
        if self.both(lambda store: store.credential_hashed(hash_of(token))) is None:
            self.both(lambda store: store.add_credential(token))

    @rule(user_id=users, token_id=texts)
    def remove_credential(self, user_id: UserId, token_id: str) -> None:
        self.both(lambda store: store.remove_credential(user_id, token_id))

    @rule(name=texts, secret_hash=texts)
    def look_up(self, name: str, secret_hash: str) -> None:
        self.both(lambda store: store.user_named(name))
        self.both(lambda store: store.credential_hashed(secret_hash))

    @invariant()
    def all_that_is_kept_is_the_same(self) -> None:
        self.both(kept_of_all)
        for user_id in map(UserId, NAMES):
            self.both(partial(kept_of, user_id=user_id))


def kept_of_all(store: Store) -> object:
    counts = dict(store.listen_counts()), dict(store.profile_counts())
    return counts, store.erasures(), store.has_users(), store.users()


def kept_of(store: Store, *, user_id: UserId) -> object:
    listens = list(store.listens_of(user_id)), store.count_listens(user_id), store.erased(user_id)
    profile = store.profile(user_id), store.profile_version(user_id)
    return listens, profile, store.user(user_id), store.credentials_of(user_id)


def is_added(store: Store, user: User) -> bool:
    try:
        store.add_user(user)
    except NameTakenError:
        return False
    return True


TestListenersMachine = ListenersMachine.TestCase
TestListenersMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
