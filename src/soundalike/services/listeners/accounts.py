"""Accounts: who may log in, with what, and what happens to their data when they are removed."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from soundalike.domain.errors import (
    AccountError,
    LoginError,
    NameTakenError,
    SoundalikeError,
    UnknownUserError,
)
from soundalike.domain.listens import NOTHING_ERASED
from soundalike.domain.ports.listening import AccountStore, ListenStore, PasswordHasher
from soundalike.domain.types import UserId
from soundalike.domain.users import (
    YOU,
    Credential,
    CredentialKind,
    EndedSession,
    User,
    check_name,
)
from soundalike.services.listeners.account_rules import AccountRules, composed

TOKEN_PREFIX = "sndl_"  # noqa: S105 - the prefix by which people and secret scanners recognise a token
MAX_LABEL_LENGTH = 80
MAX_TOKENS = 50

_MAX_SECRET_LENGTH = 128
_ATTEMPTS = 5
_DECOY_PASSWORD = "nobody has this one"  # noqa: S105 - hashed so that unknown names take as long


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made, with its secret, which is shown only this once."""

    token: Credential
    secret: str


class Accounts:
    """All accounts, and the tokens of their users.

    Parameters
    ----------
    store : AccountStore
        Stores accounts and credentials.
    listens : ListenStore
        Knows whether anything is stored for the user "you".
    hasher : PasswordHasher
        Hashes passwords.
    clock : callable
        Gives the time, UTC.
    new_secret : callable
        Gives 43 random URL-safe characters.
    new_id : callable
        Gives short random ids, URL-safe.
    """

    def __init__(
        self,
        store: AccountStore,
        listens: ListenStore,
        hasher: PasswordHasher,
        *,
        clock: Callable[[], datetime],
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._listens = listens
        self._hasher = hasher
        self._rules = AccountRules(store, hasher)
        self._clock = clock
        self._new_secret = new_secret
        self._new_id = new_id
        self._lock = threading.Lock()
        self._decoy_hash: str | None = None

    def has_users(self) -> bool:
        """Whether there is any account, in the store as it is now."""
        return self._store.has_users()

    def users(self) -> tuple[User, ...]:
        """Return every account, by name."""
        return self._store.users()

    def user(self, user_id: UserId) -> User | None:
        """Return an account, or None."""
        return self._store.user(user_id)

    def named(self, name: str) -> User:
        """Return the account with a name.

        Raises
        ------
        UnknownUserError
            If there is none.
        """
        user = self._find(name)
        if user is None:
            msg = f"there is no account named {name[:80]!r}; 'soundalike users list' lists them"
            raise UnknownUserError(msg)
        return user

    def check_new_name(self, name: str) -> str:
        """Return a name in the form that a new account would have; see `AccountRules.check_name`."""
        return self._rules.check_name(name)

    def add(self, name: str, password: str) -> User:
        """Add an account; the first one takes over all data of the user "you".

        Parameters
        ----------
        name, password : str
            As they were typed.

        Returns
        -------
        User
            The account, which is stored.

        Raises
        ------
        NameTakenError
            If another account has the name, or one that looks the same.
        AccountError
            If an account may not have the name or the password.
        """
        name = self.check_new_name(name)
        password_hash = self._hasher.hash(self._rules.check_password(password, name))
        for _ in range(_ATTEMPTS):
            is_first = not self._store.has_users()
            user_id = YOU if is_first and not self._is_you_erased() else UserId(self._new_id())
            user = User(
                id=user_id,
                name=name,
                password_hash=password_hash,
                created_at=self._clock(),
                is_admin=is_first,
            )
            try:
                self._store.add_user(user)
            except NameTakenError:
                # Another process may have added the first account at the same time.
                if self._store.user(user_id) is None or self._store.user_named(name) is not None:
                    raise
                continue
            return user
        msg = f"the account {name!r} was not added: others were added at the same time; try again"
        raise AccountError(msg)

    def make_admin(self, user_id: UserId) -> None:
        """Make the user of an account an administrator.

        Raises
        ------
        UnknownUserError
            If the account no longer exists.
        """
        if not self._store.save_admin(user_id, is_admin=True):
            raise _no_account()

    def change_password(self, user_id: UserId, password: str) -> None:
        """Replace a password; sessions that began with the old one end.

        Parameters
        ----------
        user_id : UserId
            The account.
        password : str
            The new one, as it was typed.

        Raises
        ------
        AccountError
            If the account may not have the password, or no longer exists.
        """
        user = self._store.user(user_id)
        if user is None:
            raise _no_account()
        password_hash = self._hasher.hash(self._rules.check_password(password, user.name))
        if not self._store.save_password(user_id, password_hash):
            raise _no_account()

    def remove(self, user_id: UserId, *, erase: Callable[[UserId], None]) -> None:
        """Remove an account and its credentials, and everything else of its user.

        Parameters
        ----------
        user_id : UserId
            The account.
        erase : callable
            Erases everything else of a user; is called twice.

        Raises
        ------
        UnknownUserError
            If the account no longer exists.
        """
        user = self._store.user(user_id)
        if user is None:
            raise _no_account()
        # Erase first, so that nothing is done where erasing fails; and again once the user cannot log in,
        # since listens may arrive until then. The account itself is removed last: whatever fails before,
        # it is still there to be removed again.
        erase(user_id)
        self._lock_out(user_id)
        try:
            erase(user_id)
        except SoundalikeError:
            # The user has to be able to log in and ask again.
            with suppress(SoundalikeError):
                self._store.save_password(user_id, user.password_hash)
            raise
        self._store.remove_user(user_id)

    def _lock_out(self, user_id: UserId) -> None:
        """End all ways to act as a user: passwords, sessions and credentials."""
        self._store.save_password(user_id, self._hasher.hash(self._new_secret()))
        for credential in self._store.credentials_of(user_id):
            self._store.remove_credential(user_id, credential.id)

    def login(self, name: str, password: str) -> User:
        """Return the account with a name and a password.

        Parameters
        ----------
        name, password : str
            As they were typed.

        Returns
        -------
        User
            The account.

        Raises
        ------
        LoginError
            If there is none. An unknown name gets the same message, and takes as long.
        """
        decoy_hash = self._find_decoy_hash()
        user = self._find(name)
        password_hash = decoy_hash if user is None else user.password_hash
        is_right = self._hasher.is_right(composed(password), password_hash)
        if user is None or not is_right:
            msg = "wrong user name or password"
            raise LoginError(msg)
        return user

    def advise(self, user: User, password: str) -> tuple[str, ...]:
        """Return what is wrong with the name and the password of an account, in sentences, once for good.

        Parameters
        ----------
        user : User
            The account.
        password : str
            Its password, as it was typed.
        """
        advice = () if user.is_advised else self._rules.advice(user, password)
        return advice if advice and self._store.save_advised(user.id) else ()

    def end_session(self, user_id: UserId, digests: Iterable[str], *, lasts: timedelta) -> None:
        """End a session of a user, in every process; the others of the user go on.

        Parameters
        ----------
        user_id : UserId
            The user.
        digests : iterable of str
            By what the session may be recognised.
        lasts : timedelta
            For how long from now on the session might still be used.
        """
        now = self._clock()
        self._store.forget_ended_sessions(now)
        for digest in digests:
            self._store.add_ended_session(
                EndedSession(digest=digest, user_id=user_id, expires_at=now + lasts)
            )

    def is_session_ended(self, digest: str) -> bool:
        """Whether a session that is recognised by a digest was ended."""
        return self._store.is_session_ended(digest)

    def make_token(self, user_id: UserId, label: str = "") -> NewToken:
        """Make a token with which scripts act as a user.

        Parameters
        ----------
        user_id : UserId
            The account.
        label : str
            What the token is for, in the user's words.

        Returns
        -------
        NewToken
            The token with its secret.

        Raises
        ------
        AccountError
            If the label is too long, the user has too many tokens, or no account.
        """
        label = check_label(label)
        if self._store.user(user_id) is None:
            raise _no_account_for_token()
        if len(self.tokens_of(user_id)) >= MAX_TOKENS:
            msg = f"an account has at most {MAX_TOKENS} tokens; revoke one first"
            raise AccountError(msg)
        secret = f"{TOKEN_PREFIX}{self._new_secret()}"
        token = Credential(
            id=self._new_id(),
            user_id=user_id,
            kind=CredentialKind.TOKEN,
            label=label,
            created_at=self._clock(),
            secret_hash=_hash_secret(secret),
        )
        self._store.add_credential(token)
        if self._store.user(user_id) is None:  # removed meanwhile
            self._store.remove_credential(user_id, token.id)
            raise _no_account_for_token()
        return NewToken(token, secret)

    def tokens_of(self, user_id: UserId) -> tuple[Credential, ...]:
        """Return a user's tokens, oldest first."""
        return tuple(one for one in self._store.credentials_of(user_id) if one.kind is CredentialKind.TOKEN)

    def user_of_token(self, secret: str) -> User | None:
        """Return the user of the token with a secret, or None."""
        if not secret.startswith(TOKEN_PREFIX) or len(secret) > _MAX_SECRET_LENGTH:
            return None
        token = self._store.credential_hashed(_hash_secret(secret))
        is_token = token is not None and token.kind is CredentialKind.TOKEN
        return self._store.user(token.user_id) if token is not None and is_token else None

    def revoke_token(self, user_id: UserId, token_id: str) -> bool:
        """Remove a token of a user; False if they have none with this id."""
        return any(one.id == token_id for one in self.tokens_of(user_id)) and (
            self._store.remove_credential(user_id, token_id)
        )

    def _is_you_erased(self) -> bool:
        """Whether the data of "you" was erased: a browser may still have some, and may be someone else's."""
        return self._listens.erased(YOU) != NOTHING_ERASED and not self._listens.count_listens(YOU)

    def _find(self, name: str) -> User | None:
        try:
            return self._store.user_named(check_name(composed(name)))
        except AccountError:
            return None

    def _find_decoy_hash(self) -> str:
        with self._lock:
            if self._decoy_hash is None:
                self._decoy_hash = self._hasher.hash(_DECOY_PASSWORD)
            return self._decoy_hash


def check_label(label: str) -> str:
    """Return a label that a token may have: a short line of printable text.

    Raises
    ------
    AccountError
        If it is too long.
    """
    text = "".join(character for character in label if character.isprintable()).strip()
    if len(text) > MAX_LABEL_LENGTH:
        msg = f"a label has at most {MAX_LABEL_LENGTH} characters"
        raise AccountError(msg)
    return text


def _no_account_for_token() -> UnknownUserError:
    msg = "there is no account to make a token for; without accounts, scripts need no token"
    return UnknownUserError(msg)


def _no_account() -> UnknownUserError:
    return UnknownUserError("the account no longer exists")


def _hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
