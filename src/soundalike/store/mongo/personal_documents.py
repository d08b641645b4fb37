"""Conversion of listens, profiles and accounts to documents of MongoDB, and back."""

import json
import zlib
from typing import Any

from soundalike.domain.listens import Erased, Listen, ListenKind
from soundalike.domain.profiles import Profile
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.domain.users import Credential, CredentialKind, EndedSession, User, account_key
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.documents import reports_damage
from soundalike.store.mongo.encoding import from_text, join_texts, to_integer, to_text
from soundalike.wire.profiles import profile_body, profile_from

"""The kind of a credential that is an API token."""

_KINDS = {kind.value: kind for kind in ListenKind}

# A document has at most 16 MB: the largest possible profile is near that, and a third of it compressed.
_FASTEST = 1


def listen_to_document(listen: Listen) -> Document:
    """Return a document of ``listen``."""
    return {
        "_id": join_texts(listen.user_id, str(listen.generation), listen.id),
        "user": to_text(listen.user_id),
        "generation": listen.generation,
        "at_ms": listen.at_ms,
        "id": to_text(listen.id),
        "track": to_text(listen.track_id),
        "kind": listen.kind.value,
        "position_ms": listen.position_ms,
    }


@reports_damage
def listen_from_document(user_id: UserId, document: Document) -> Listen:
    """Read a document of ``listen``."""
    position_ms = document["position_ms"]
    return Listen(
        id=EventId(from_text(document["id"])),
        user_id=user_id,
        track_id=TrackId(from_text(document["track"])),
        kind=_KINDS[document["kind"]],
        position_ms=None if position_ms is None else to_integer(position_ms),
        at_ms=to_integer(document["at_ms"]),
        generation=to_integer(document["generation"]),
    )


def profile_to_document(profile: Profile) -> Document:
    """Return the ``profile`` of a document of ``listener``."""
    body = profile_body(profile)
    return {
        "fold": body["fold"],
        "version": profile.version,
        "count": profile.taste.count,
        "body": zlib.compress(json.dumps(body, separators=(",", ":")).encode(), _FASTEST),
    }


@reports_damage
def profile_from_document(user_id: UserId, erased: Erased, document: Document) -> Profile:
    """Read a user's profile; the version is a digest, so damage is noticed."""
    profile = profile_from(json.loads(zlib.decompress(document["body"])), erased)
    if profile is None or profile.user_id != user_id or profile.version != document["version"]:
        msg = f"the profile of {user_id!r} is not the one of version {document['version']!r}"
        raise ValueError(msg)
    return profile


@reports_damage
def user_id_from(stored: Any) -> UserId:  # noqa: ANN401 - a damaged document may have anything
    """Read the id of a user."""
    return UserId(from_text(stored))


def user_to_document(user: User) -> Document:
    """Return a document of ``user``."""
    return {
        "_id": to_text(user.id),
        "name_key": to_text(account_key(user.name)),
        "name": to_text(user.name),
        "password_hash": to_text(user.password_hash),
        "created_ms": to_ms(user.created_at),
        "is_admin": user.is_admin,
        "is_advised": user.is_advised,
    }


@reports_damage
def user_from_document(document: Document) -> User:
    """Read a document of ``user``."""
    return User(
        id=UserId(from_text(document["_id"])),
        name=from_text(document["name"]),
        password_hash=from_text(document["password_hash"]),
        created_at=from_ms(to_integer(document["created_ms"])),
        is_admin=document["is_admin"] is True,
        is_advised=document.get("is_advised") is True,  # none in a store that was migrated
    )


def credential_to_document(credential: Credential) -> Document:
    """Return a document of ``credential``; ``_id`` is the hash of its secret, if it has one."""
    user, secret_hash, used_at = credential.user_id, credential.secret_hash, credential.last_used_at
    return {
        "_id": join_texts(user, credential.id) if secret_hash is None else to_text(secret_hash),
        "id": to_text(credential.id),
        "user": to_text(user),
        "kind": credential.kind.value,
        "label": to_text(credential.label),
        "created_ms": to_ms(credential.created_at),
        "used_ms": None if used_at is None else to_ms(used_at),
        "ciphertext": credential.ciphertext,
    }


@reports_damage
def credential_from_document(document: Document) -> Credential:
    """Read a document of ``credential``."""
    used_ms, ciphertext = document["used_ms"], document["ciphertext"]
    return Credential(
        id=from_text(document["id"]),
        user_id=UserId(from_text(document["user"])),
        kind=CredentialKind(document["kind"]),
        label=from_text(document["label"]),
        created_at=from_ms(to_integer(document["created_ms"])),
        last_used_at=None if used_ms is None else from_ms(to_integer(used_ms)),
        secret_hash=from_text(document["_id"]) if ciphertext is None else None,
        ciphertext=ciphertext,
    )


def ended_session_to_document(ended: EndedSession) -> Document:
    """Return a document of ``ended_session``."""
    return {
        "_id": to_text(ended.digest),
        "user": to_text(ended.user_id),
        "expires_ms": to_ms(ended.expires_at),
    }


@reports_damage
def ended_session_from_document(document: Document) -> EndedSession:
    """Read a document of ``ended_session``."""
    return EndedSession(
        digest=from_text(document["_id"]),
        user_id=UserId(from_text(document["user"])),
        expires_at=from_ms(to_integer(document["expires_ms"])),
    )
