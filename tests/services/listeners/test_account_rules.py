"""Which names and passwords are refused when they are set, and what an account with one of them is told."""

import unicodedata
from datetime import timedelta

import pytest

from services.listeners.accounts_stage import NOW, OTHER, PASSWORD, AccountsStage
from soundalike.domain.errors import AccountError, LoginError, NameTakenError
from soundalike.domain.types import UserId
from soundalike.domain.users import User

WEAK = [
    ("password", "one of the most common passwords"),
    ("Password1", "one of the most common passwords"),
    ("p@ssw0rd", "one of the most common passwords"),
    ("12345678", "one of the most common passwords"),
    ("qwertyuiop", "one of the most common passwords"),
    ("aaaaaaaa", "it repeats itself"),
    ("x" * 1024, "it repeats itself"),
    ("rtyuiop[]", "side by side on the keyboard"),
    ("mnopqrst", "it is a sequence"),
    ("26111987", "little more than a date"),
    ("annannann", "made of your name"),
    ("ANN-28374650", "made of your name"),
    ("29384756nna", "made of your name"),
    ("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", "one of the most common passwords"),  # wide letters
    ("p a s s w o r d", "one of the most common passwords"),
    ("\U0001d429\xa0a\u3000s s w\to r d", "one of the most common passwords"),
    (
        "\u0439\u0446\u0443\u043a\u0435\u043d\u0433\u0448",
        "one of the most common passwords",
    ),
    ("\u0444\u044b\u0432\u0430\u043f\u0440\u043e\u043b", "one of the most common passwords"),
    ("a n n 2 8 3 7 4 6 5 0", "made of your name"),
    ("\uff41\uff4e\uff4e29384756", "made of your name"),
    ("ann1987", None),  # too short, which is said first
    ("soundalike", "made of your name or another word"),
]
STRONG = [PASSWORD, OTHER, "k3jd8s2m", "x7Gk2pQ9", "4@8({[<3691!|70$5+%2", "ann walks her blue dog"]
A_NAME = "\u0430\u0441\u0435"  # Cyrillic, looks like "ace"


@pytest.fixture
def stage() -> AccountsStage:
    return AccountsStage()


@pytest.mark.parametrize(("password", "why"), WEAK)
def test_a_password_that_is_easy_to_guess_is_refused_with_why(
    stage: AccountsStage, password: str, why: str | None
) -> None:
    said = "8 to 1024 characters" if why is None else f"easy to guess: .*{why}.*; take several words"
    with pytest.raises(AccountError, match=said):
        stage.accounts.add("ann", password)
    assert not stage.accounts.has_users()
    ann = stage.accounts.add("ann", PASSWORD)
    with pytest.raises(AccountError, match=said):
        stage.accounts.change_password(ann.id, password)
    assert stage.accounts.login("ann", PASSWORD) == ann


@pytest.mark.parametrize("password", STRONG)
def test_others_are_not(stage: AccountsStage, password: str) -> None:
    ann = stage.accounts.add("ann", password)
    stage.accounts.change_password(ann.id, password)
    assert stage.accounts.advise(ann, password) == ()


def test_a_password_is_stored_as_it_was_typed(stage: AccountsStage) -> None:
    typed = "\uff57our \uff51uiet \uff50onies \uff48um"
    ann = stage.accounts.add("ann", typed)
    assert stage.accounts.login("ann", typed) == ann
    for other in (unicodedata.normalize("NFKC", typed), typed.replace(" ", "")):
        with pytest.raises(LoginError):
            stage.accounts.login("ann", other)


def test_a_part_of_the_name_counts_as_the_name(stage: AccountsStage) -> None:
    with pytest.raises(AccountError, match="made of your name"):
        stage.accounts.add("ann.lovelace@home", "Lovelace1815")


@pytest.mark.parametrize("name", ["\u0430nn", "ann\u0435", "\u03b1lex"])
def test_a_name_of_several_alphabets_is_refused(stage: AccountsStage, name: str) -> None:
    with pytest.raises(AccountError, match=r"mixes letters of several alphabets \((Cyrillic|Greek), Latin\)"):
        stage.accounts.add(name, PASSWORD)
    with pytest.raises(AccountError, match="mixes letters"):
        stage.accounts.check_new_name(name)


