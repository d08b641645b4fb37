"""What every store promises of accounts and API tokens."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from making import SOME_TIME, make_listen
from soundalike.domain.errors import NameTakenError
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import new_profile
from soundalike.domain.types import UserId
from soundalike.domain.users import Credential, CredentialKind, EndedSession, User
from store.asking import ADA, BOB, HOSTILE_TEXTS, in_threads


def make_user(name: str = "Ada", *, user_id: str | None = None, created_at: datetime = SOME_TIME) -> User:
    return User(
        id=UserId(name.casefold() if user_id is None else user_id),
        name=name,
        password_hash=f"$argon2id$v=19$hash of {name}",
        created_at=created_at,
    )


def make_token(number: int = 1, *, user_id: UserId = ADA, created_at: datetime = SOME_TIME) -> Credential:
    """Return a token with an id and a hash made of its user and a number."""
    return Credential(
        kind=CredentialKind.TOKEN,
        id=f"k{number}",
        user_id=user_id,
        label="a script",
        secret_hash=f"{number} of {user_id}",
        created_at=created_at,
    )


def make_ended(number: int = 1, *, user_id: UserId = ADA, expires_at: datetime = SOME_TIME) -> EndedSession:
    """Return an ended session with a digest made of its user and a number."""
    return EndedSession(digest=f"{number:04} of {user_id}", user_id=user_id, expires_at=expires_at)


def hash_of(credential: Credential) -> str:
    assert credential.secret_hash is not None
    return credential.secret_hash


class AccountsContract:
    def test_there_is_nobody_at_first(self, store: Store) -> None:
        assert not store.has_users()
        assert store.users() == ()
        assert store.user(ADA) is None
        assert store.user_named("Ada") is None

    def test_an_account_comes_back_as_it_was_added(self, store: Store) -> None:
        user = make_user("Ada.Lovelace-1_@home")
        store.add_user(user)
        assert store.has_users()
        assert store.user(user.id) == store.user_named(user.name) == user
        assert store.users() == (user,)

    def test_times_of_accounts_are_stored_to_the_millisecond_in_utc(self, store: Store) -> None:
        time = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=timezone(timedelta(hours=5)))
        store.add_user(make_user(created_at=time))
        store.add_credential(make_token(created_at=time))
        for found in (store.user(ADA), store.credential_hashed(hash_of(make_token()))):
            assert found is not None
            assert found.created_at == time - timedelta(microseconds=999)
            assert found.created_at.tzinfo is UTC

    def test_accounts_come_by_name_in_upper_or_lower_case(self, store: Store) -> None:
        for name in ("bob", "Émile", "Carol", "ada", "Zoe", "0", "adam"):
            store.add_user(make_user(name))
        found = [user.name for user in store.users()]
        assert found == ["0", "ada", "adam", "bob", "Carol", "Zoe", "Émile"]

    def test_a_name_is_the_same_in_other_letters_case(self, store: Store, subtests: pytest.Subtests) -> None:
        for name, same in (("Ada", "aDA"), ("Straße", "STRASSE"), ("ΣΟΦΟΣ", "σοφος")):
            with subtests.test(name=name):
                user = make_user(name, user_id="u1")
                store.add_user(user)
                assert store.user_named(same) == user
                with pytest.raises(NameTakenError, match=same):
                    store.add_user(make_user(same, user_id="u2"))
                assert store.users() == (user,)
                store.remove_user(user.id)

    def test_a_name_is_no_part_of_another(self, store: Store) -> None:
        store.add_user(make_user("ada"))
        for other in ("ad", "ada2", "%", "_da", "a.a", ""):
            assert store.user_named(other) is None

    def test_an_id_belongs_to_one_account(self, store: Store) -> None:
        user = make_user("Ada")
        store.add_user(user)
        with pytest.raises(NameTakenError):
            store.add_user(make_user("Somebody", user_id="ada"))
        assert store.users() == (user,)

    def test_a_password_is_replaced(self, store: Store) -> None:
        ada, bob = make_user("Ada"), make_user("Bob")
        store.add_user(ada)
        store.add_user(bob)
        assert store.save_password(ADA, "new hash")
        assert store.users() == (replace(ada, password_hash="new hash"), bob)  # noqa: S106 - no secret

    def test_nobody_has_no_password(self, store: Store) -> None:
        store.add_user(make_user("Bob"))
        assert not store.save_password(ADA, "new hash")
        assert store.users() == (make_user("Bob"),)

    def test_an_administrator_is_said_to_be_one(self, store: Store) -> None:
        store.add_user(replace(make_user("Ada"), is_admin=True))
        store.add_user(make_user("Bob"))
        assert [user.is_admin for user in store.users()] == [True, False]
        assert store.save_admin(BOB, is_admin=True)
        assert store.save_admin(ADA, is_admin=False)
        assert [user.is_admin for user in store.users()] == [False, True]
        assert not store.save_admin(UserId("nobody"), is_admin=True)

    def test_a_user_is_advised_once_and_for_all(self, store: Store) -> None:
        for name in ("Ada", "Bob"):
            store.add_user(make_user(name))
        assert [user.is_advised for user in store.users()] == [False, False]
        assert store.save_advised(BOB)
        assert store.save_advised(BOB)
        assert [user.is_advised for user in store.users()] == [False, True]
        assert not store.save_advised(UserId("nobody"))
        advised = replace(make_user("Carl"), is_advised=True)
        store.add_user(advised)
        assert store.user(advised.id) == advised

    def test_when_the_last_administrator_goes_the_earliest_account_becomes_one(self, store: Store) -> None:
        for age, name in enumerate(("Eve", "Bob", "Ada", "Carol")):
            created_at = SOME_TIME - timedelta(days=age)
            store.add_user(replace(make_user(name, created_at=created_at), is_admin=name in {"Eve", "Bob"}))
        admins = [{"Bob"}, {"Carol"}, {"Carol"}, set()]
        for name, left in zip(("eve", "bob", "ada", "carol"), admins, strict=True):
            assert store.remove_user(UserId(name))
            assert {user.name for user in store.users() if user.is_admin} == left

    def test_when_the_last_administrators_go_at_once_another_becomes_one(self, store: Store) -> None:
        for name in ("Ada", "Bob", "Carol"):
            store.add_user(replace(make_user(name), is_admin=name != "Carol"))
        barrier = threading.Barrier(2)

        def remove(thread: int) -> None:
            barrier.wait()
            store.remove_user((ADA, BOB)[thread])

        in_threads(2, remove)
        assert [(user.name, user.is_admin) for user in store.users()] == [("Carol", True)]

    def test_a_removed_account_is_gone_and_its_name_free(self, store: Store) -> None:
        store.add_user(make_user("Ada"))
        store.add_user(make_user("Bob"))
        assert store.remove_user(ADA)
        assert store.user(ADA) is None
        assert store.user_named("Ada") is None
        assert not store.remove_user(ADA)
        assert store.remove_user(BOB)
        assert not store.has_users()
        store.add_user(make_user("ADA", user_id="another"))
        assert store.has_users()

    def test_removing_an_account_leaves_what_was_heard(self, store: Store) -> None:
        store.add_user(make_user("Ada"))
        store.add_listens([make_listen(user_id=ADA)])
        profile = new_profile(ADA)
        store.save_profile(profile, replacing=None)
        store.erase_listens(Erasure(BOB, 5))
        store.remove_user(ADA)
        store.remove_user(BOB)
        assert list(store.listens_of(ADA)) == [make_listen(user_id=ADA)]
        assert store.profile(ADA) == profile
        assert store.erased(BOB).until_ms == 5

    def test_erasing_what_was_heard_leaves_the_account(self, store: Store) -> None:
        store.add_user(make_user("Ada"))
        store.add_credential(make_token())
        store.erase_listens(Erasure(ADA, 5))
        assert store.users() == (make_user("Ada"),)
        assert store.credentials_of(ADA) == (make_token(),)

    def test_no_text_makes_it_fail(self, store: Store, subtests: pytest.Subtests) -> None:
        store.add_user(make_user("Ada"))
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                assert store.user(UserId(text)) is None
                assert store.user_named(text) is None
                assert store.credential_hashed(text) is None
                assert store.credentials_of(UserId(text)) == ()
                assert not store.remove_credential(UserId(text), text)
                assert not store.remove_user(UserId(text))
                assert not store.save_password(UserId(text), text)
                assert store.users() == (make_user("Ada"),)

    def test_any_text_in_it_is_stored(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                user_id = UserId(text)
                user = User(id=user_id, name=text, password_hash=text, created_at=SOME_TIME)
                token = Credential(
                    kind=CredentialKind.TOKEN,
                    id=text,
                    user_id=user_id,
                    label=text,
                    secret_hash=text,
                    created_at=SOME_TIME,
                )
                store.add_user(user)
                store.add_credential(token)
                assert store.user(user_id) == store.user_named(text) == user
                assert store.credential_hashed(text) == token
                assert store.credentials_of(user_id) == (token,)
                store.remove_user(user_id)

    def test_one_of_several_gets_the_name(self, store: Store) -> None:
        barrier = threading.Barrier(4)
        added: list[User] = []
        refused: list[str] = []

        def add(thread: int) -> None:
            user = make_user("ADA" if thread % 2 else "ada", user_id=f"u{thread}")
            barrier.wait()
            try:
                store.add_user(user)
                added.append(user)
            except NameTakenError:
                refused.append(user.id)

        in_threads(4, add)
        assert len(refused) == 3
        assert list(store.users()) == added


class CredentialsContract:
    def test_a_credential_with_a_ciphertext_comes_back_as_it_was_added(self, store: Store) -> None:
        used_at = SOME_TIME + timedelta(days=1)
        credential = Credential(
            id="phone",
            user_id=ADA,
            kind=CredentialKind.APP_PASSWORD,
            label="the phone",
            created_at=SOME_TIME,
            last_used_at=used_at,
            ciphertext=bytes(range(256)),
        )
        of_bob = replace(credential, user_id=BOB)
        for one in (credential, of_bob):
            store.add_credential(one)
        assert store.credentials_of(ADA) == (credential,)
        assert store.credentials_of(BOB) == (of_bob,)
        assert store.remove_credential(ADA, "phone")
        assert store.credentials_of(ADA) == ()
        assert store.credentials_of(BOB) == (of_bob,)

    def test_a_token_comes_back_as_it_was_added(self, store: Store) -> None:
        token = make_token()
        store.add_credential(token)
        assert store.credential_hashed(hash_of(token)) == token
        assert store.credentials_of(ADA) == (token,)

    def test_an_unknown_secret_is_nobodys(self, store: Store) -> None:
        store.add_credential(make_token())
        hashed = hash_of(make_token())
        for other in ("", hashed[:-1], hashed.upper(), f"{hashed} "):
            assert store.credential_hashed(other) is None

    def test_tokens_come_by_age_then_id(self, store: Store) -> None:
        older = SOME_TIME - timedelta(milliseconds=1)
        for number, time in ((2, SOME_TIME), (3, older), (1, SOME_TIME)):
            store.add_credential(make_token(number, created_at=time))
        assert [token.id for token in store.credentials_of(ADA)] == ["k3", "k1", "k2"]

    def test_users_do_not_see_each_others(self, store: Store) -> None:
        adas, bobs = make_token(user_id=ADA), make_token(user_id=BOB)
        store.add_credential(adas)
        store.add_credential(bobs)
        assert store.credentials_of(ADA) == (adas,)
        assert store.credentials_of(BOB) == (bobs,)

    def test_a_token_is_removed_by_its_user_alone(self, store: Store) -> None:
        token = make_token()
        store.add_credential(token)
        assert not store.remove_credential(BOB, "k1")
        assert not store.remove_credential(ADA, "k2")
        assert store.credential_hashed(hash_of(token)) == token
        assert store.remove_credential(ADA, "k1")
        assert store.credential_hashed(hash_of(token)) is None
        assert not store.remove_credential(ADA, "k1")

    def test_removing_one_leaves_the_others(self, store: Store) -> None:
        left, bobs = make_token(2), make_token(1, user_id=BOB)
        for token in (make_token(1), left, bobs):
            store.add_credential(token)
        assert store.remove_credential(ADA, "k1")
        assert store.credentials_of(ADA) == (left,)
        assert store.credentials_of(BOB) == (bobs,)

    def test_tokens_go_with_their_account(self, store: Store) -> None:
        for name in ("Ada", "Bob"):
            store.add_user(make_user(name))
        adas, bobs = make_token(user_id=ADA), make_token(user_id=BOB)
        store.add_credential(adas)
        store.add_credential(bobs)
        store.remove_user(ADA)
        assert store.credentials_of(ADA) == ()
        assert store.credential_hashed(hash_of(adas)) is None
        assert store.credential_hashed(hash_of(bobs)) == bobs


class EndedSessionsContract:
    def test_a_session_is_ended_once_it_is_stored(self, store: Store) -> None:
        ended = make_ended()
        store.add_user(make_user("Ada"))
        assert not store.is_session_ended(ended.digest)
        store.add_ended_session(ended)
        assert store.is_session_ended(ended.digest)
        for other in ("", ended.digest[:-1], ended.digest.upper(), f"{ended.digest} "):
            assert not store.is_session_ended(other)
        assert list(store.ended_sessions()) == [ended]

    def test_a_session_is_ended_once(self, store: Store) -> None:
        store.add_user(make_user("Ada"))
        store.add_ended_session(make_ended())
        store.add_ended_session(make_ended(expires_at=SOME_TIME + timedelta(days=1)))
        assert list(store.ended_sessions()) == [make_ended()]

    def test_ended_sessions_come_by_digest(self, store: Store) -> None:
        for name in ("Ada", "Bob"):
            store.add_user(make_user(name))
        some = [make_ended(number, user_id=user_id) for number in range(6) for user_id in (ADA, BOB)]
        for ended in reversed(some):
            store.add_ended_session(ended)
        assert list(store.ended_sessions()) == sorted(some, key=lambda ended: ended.digest)

    def test_those_whose_time_is_over_are_forgotten(self, store: Store) -> None:
        store.add_user(make_user("Ada"))
        moment = timedelta(milliseconds=1)
        over, now, to_come = (
            make_ended(number, expires_at=SOME_TIME + (number - 2) * moment) for number in (1, 2, 3)
        )
        for ended in (over, now, to_come):
            store.add_ended_session(ended)
        store.forget_ended_sessions(SOME_TIME)
        assert list(store.ended_sessions()) == [to_come]

    def test_ended_sessions_go_with_their_account(self, store: Store) -> None:
        for name in ("Ada", "Bob"):
            store.add_user(make_user(name))
        adas, bobs = make_ended(user_id=ADA), make_ended(user_id=BOB)
        for ended in (adas, bobs):
            store.add_ended_session(ended)
        store.remove_user(ADA)
        assert list(store.ended_sessions()) == [bobs]

    def test_nothing_is_stored_of_an_account_that_is_gone(self, store: Store) -> None:
        store.add_user(make_user("Ada"))
        store.remove_user(ADA)
        store.add_ended_session(make_ended())
        assert list(store.ended_sessions()) == []

    def test_a_session_that_ends_while_its_account_is_removed_leaves_nothing(self, store: Store) -> None:
        barrier = threading.Barrier(2)

        def work(thread: int) -> None:
            barrier.wait()
            if thread:
                store.remove_user(ADA)
            else:
                store.add_ended_session(make_ended())

        for _ in range(5):
            store.add_user(make_user("Ada"))
            in_threads(2, work)
            assert list(store.ended_sessions()) == []

    def test_no_digest_makes_it_fail(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                assert not store.is_session_ended(text)
