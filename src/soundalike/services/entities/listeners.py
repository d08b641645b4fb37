"""The entities of users: accounts, tokens, erasures, listens, profiles."""

import json
from collections.abc import Iterator

from soundalike.domain.errors import CopyError, StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import Profile
from soundalike.domain.times import to_ms
from soundalike.domain.types import UserId
from soundalike.domain.users import Token, User, name_key
from soundalike.services.entities.entity import Entity, Export, fields, one_by_one
from soundalike.wire.accounts import account_body, token_body
from soundalike.wire.listens import listen_body
from soundalike.wire.profiles import profile_body


def _save_account(store: Store, user: User) -> None:
    if store.user(user.id) is None:
        store.add_user(user)
    else:
        store.save_password(user.id, user.password_hash)


def _is_account_from(source: Store, user: User) -> bool:
    known = source.user(user.id)
    if known is None:
        return source.erased_ms(user.id) is not None  # an account goes with an erasure
    return (known.name, known.created_at) == (user.name, user.created_at)


# `Accounts.remove` removes an account with its tokens, after all else of its user is erased.
ACCOUNTS: Entity[User] = Entity(
    kind="accounts",
    read=lambda store: store.users(),
    order=lambda user: name_key(user.name),
    key=lambda user: user.id,
    name=lambda user: f"account {user.name!r}",
    content=lambda user: fields(user.id, user.name, user.password_hash, to_ms(user.created_at)),
    write=one_by_one(_save_account),
    remove=lambda source, target, user: source.erased_ms(user.id) is not None and target.remove_user(user.id),
    is_from=_is_account_from,
    export=Export("account", lambda data: account_body(data.user_id, data.store.user(data.user_id))),
)


def _tokens(store: Store) -> Iterator[Token]:
    for user_id in sorted(user.id for user in store.users()):
        yield from store.tokens_of(user_id)


TOKENS: Entity[Token] = Entity(
    kind="tokens",
    read=_tokens,
    order=lambda token: token.user_id,
    key=lambda token: token,
    name=lambda token: f"token {token.id!r} of {token.user_id!r}",
    content=lambda token: fields(
        token.id, token.user_id, token.label, token.secret_hash, to_ms(token.created_at)
    ),
    write=one_by_one(lambda store, token: store.add_token(token)),
    remove=lambda _source, target, token: target.remove_token(token.user_id, token.id),
    is_from=lambda _source, _token: True,
    export=Export("tokens", lambda data: list(map(token_body, data.store.tokens_of(data.user_id)))),
)


def _is_erasure_from(source: Store, erasure: Erasure) -> bool:
    erased_ms = source.erased_ms(erasure.user_id)
    return erased_ms is not None and erased_ms >= erasure.at_ms


ERASURES: Entity[Erasure] = Entity(
    kind="erasures",
    read=lambda store: store.erasures(),
    order=lambda erasure: erasure.user_id,
    name=lambda erasure: f"erasure of {erasure.user_id!r}",
    content=lambda erasure: fields(erasure.user_id, erasure.at_ms),
    write=one_by_one(lambda store, erasure: store.erase_listens(erasure)),
    is_from=_is_erasure_from,
)


def _listens(store: Store) -> Iterator[Listen]:
    for user_id in sorted(store.listen_counts()):
        try:
            yield from store.listens_of(user_id)
        except (StoreBusyError, StoreUnavailableError):
            raise
        except StoreError as error:
            msg = f"the listens of {user_id!r}: {error}"
            raise CopyError(msg) from error


def _is_erased(store: Store, user_id: UserId) -> bool:
    return store.erased_ms(user_id) is not None and store.count_listens(user_id) == 0


def _is_listen_from(source: Store, listen: Listen) -> bool:
    erased_ms = source.erased_ms(listen.user_id)
    is_hidden = erased_ms is not None and listen.at_ms <= erased_ms
    return is_hidden or _is_erased(source, listen.user_id)


def _erase_user(source: Store, target: Store, one: Listen | Profile) -> None:
    """Erase all of a user who was erased since the last copy, whatever the dates of their listens."""
    erased_ms = source.erased_ms(one.user_id)
    is_left = target.count_listens(one.user_id) or target.profile_version(one.user_id) is not None
    if erased_ms is not None and is_left and _is_erased(source, one.user_id):
        target.erase_listens(Erasure(one.user_id, erased_ms), is_total=True)


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
    is_from=_is_listen_from,
    count=lambda store: sum(store.listen_counts().values()),
    export=Export("listens", lambda data: map(listen_body, data.store.listens_of(data.user_id))),
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
    is_from=lambda source, profile: (
        source.profile_version(profile.user_id) is not None or _is_erased(source, profile.user_id)
    ),
    count=lambda store: len(store.profile_counts()),
    export=Export("profile", lambda data: profile_body(data.profile)),
)
