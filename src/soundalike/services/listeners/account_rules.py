"""What names and passwords an account may have when they are set; those that are set already go on."""

import re
import unicodedata

from soundalike.domain.errors import AccountError, NameTakenError
from soundalike.domain.lookalikes import invisible_in, looks_like, scripts_of
from soundalike.domain.ports.listening import AccountStore, PasswordHasher
from soundalike.domain.users import User, check_name, check_password

_PROGRAM = "soundalike"
_SHOWN, _NAMED = 80, 3


class AccountRules:
    """The rules for names and passwords.

    Parameters
    ----------
    store : AccountStore
        Has the accounts whose names are taken.
    hasher : PasswordHasher
        Knows which passwords are easy to guess.
    """

    def __init__(self, store: AccountStore, hasher: PasswordHasher) -> None:
        self._store = store
        self._hasher = hasher

    def check_name(self, name: str) -> str:
        """Return a name in the form that a new account would have.

        Raises
        ------
        NameTakenError
            If another account has it, in upper or lower case, or one that looks the same.
        AccountError
            If an account may not have it.
        """
        name = composed(name)
        if invisible := invisible_in(name):
            msg = (
                f"{name[:_SHOWN]!a} has what is drawn as nothing ({', '.join(invisible[:_NAMED])}), and "
                "could be taken for another name; leave it out"
            )
            raise AccountError(msg)
        name = check_name(name)
        if self._store.user_named(name) is not None:
            msg = f"there is already an account named {name!r}; choose another name"
            raise NameTakenError(msg)
        scripts = scripts_of(name)
        if len(scripts) > 1:
            msg = (
                f"{name!r} mixes letters of several alphabets ({', '.join(scripts)}), and could be taken for "
                "another name; use letters of one"
            )
            raise AccountError(msg)
        for user in self._store.users():
            if looks_like(name, user.name):
                msg = f"{name!r} looks like {user.name!r}, the name of another account; choose another name"
                raise NameTakenError(msg)
        return name

    def check_password(self, password: str, name: str) -> str:
        """Return a password in the form that is hashed.

        Parameters
        ----------
        password, name : str
            As they were typed; the name is that of the account.

        Raises
        ------
        AccountError
            If it is too short, too long or easy to guess.
        """
        password = check_password(composed(password))
        why = self._weakness(password, name)
        if why is not None:
            msg = (
                f"this password is easy to guess: {why}; take several words that have nothing to do with "
                "each other, or more characters"
            )
            raise AccountError(msg)
        return password

    def advice(self, user: User, password: str) -> tuple[str, ...]:
        """Return what the user of an account should know of their name and password, in sentences.

        Parameters
        ----------
        user : User
            The account.
        password : str
            Their password, as it was typed.
        """
        found = []
        why = self._weakness(composed(password), user.name)
        if why is not None:
            found.append(f"Your password is easy to guess: {why}. Change it below.")
        # Of two names that look alike, the later one is to blame.
        before = (other for other in self._store.users() if other.created_at < user.created_at)
        may_be_mistaken = invisible_in(user.name) or len(scripts_of(user.name)) > 1
        if may_be_mistaken or any(looks_like(user.name, other.name) for other in before):
            found.append(
                "Your name may be taken for another one that looks alike. You keep it, "
                "but no new account gets such a name."
            )
        return tuple(found)

    def _weakness(self, password: str, name: str) -> str | None:
        parts = re.split(r"[\W_]+", name)
        return self._hasher.weakness(password, [name, *parts, _PROGRAM])


def composed(text: str) -> str:
    """Compose accents (Unicode NFC), so that the same letters are equal whatever keyboard typed them."""
    return unicodedata.normalize("NFC", text)
