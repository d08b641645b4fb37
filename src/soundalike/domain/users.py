"""Accounts and API tokens."""

import re
from dataclasses import dataclass
from datetime import datetime

from soundalike.domain.errors import AccountError
from soundalike.domain.types import UserId

YOU = UserId("you")
"""The one listener where there are no accounts; the first account takes over what is theirs."""

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 1024

_NAME = re.compile(r"[^\W_](?:[\w.@-]{0,62}[\w])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account.

    Parameters
    ----------
    id : UserId
        Stays with the account; every listen, profile and token hangs on it.
    name : str
        As given; no two accounts' names differ by letter case alone.
    password_hash : str
        Says by itself how it was made.
    created_at : datetime
        UTC.
    """

    id: UserId
    name: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Stands for a user in scripts; the secret itself is shown once and not kept.

    Parameters
    ----------
    id : str
        Short name by which it is listed and revoked.
    user_id : UserId
        Whom it stands for.
    label : str
        What it is for, in the user's words.
    secret_hash : str
        Hex SHA-256 of the secret, which is random enough to need no slow hash.
    created_at : datetime
        UTC.
    """

    id: str
    user_id: UserId
    label: str
    secret_hash: str
    created_at: datetime


def name_key(name: str) -> str:
    """Return what makes a name the same as another."""
    return name.casefold()


def check_name(name: str) -> str:
    """Return a name that an account may have.

    Raises
    ------
    AccountError
        If it is empty, longer than 64, or holds more than letters, digits and ``. _ - @`` inside.
    """
    if not _NAME.fullmatch(name):
        msg = (
            f"{name[:80]!r} is no user name: 1 to 64 letters and digits, with . _ - @ between them; "
            "choose another"
        )
        raise AccountError(msg)
    return name


def check_password(password: str) -> str:
    """Return a password that is long enough.

    Raises
    ------
    AccountError
        If it has fewer than 8 characters, or more than 1,024.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        msg = f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters, not {len(password)}"
        raise AccountError(msg)
    return password
