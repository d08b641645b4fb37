"""Accounts and tokens as JSON for their own users: without passwords and secrets."""

from typing import Any

from soundalike.domain.times import rfc3339
from soundalike.domain.types import UserId
from soundalike.domain.users import Credential, User


def account_body(user_id: UserId, user: User | None) -> dict[str, Any]:
    """Return the account of a user.

    Parameters
    ----------
    user_id : UserId
        The user.
    user : User or None
        Their account, None where there are no accounts.

    Returns
    -------
    dict
        ``id``, ``name``, ``created_at`` and ``is_admin``; name and date are None without an account.
    """
    return {
        "id": user_id,
        "name": None if user is None else user.name,
        "created_at": None if user is None else rfc3339(user.created_at),
        "is_admin": user is None or user.is_admin,
    }


def token_body(token: Credential) -> dict[str, Any]:
    """Return a token as its user may see it."""
    return {"id": token.id, "label": token.label, "created_at": rfc3339(token.created_at)}


def credential_body(credential: Credential) -> dict[str, Any]:
    """Return a credential of any kind as an export has it, without its secret."""
    used_at = credential.last_used_at
    return {
        "id": credential.id,
        "kind": credential.kind.value,
        "label": credential.label,
        "created_at": rfc3339(credential.created_at),
        "last_used_at": None if used_at is None else rfc3339(used_at),
    }
