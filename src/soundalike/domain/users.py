"""Accounts and API tokens."""

import re
from dataclasses import dataclass
from datetime import datetime

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
    """

    id: UserId
    name: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Lets scripts act as a user; the secret itself is shown once and not stored.

    Parameters
    ----------
    id : str
        Short name by which it is listed and revoked.
    user_id : UserId
        The user.
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
    """Return a name in the form in which names are compared."""
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
