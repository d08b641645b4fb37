"""Conversion of listens, profiles and accounts to rows of SQLite, and back."""

import json
from collections.abc import Iterable
from typing import Any

from soundalike.domain.listens import Erasure, Listen, ListenKind
from soundalike.domain.profiles import Profile
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.domain.users import Token, User, name_key
from soundalike.store.sqlite.rows import Text, from_text, reports_damage, to_text
from soundalike.wire.profiles import profile_body, profile_from

LISTEN_COLUMNS = "user, at_ms, id, track, kind, position_ms"
PROFILE_COLUMNS = "user, fold, version, count, body"
USER_COLUMNS = "name_key, id, name, password_hash, created_ms"
TOKEN_COLUMNS = "secret_hash, id, user, label, created_ms"  # noqa: S105 - names of columns, not a secret

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
def listens_from_rows(user_id: UserId, rows: Iterable[tuple[Any, ...]]) -> list[Listen]:
    """Read `LISTEN_COLUMNS` of one user's listens."""
    return [
        Listen(
            id=EventId(from_text(event_id)),
            user_id=user_id,
            track_id=TrackId(from_text(track_id)),
            kind=_KINDS[kind],
            position_ms=None if position_ms is None else int(position_ms),
            at_ms=int(at_ms),
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
def profile_from_row(user_id: UserId, columns: tuple[Any, ...]) -> Profile:
    """Read version and body of a user's profile; the version is a digest, so damage is noticed."""
    version, body = columns
    profile = profile_from(json.loads(body))
    if profile is None or profile.user_id != user_id or profile.version != version:
        msg = f"the profile of {user_id!r} is not the one of version {version!r}"
        raise ValueError(msg)
    return profile


@reports_damage
def erasure_from_row(columns: tuple[Any, ...]) -> Erasure:
    """Read a user and a time."""
    user, at_ms = columns
    return Erasure(UserId(from_text(user)), int(at_ms))


@reports_damage
def user_counts(rows: Iterable[tuple[Any, ...]]) -> dict[UserId, int]:
    """Read users and counts."""
    return {UserId(from_text(user)): int(count) for user, count in rows}


def user_to_row(user: User) -> tuple[Text | int, ...]:
    """Return `USER_COLUMNS`."""
    return (
        to_text(name_key(user.name)),
        to_text(user.id),
        to_text(user.name),
        to_text(user.password_hash),
        to_ms(user.created_at),
    )


@reports_damage
def user_from_row(columns: tuple[Any, ...]) -> User:
    """Read `USER_COLUMNS`."""
    _, user_id, name, password_hash, created_ms = columns
    return User(
        id=UserId(from_text(user_id)),
        name=from_text(name),
        password_hash=from_text(password_hash),
        created_at=from_ms(created_ms),
    )


def token_to_row(token: Token) -> tuple[Text | int, ...]:
    """Return `TOKEN_COLUMNS`."""
    return (
        to_text(token.secret_hash),
        to_text(token.id),
        to_text(token.user_id),
        to_text(token.label),
        to_ms(token.created_at),
    )


@reports_damage
def token_from_row(columns: tuple[Any, ...]) -> Token:
    """Read `TOKEN_COLUMNS`."""
    secret_hash, token_id, user, label, created_ms = columns
    return Token(
        id=from_text(token_id),
        user_id=UserId(from_text(user)),
        label=from_text(label),
        secret_hash=from_text(secret_hash),
        created_at=from_ms(created_ms),
    )
