"""The entities of users: accounts, credentials, ended sessions, erasures, listens, profiles."""

import json
from collections.abc import Iterator
from typing import Any

from soundalike.domain.errors import CopyError, StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import Profile
from soundalike.domain.times import to_ms
from soundalike.domain.users import Credential, CredentialKind, EndedSession, User, account_key
from soundalike.services.entities.entity import Entity, Export, UserData, fields, one_by_one
from soundalike.wire.accounts import account_body, credential_body, token_body
from soundalike.wire.listens import listen_body
from soundalike.wire.profiles import profile_body


def _save_account(store: Store, user: User) -> None:
    if store.user(user.id) is None:
        store.add_user(user)
    else:
        store.save_password(user.id, user.password_hash)
        store.save_admin(user.id, is_admin=user.is_admin)
        if user.is_advised:
            store.save_advised(user.id)


# `Accounts.remove` removes an account with its credentials and ended sessions, once all else is erased.
ACCOUNTS: Entity[User] = Entity(
    kind="accounts",
    read=lambda store: store.users(),
    order=lambda user: account_key(user.name),
    key=lambda user: user.id,
    name=lambda user: f"account {user.name!r}",
    content=lambda user: fields(
        user.id, user.name, user.password_hash, to_ms(user.created_at), user.is_admin, user.is_advised
    ),
    write=one_by_one(_save_account),
    remove=lambda _source, target, user: target.remove_user(user.id),
    exports=[Export("account", lambda data: account_body(data.user_id, data.store.user(data.user_id)))],
)


def _credentials(store: Store) -> Iterator[Credential]:
    for user_id in sorted(user.id for user in store.users()):
        yield from store.credentials_of(user_id)


def _credential_content(one: Credential) -> bytes:
    used_at = one.last_used_at
    return fields(
        one.id,
        one.user_id,
        one.kind.value,
        one.label,
        to_ms(one.created_at),
        None if used_at is None else to_ms(used_at),
        one.secret_hash,
        one.ciphertext,
    )


def _token_bodies(data: UserData) -> list[dict[str, Any]]:
    found = data.store.credentials_of(data.user_id)
    return [token_body(one) for one in found if one.kind is CredentialKind.TOKEN]


CREDENTIALS: Entity[Credential] = Entity(
    kind="credentials",
    read=_credentials,
    order=lambda credential: credential.user_id,
    key=lambda credential: credential,
    name=lambda credential: f"{credential.kind.value} {credential.id!r} of {credential.user_id!r}",
    content=_credential_content,
    write=one_by_one(lambda store, credential: store.add_credential(credential)),
    remove=lambda _source, target, credential: target.remove_credential(credential.user_id, credential.id),
    exports=[
        Export("tokens", _token_bodies),
        Export("credentials", lambda data: [*map(credential_body, data.store.credentials_of(data.user_id))]),
    ],
)

# Who logged out stays logged out where the store is copied to.
ENDED_SESSIONS: Entity[EndedSession] = Entity(
    kind="ended sessions",
    read=lambda store: store.ended_sessions(),
    order=lambda ended: ended.digest,
    name=lambda ended: f"ended session {ended.digest[:8]!r} of {ended.user_id!r}",
    content=lambda ended: fields(ended.digest, ended.user_id, to_ms(ended.expires_at)),
    write=one_by_one(lambda store, ended: store.add_ended_session(ended)),
    # The first store has forgotten it, and all that expired before it.
    remove=lambda _source, target, ended: target.forget_ended_sessions(ended.expires_at),
)


def _save_erasure(store: Store, erasure: Erasure) -> None:
    store.erase_listens(erasure)
    store.lower_mark(erasure)  # it may have been lowered since the copy was interrupted


ERASURES: Entity[Erasure] = Entity(
    kind="erasures",
    read=lambda store: store.erasures(),
    order=lambda erasure: erasure.user_id,
    key=lambda erasure: (erasure.user_id, erasure.generation is None),
    name=lambda erasure: f"erasure of {erasure.user_id!r}",
    content=lambda erasure: fields(erasure.user_id, erasure.at_ms, *_generation(erasure)),
    write=one_by_one(_save_erasure),
)


def _generation(erasure: Erasure) -> tuple[int, ...]:
    """Return nothing for an erasure without a number: such ones have the checksums that they always had."""
    return () if erasure.generation is None else (erasure.generation,)


def _listens(store: Store) -> Iterator[Listen]:
    for user_id in sorted(store.listen_counts()):
        try:
            yield from store.listens_of(user_id)
        except (StoreBusyError, StoreUnavailableError):
            raise
        except StoreError as error:
            msg = f"the listens of {user_id!r}: {error}"
            raise CopyError(msg) from error


def _erase_user(source: Store, target: Store, one: Listen | Profile) -> None:
    """Erase all of a user who was erased since the last copy, whatever the dates of their listens."""
    erased = source.erased(one.user_id)
    if erased.until_ms is not None and not source.count_listens(one.user_id):
        target.erase_listens(Erasure(one.user_id, erased.until_ms, erased.generation or None), is_total=True)


LISTENS: Entity[Listen] = Entity(
    kind="listens",
    read=_listens,
    order=lambda listen: (listen.user_id, listen.at_ms),
    key=lambda listen: listen,
    name=lambda listen: f"listen {listen.id!r} of {listen.user_id!r}",
    content=lambda one: fields(one.id, one.user_id, one.track_id, one.kind.value, one.position_ms, one.at_ms),
    write=lambda store, listens: store.add_listens(listens),
    batch=2_000,
    remove=_erase_user,
    count=lambda store: sum(store.listen_counts().values()),
    exports=[Export("listens", lambda data: map(listen_body, data.store.listens_of(data.user_id)))],
    erase=lambda store, erasure: store.erase_listens(erasure),  # with the profile
)


def _profiles(store: Store) -> Iterator[Profile]:
    found = (store.profile(user_id) for user_id in sorted(store.profile_counts()))
    return (profile for profile in found if profile is not None)


def _save_profile(store: Store, profile: Profile) -> None:
    store.save_profile(profile, replacing=store.profile_version(profile.user_id))


PROFILES: Entity[Profile] = Entity(
    kind="profiles",
    read=_profiles,
    order=lambda profile: profile.user_id,
    name=lambda profile: f"profile of {profile.user_id!r}",
    content=lambda profile: json.dumps(profile_body(profile), sort_keys=True).encode(),
    write=one_by_one(_save_profile),
    remove=_erase_user,
    count=lambda store: len(store.profile_counts()),
    exports=[Export("profile", lambda data: profile_body(data.profile))],
)
