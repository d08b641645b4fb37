import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import MemoryStore
from making import make_listen
from services.listeners.accounts_stage import NOW, OTHER, PASSWORD, AccountsStage
from soundalike.domain.errors import (
    AccountError,
    LoginError,
    NameTakenError,
    StoreBusyError,
    UnknownUserError,
)
from soundalike.domain.listens import Erasure
from soundalike.domain.types import UserId
from soundalike.domain.users import YOU, Credential
from soundalike.passwords import Argon2Hasher
from soundalike.services.listeners.accounts import MAX_TOKENS


@pytest.fixture
def stage() -> AccountsStage:
    return AccountsStage()


def test_the_first_account_takes_over_you_and_the_others_do_not(stage: AccountsStage) -> None:
    assert not stage.accounts.has_users()
    first = stage.accounts.add("Ann", PASSWORD)
    second = stage.accounts.add("Bob", PASSWORD)
    assert (first.id, first.name, first.created_at) == (YOU, "Ann", NOW)
    assert second.id != YOU
    assert stage.accounts.has_users()
    assert [user.name for user in stage.accounts.users()] == ["Ann", "Bob"]


def test_the_first_account_is_an_administrators_and_others_are_made_so(stage: AccountsStage) -> None:
    ann, bob, carol = (stage.accounts.add(name, PASSWORD) for name in ("ann", "bob", "carol"))
    assert [user.is_admin for user in (ann, bob, carol)] == [True, False, False]
    stage.accounts.make_admin(carol.id)
    assert [user.is_admin for user in stage.accounts.users()] == [True, False, True]
    stage.remove(ann)
    assert [user.is_admin for user in stage.accounts.users()] == [False, True]
    stage.remove(carol)
    assert [user.is_admin for user in stage.accounts.users()] == [True]
    with pytest.raises(UnknownUserError):
        stage.accounts.make_admin(carol.id)


