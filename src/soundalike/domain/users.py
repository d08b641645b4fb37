"""Accounts, and the credentials with which others act for them."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from soundalike.domain.errors import AccountError
from soundalike.domain.types import UserId

YOU = UserId("you")
"""The only user where there are no accounts; the first account takes over its data."""

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 1024

_NAME = re.compile(r"[^\W_](?:[\w.@-]{0,62}[\w])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account.

    Parameters
    ----------
    id : UserId
        Never changes; every listen, profile and token refers to it.
    name : str
        As given; no two accounts' names differ by letter case alone.
    password_hash : str
        Includes the parameters it was made with.
    created_at : datetime
        UTC.
    is_admin : bool
        Whether they look after the library. Where there are accounts, one does.
    is_advised : bool
        Whether they have been told that their name or password is one that would be refused today.
    """

    id: UserId
    name: str
    password_hash: str
    created_at: datetime
    is_admin: bool = False
    is_advised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSession:
    """A session that its user has ended, remembered for as long as its cookie could still be sent.

    Parameters
    ----------
    digest : str
        Hex SHA-256 by which the session is recognised.
    user_id : UserId
        The user.
    expires_at : datetime
        UTC; from then on no cookie of it is valid any more.
    """

    digest: str
    user_id: UserId
    expires_at: datetime


class CredentialKind(StrEnum):
    """What a credential is for."""

    TOKEN = "token"  # noqa: S105 - a kind, no secret
    APP_PASSWORD = "app-password"  # noqa: S105 - the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Lets a script or an app act as a user; its secret is shown once.

    Parameters
    ----------
    id : str
        Short name by which it is listed and revoked.
    user_id : UserId
        The user.
    kind : CredentialKind
        What it is for.
    label : str
        What it is for, in the user's words.
    created_at : datetime
        UTC.
    last_used_at : datetime or None
        UTC; None if it has not been used, as far as is known.
    secret_hash : str or None
        Hex SHA-256 of the secret, which is random enough to need no slow hash. None if the protocol that uses
        it needs the secret itself.
    ciphertext : bytes or None
        The encrypted secret, where there is no hash.
    """

    id: str
    user_id: UserId
    kind: CredentialKind
    label: str
    created_at: datetime
    last_used_at: datetime | None = None
    secret_hash: str | None = None
    ciphertext: bytes | None = None

    def __post_init__(self) -> None:
        """Check that there is one form of the secret.

        Raises
        ------
        ValueError
            If there is not.
        """
        if (self.secret_hash is None) == (self.ciphertext is None):
            msg = f"credential {self.id!r} must have either the hash or the ciphertext of its secret"
            raise ValueError(msg)


def account_key(name: str) -> str:
    """Return the name of an account in the form in which these are compared."""
    return name.casefold()


def check_name(name: str) -> str:
    """Check a name for an account, and return it.

    Raises
    ------
    AccountError
        If it is empty, longer than 64, or has more than letters, digits and ``. _ - @`` inside.
    """
    if not _NAME.fullmatch(name):
        msg = (
            f"{name[:80]!r} is not a valid user name: use 1 to 64 letters and digits, with . _ - @ "
            "between them"
        )
        raise AccountError(msg)
    return name


def check_password(password: str) -> str:
    """Check a password for an account, and return it.

    Raises
    ------
    AccountError
        If it has fewer than 8 characters, or more than 1,024.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        bounds = f"{MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH}"
        msg = f"a password must have {bounds} characters, not {len(password)}"
        raise AccountError(msg)
    return password