def test_a_name_that_looks_like_another_account_s_is_refused(stage: AccountsStage) -> None:
    stage.accounts.add("ace", PASSWORD)
    with pytest.raises(NameTakenError, match="looks like 'ace', the name of another account"):
        stage.accounts.add(A_NAME, PASSWORD)
    assert [user.name for user in stage.accounts.users()] == ["ace"]
    stage.accounts.add("anna", PASSWORD)
    stage.accounts.add("Зоя", PASSWORD)


@pytest.mark.parametrize(
    "invisible", "\u115f\u1160\u3164\uffa0\u034f\u17b4\ufe0f\U000e0100\u200b\u2800\U00013441"
)
def test_a_name_with_what_is_drawn_as_nothing_is_refused_with_why(
    stage: AccountsStage, invisible: str
) -> None:
    stage.accounts.add("ann", PASSWORD)
    for name in (f"ann{invisible}", f"an{invisible}n", f"{invisible}ann", invisible, f"b{invisible}b"):
        with pytest.raises(
            AccountError, match=rf"drawn as nothing \(U\+{ord(invisible):04X}.*; leave it out"
        ):
            stage.accounts.add(name, PASSWORD)
    assert [user.name for user in stage.accounts.users()] == ["ann"]


def test_an_account_that_has_it_goes_on_is_told_and_keeps_others_from_its_look(stage: AccountsStage) -> None:
    user = of_before(stage, "b\u3164ob", PASSWORD)
    assert stage.accounts.login("b\u3164ob", PASSWORD) == user
    (told,) = stage.accounts.advise(user, PASSWORD)
    assert "Your name may be taken for another one" in told
    with pytest.raises(NameTakenError, match="looks like"):
        stage.accounts.add("bob", PASSWORD)


def of_before(stage: AccountsStage, name: str, password: str, *, days: int = 0) -> User:
    """Store an account that was added when nothing was refused."""
    user = User(
        id=UserId(f"id of {name}"),
        name=name,
        password_hash=stage.hasher.hash(password),
        created_at=NOW + timedelta(days=days),
    )
    stage.store.add_user(user)
    return user


def test_an_account_with_a_weak_password_goes_on_and_is_told_once(stage: AccountsStage) -> None:
    ann = of_before(stage, "ann", "password")
    assert stage.accounts.login("ann", "password") == ann
    (told,) = stage.accounts.advise(ann, "password")
    assert told.startswith("Your password is easy to guess: it is one of the most common passwords")
    again = stage.accounts.login("ann", "password")
    assert again.is_advised
    assert stage.accounts.advise(again, "password") == ()


def test_of_two_that_look_alike_both_go_on_and_the_later_one_is_told(stage: AccountsStage) -> None:
    ace, other = of_before(stage, "ace", PASSWORD), of_before(stage, A_NAME, PASSWORD, days=1)
    assert stage.accounts.login(A_NAME, PASSWORD) == other
    assert stage.accounts.advise(ace, PASSWORD) == ()
    (told,) = stage.accounts.advise(other, PASSWORD)
    assert "Your name may be taken for another one" in told
    assert not stage.accounts.named("ace").is_advised
    stage.accounts.change_password(other.id, OTHER)
    assert stage.accounts.advise(stage.accounts.named(A_NAME), OTHER) == ()


def test_an_account_with_both_is_told_of_both_at_once(stage: AccountsStage) -> None:
    user = of_before(stage, "\u0430nn", "aaaaaaaa")
    assert len(stage.accounts.advise(user, "aaaaaaaa")) == 2
    assert stage.accounts.advise(stage.accounts.named("\u0430nn"), "aaaaaaaa") == ()


def test_of_an_account_that_is_gone_nothing_is_told(stage: AccountsStage) -> None:
    user = of_before(stage, "ann", "password")
    stage.remove(user)
    assert stage.accounts.advise(user, "password") == ()