def test_a_new_account_does_not_get_the_id_of_erased_data(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    stage.accounts.remove(ann.id, erase=lambda user_id: stage.store.erase_listens(Erasure(user_id, 5000)))
    bob = stage.accounts.add("bob", PASSWORD)
    assert bob.id != YOU, "the browser that Ann used may still have her listens, under her id"


def test_listens_after_an_erasure_are_taken_over(stage: AccountsStage) -> None:
    stage.store.erase_listens(Erasure(YOU, 5000))
    stage.store.add_listens([make_listen(1, user_id=YOU, at_ms=6000)])
    assert stage.accounts.add("ann", PASSWORD).id == YOU


def test_a_token_made_while_its_account_is_removed_is_removed(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    add_credential = stage.store.add_credential

    def removed_first(credential: Credential) -> None:
        stage.store.remove_user(ann.id)
        add_credential(credential)

    stage.store.add_credential = removed_first  # type: ignore[method-assign] # another process gets in between
    with pytest.raises(UnknownUserError):
        stage.accounts.make_token(ann.id)
    assert stage.store.credentials_of(ann.id) == ()


def test_the_next_account_after_all_are_removed_is_the_first_again(stage: AccountsStage) -> None:
    ann, bob = stage.accounts.add("ann", PASSWORD), stage.accounts.add("bob", PASSWORD)
    stage.remove(ann)
    assert stage.accounts.add("carol", PASSWORD).id != YOU
    for user in (bob, stage.accounts.named("carol")):
        stage.remove(user)
    assert stage.accounts.add("dave", PASSWORD).id == YOU


def test_of_two_simultaneous_first_accounts_one_takes_over_you(stage: AccountsStage) -> None:
    class Slow(MemoryStore):
        """Answers both before either has added."""

        def __init__(self) -> None:
            super().__init__()
            self.both = threading.Barrier(2)
            self.answers = 0

        def has_users(self) -> bool:
            found = super().has_users()
            self.answers += 1
            if self.answers <= 2:
                self.both.wait(10)
            return found

    stage = AccountsStage(Slow())
    threads = [threading.Thread(target=stage.accounts.add, args=(name, PASSWORD)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    ids = [user.id for user in stage.accounts.users()]
    assert len(ids) == 2
    assert ids.count(YOU) == 1


@pytest.mark.parametrize(
    "name", ["", " ", "a b", ".a", "a.", "a" * 65, "a\0b", "\ud800", "a/b", "<b>", "ann\n"]
)
def test_an_invalid_name_is_refused(stage: AccountsStage, name: str) -> None:
    with pytest.raises(AccountError, match="not a valid user name"):
        stage.accounts.add(name, PASSWORD)
    assert not stage.accounts.has_users()


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_a_password_is_8_to_1024_characters(stage: AccountsStage, password: str) -> None:
    with pytest.raises(AccountError, match="8 to 1024 characters"):
        stage.accounts.add("ann", password)
    assert not stage.accounts.has_users()
    user = stage.accounts.add("ann", "k3jd8s2m")
    with pytest.raises(AccountError, match="8 to 1024 characters"):
        stage.accounts.change_password(user.id, password)
    stage.accounts.change_password(user.id, ("k3jd8s2m" + OTHER * 80)[:1024])


def test_names_differ_by_more_than_letter_case(stage: AccountsStage) -> None:
    stage.accounts.add("Ann", PASSWORD)
    with pytest.raises(NameTakenError):
        stage.accounts.add("aNN", PASSWORD)
    assert stage.accounts.login("ANN", PASSWORD).name == "Ann"


def test_composed_and_decomposed_letters_are_the_same(stage: AccountsStage) -> None:
    stage.accounts.add("Zo\u00eb", "caf\u00e9 cr\u00e8me noir")
    assert stage.accounts.login("Zoe\u0308", "cafe\u0301 cre\u0300me noir").name == "Zo\u00eb"


def test_only_the_right_password_logs_in(stage: AccountsStage) -> None:
    stage.accounts.add("ann", PASSWORD)
    stage.accounts.add("bob", OTHER)
    assert stage.accounts.login("ann", PASSWORD).name == "ann"
    for name, password in (("ann", OTHER), ("bob", PASSWORD), ("ann", ""), ("nobody", PASSWORD), ("", "")):
        with pytest.raises(LoginError, match=r"^wrong user name or password$"):
            stage.accounts.login(name, password)


@pytest.mark.parametrize("name", ["nobody", "\0", "\ud800", "a" * 100_000])
def test_an_unknown_name_also_costs_one_comparison(stage: AccountsStage, name: str) -> None:
    stage.accounts.add("ann", PASSWORD)
    with pytest.raises(LoginError):
        stage.accounts.login(name, OTHER)
    assert len(stage.hasher.compared) == 1
    (password, against) = stage.hasher.compared[0]
    assert password == OTHER
    assert against.startswith("hash of ")  # as slow to compare with as any
    assert against != stage.accounts.named("ann").password_hash


def test_the_decoy_password_does_not_log_in(stage: AccountsStage) -> None:
    with pytest.raises(LoginError):
        stage.accounts.login("nobody", "x")
    of_nobody = stage.hasher.compared[0][1].removeprefix("hash of ")
    with pytest.raises(LoginError):
        stage.accounts.login("nobody", of_nobody)


def test_a_changed_password_is_the_only_one(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    stage.accounts.change_password(ann.id, OTHER)
    assert stage.accounts.login("ann", OTHER).id == ann.id
    with pytest.raises(LoginError):
        stage.accounts.login("ann", PASSWORD)


def test_a_removed_account_can_be_neither_changed_nor_removed(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    stage.remove(ann)
    stage.erased.clear()
    with pytest.raises(UnknownUserError):
        stage.accounts.change_password(ann.id, OTHER)
    with pytest.raises(UnknownUserError):
        stage.remove(ann)
    with pytest.raises(UnknownUserError, match="users list"):
        stage.accounts.named("ann")
    assert stage.erased == []


def test_removing_an_account_removes_tokens_and_data(stage: AccountsStage) -> None:
    ann, bob = stage.accounts.add("ann", PASSWORD), stage.accounts.add("bob", PASSWORD)
    of_ann, of_bob = stage.accounts.make_token(ann.id), stage.accounts.make_token(bob.id)
    stage.remove(ann)
    assert set(stage.erased) == {ann.id}
    assert stage.accounts.user_of_token(of_ann.secret) is None
    assert stage.accounts.user_of_token(of_bob.secret) == stage.accounts.user(bob.id)
    assert stage.accounts.users() == (replace(bob, is_admin=True),)


def test_data_that_arrives_during_removal_is_erased(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    token = stage.accounts.make_token(ann.id)
    could_act = []

    def erase(_user_id: UserId) -> None:
        could_act.append(stage.accounts.user_of_token(token.secret) is not None)

    stage.accounts.remove(ann.id, erase=erase)
    assert could_act == [True, False]


def test_after_a_failed_erasure_the_user_can_log_in_and_retry(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    token = stage.accounts.make_token(ann.id)
    failures = iter([None, StoreBusyError("busy"), None, None])

    def erase(_user_id: UserId) -> None:
        failure = next(failures)
        if failure is not None:
            raise failure

    with pytest.raises(StoreBusyError):
        stage.accounts.remove(ann.id, erase=erase)
    assert stage.accounts.login("ann", PASSWORD) == ann  # her session goes on too
    assert stage.accounts.user_of_token(token.secret) is None
    stage.accounts.remove(ann.id, erase=erase)
    assert stage.accounts.users() == ()


def test_an_account_whose_data_could_not_be_erased_is_stored(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)

    def fail(_user_id: UserId) -> None:
        msg = "busy"
        raise StoreBusyError(msg)

    with pytest.raises(StoreBusyError):
        stage.accounts.remove(ann.id, erase=fail)
    assert stage.accounts.user(ann.id) == ann


def test_a_token_identifies_its_user_until_it_is_revoked(stage: AccountsStage) -> None:
    ann, bob = stage.accounts.add("ann", PASSWORD), stage.accounts.add("bob", PASSWORD)
    made = stage.accounts.make_token(ann.id, "  phone\n ")
    assert len(made.secret) == len("sndl_") + 43
    assert made.token.label == "phone"
    assert stage.accounts.user_of_token(made.secret) == ann
    assert stage.accounts.tokens_of(ann.id) == (made.token,)
    assert not stage.accounts.revoke_token(bob.id, made.token.id)
    assert stage.accounts.user_of_token(made.secret) == ann
    assert stage.accounts.revoke_token(ann.id, made.token.id)
    assert not stage.accounts.revoke_token(ann.id, made.token.id)
    assert stage.accounts.user_of_token(made.secret) is None


def test_the_store_does_not_have_the_secret(stage: AccountsStage) -> None:
    ann = stage.accounts.add("ann", PASSWORD)
    made = stage.accounts.make_token(ann.id)
    assert made.secret not in repr(stage.accounts.tokens_of(ann.id))
    assert len(made.token.secret_hash or "") == 64


@pytest.mark.parametrize(
    "secret", ["", "sndl_", "x", "\ud800", "sndl_\ud800", "sndl_" + "9" * 100_000, "sndl_\xff"]
)
def test_an_invalid_token_identifies_nobody(stage: AccountsStage, secret: str) -> None:
    stage.accounts.make_token(stage.accounts.add("ann", PASSWORD).id)
    assert stage.accounts.user_of_token(secret) is None


def test_tokens_need_an_account_and_their_number_is_limited(stage: AccountsStage) -> None:
    with pytest.raises(UnknownUserError, match="need no token"):
        stage.accounts.make_token(YOU)
    ann = stage.accounts.add("ann", PASSWORD)
    with pytest.raises(AccountError, match="at most 80"):
        stage.accounts.make_token(ann.id, "x" * 81)
    for _ in range(MAX_TOKENS):
        stage.accounts.make_token(ann.id)
    with pytest.raises(AccountError, match="revoke one"):
        stage.accounts.make_token(ann.id)


def test_no_more_than_two_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashing, most = 0, 0
    lock = threading.Lock()
    both = threading.Barrier(2)

    class Counting:
        """Hashes in pairs: one alone would wait for ever."""

        def hash(self, _password: bytes) -> str:
            nonlocal hashing, most
            with lock:
                hashing += 1
                most = max(most, hashing)
            both.wait(10)
            with lock:
                hashing -= 1
            return "hash"

    monkeypatch.setattr("soundalike.passwords.Argon2", Counting)
    hasher = Argon2Hasher()
    threads = [threading.Thread(target=hasher.hash, args=("x",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 2


ARGON2 = Argon2Hasher()
SALTED = ARGON2.hash("a\0b \ud800 long")


def test_argon2_salts_and_distinguishes_passwords() -> None:
    assert ARGON2.hash("a\0b \ud800 long") != SALTED
    assert SALTED.startswith("$argon2id$")
    assert ARGON2.is_right("a\0b \ud800 long", SALTED)
    for wrong in ("a", "a\0b", "a\0b \ud801 long", ""):
        assert not ARGON2.is_right(wrong, SALTED)


@pytest.mark.parametrize("password_hash", ["", "x", "$argon2id$", "\0", "\xff", "\u2713"])
def test_an_invalid_hash_matches_no_password(password_hash: str) -> None:
    assert not ARGON2.is_right("", password_hash)
    assert not ARGON2.is_right(password_hash, password_hash)


@given(name=st.text(), password=st.text())
def test_no_name_or_password_breaks_logging_in(name: str, password: str) -> None:
    stage = AccountsStage()
    with pytest.raises(LoginError):
        stage.accounts.login(name, password)


@given(name=st.text(max_size=70), password=st.text(min_size=8, max_size=20))
def test_every_valid_account_can_log_in(name: str, password: str) -> None:
    stage = AccountsStage()
    try:
        user = stage.accounts.add(name, password)
    except AccountError:
        return
    assert stage.accounts.login(name, password) == user
