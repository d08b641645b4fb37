"""Conversion of listens, profiles and accounts to rows of SQLite, and back."""

import json
from collections.abc import Iterable
from typing import Any

from soundalike.domain.listens import Erased, Listen, ListenKind
from soundalike.domain.profiles import Profile
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.domain.users import Credential, CredentialKind, EndedSession, User, account_key
from soundalike.store.sqlite.rows import Text, from_text, reports_damage, to_text
from soundalike.wire.profiles import profile_body, profile_from

ERASURE_COLUMNS = "user, at_ms, generation, dated_ms"
LISTEN_COLUMNS = "user, at_ms, id, track, kind, position_ms"
PROFILE_COLUMNS = "user, fold, version, count, body"
USER_COLUMNS = "name_key, id, name, password_hash, created_ms, is_admin, is_advised"
CREDENTIAL_COLUMNS = "id, user, kind, label, created_ms, last_used_ms, secret_hash, ciphertext"
ENDED_SESSION_COLUMNS = "digest, user, expires_ms"

_KINDS = {kind.value: kind for kind in ListenKind}


def listen_to_row(listen: Listen) -> tuple[Text | int | None, ...]:
    """Return `LISTEN_COLUMNS`."""
    return (
        to_text(listen.user_id),
        listen.at_ms,
        to_text(listen.id),
        to_text(listen.track_id),
        listen.kind.value,
        listen.position_ms,
    )


@reports_damage
def listens_from_rows(user_id: UserId, generation: int, rows: Iterable[tuple[Any, ...]]) -> list[Listen]:
    """Read `LISTEN_COLUMNS` of one user's listens, all of one generation."""
    return [
        Listen(
            id=EventId(from_text(event_id)),
            user_id=user_id,
            track_id=TrackId(from_text(track_id)),
            kind=_KINDS[kind],
            position_ms=None if position_ms is None else int(position_ms),
            at_ms=int(at_ms),
            generation=generation,
        )
        for _, at_ms, event_id, track_id, kind, position_ms in rows
    ]


def profile_to_row(profile: Profile) -> tuple[Text | bytes | int, ...]:
    """Return `PROFILE_COLUMNS`."""
    body = profile_body(profile)
    return (
        to_text(profile.user_id),
        body["fold"],
        profile.version,
        profile.taste.count,
        json.dumps(body, separators=(",", ":")).encode(),
    )


@reports_damage
def profile_from_row(user_id: UserId, erased: Erased, columns: tuple[Any, ...]) -> Profile:
    """Read version and body of a user's profile; the version is a digest, so damage is noticed."""
    version, body = columns
    profile = profile_from(json.loads(body), erased)
    if profile is None or profile.user_id != user_id or profile.version != version:
        msg = f"the profile of {user_id!r} is not the one of version {version!r}"
        raise ValueError(msg)
    return profile


def erased_to_row(user_id: UserId, erased: Erased) -> tuple[Text | int | None, ...]:
    """Return `ERASURE_COLUMNS`."""
    return to_text(user_id), erased.until_ms, erased.generation, erased.dated_ms


@reports_damage
def erased_from_row(columns: tuple[Any, ...]) -> tuple[UserId, Erased]:
    """Read `ERASURE_COLUMNS`: a user, and what is erased of them."""
    user, until_ms, generation, dated_ms = columns
    dated_ms = None if dated_ms is None else int(dated_ms)
    return UserId(from_text(user)), Erased(int(until_ms), int(generation), dated_ms)


@reports_damage
def user_counts(rows: Iterable[tuple[Any, ...]]) -> dict[UserId, int]:
    """Read users and counts."""
    return {UserId(from_text(user)): int(count) for user, count in rows}


def user_to_row(user: User) -> tuple[Text | int, ...]:
    """Return `USER_COLUMNS`."""
    return (
        to_text(account_key(user.name)),
        to_text(user.id),
        to_text(user.name),
        to_text(user.password_hash),
        to_ms(user.created_at),
        user.is_admin,
        user.is_advised,
    )


@reports_damage
def user_from_row(columns: tuple[Any, ...]) -> User:
    """Read `USER_COLUMNS`."""
    _, user_id, name, password_hash, created_ms, is_admin, is_advised = columns
    return User(
        id=UserId(from_text(user_id)),
        name=from_text(name),
        password_hash=from_text(password_hash),
        created_at=from_ms(created_ms),
        is_admin=bool(int(is_admin)),
        is_advised=bool(int(is_advised)),
    )


def credential_to_row(credential: Credential) -> tuple[Text | bytes | int | None, ...]:
    """Return `CREDENTIAL_COLUMNS`."""
    used_at, secret_hash = credential.last_used_at, credential.secret_hash
    return (
        to_text(credential.id),
        to_text(credential.user_id),
        credential.kind.value,
        to_text(credential.label),
        to_ms(credential.created_at),
        None if used_at is None else to_ms(used_at),
        None if secret_hash is None else to_text(secret_hash),
        credential.ciphertext,
    )


@reports_damage
def credential_from_row(columns: tuple[Any, ...]) -> Credential:
    """Read `CREDENTIAL_COLUMNS`."""
    credential_id, user, kind, label, created_ms, last_used_ms, secret_hash, ciphertext = columns
    return Credential(
        id=from_text(credential_id),
        user_id=UserId(from_text(user)),
        kind=CredentialKind(kind),
        label=from_text(label),
        created_at=from_ms(created_ms),
        last_used_at=None if last_used_ms is None else from_ms(last_used_ms),
        secret_hash=None if secret_hash is None else from_text(secret_hash),
        ciphertext=ciphertext,
    )


def ended_session_to_row(ended: EndedSession) -> tuple[Text | int, ...]:
    """Return `ENDED_SESSION_COLUMNS`."""
    return to_text(ended.digest), to_text(ended.user_id), to_ms(ended.expires_at)


@reports_damage
def ended_session_from_row(columns: tuple[Any, ...]) -> EndedSession:
    """Read `ENDED_SESSION_COLUMNS`."""
    digest, user, expires_ms = columns
    return EndedSession(
        digest=from_text(digest), user_id=UserId(from_text(user)), expires_at=from_ms(expires_ms)
    )
