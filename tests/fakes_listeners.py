"""The halves of `MemoryStore` that keep what listeners do and who they are."""

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from soundalike.domain import taste
from soundalike.domain.errors import NameTakenError
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.profiles import Profile
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.types import EventId, ProfileVersion, UserId
from soundalike.domain.users import Token, User, name_key


class MemoryListens:
    """The `ListenStore` port on dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listens: dict[UserId, dict[EventId, Listen]] = {}
        self._profiles: dict[UserId, tuple[int, Profile]] = {}
        self._erased: dict[UserId, int] = {}

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        with self._lock:
            return tuple(listen for listen in listens if self._add(listen))

    def _add(self, listen: Listen) -> bool:
        erased_ms = self._erased.get(listen.user_id)
        of_user = self._listens.setdefault(listen.user_id, {})
        if listen.id in of_user or (erased_ms is not None and listen.at_ms <= erased_ms):
            return False
        of_user[listen.id] = listen
        return True

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        with self._lock:
            found = list(self._listens.get(user_id, {}).values())
        yield from sorted(found, key=lambda listen: listen.order)

    def count_listens(self, user_id: UserId) -> int:
        return len(self._listens.get(user_id, {}))

    def listen_counts(self) -> Mapping[UserId, int]:
        with self._lock:
            return {user_id: len(listens) for user_id, listens in self._listens.items() if listens}

    def profile(self, user_id: UserId) -> Profile | None:
        fold_version, profile = self._profiles.get(user_id, (None, None))
        return profile if fold_version == taste.FOLD_VERSION else None

    def profile_version(self, user_id: UserId) -> ProfileVersion | None:
        profile = self.profile(user_id)
        return None if profile is None else profile.version

    def profile_counts(self) -> Mapping[UserId, int]:
        with self._lock:
            found = [self.profile(user_id) for user_id in self._profiles]
        return {profile.user_id: profile.taste.count for profile in found if profile is not None}

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        user_id = profile.user_id
        with self._lock:
            is_current = self.profile_version(user_id) == replacing
            if not is_current or self._erased.get(user_id) != profile.erased_ms:
                return False
            self._profiles[user_id] = taste.FOLD_VERSION, profile
        return True

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        user_id = erasure.user_id
        with self._lock:
            if user_id in self._erased and erasure.at_ms <= self._erased[user_id] and not is_total:
                return
            self._erased[user_id] = max(erasure.at_ms, self._erased.get(user_id, erasure.at_ms))
            listens = [] if is_total else self.listens_of(user_id)
            left = [one for one in listens if one.at_ms > erasure.at_ms]
            self._listens[user_id] = {listen.id: listen for listen in left}
            self._profiles.pop(user_id, None)

    def erased_ms(self, user_id: UserId) -> int | None:
        return self._erased.get(user_id)

    def erasures(self) -> tuple[Erasure, ...]:
        with self._lock:
            return tuple(Erasure(user_id, at_ms) for user_id, at_ms in sorted(self._erased.items()))


class MemoryAccounts:
    """The `AccountStore` port on dictionaries."""

    def __init__(self) -> None:
        self._accounts_lock = threading.RLock()
        self._users: dict[UserId, User] = {}
        self._tokens: dict[str, Token] = {}

    def has_users(self) -> bool:
        return bool(self._users)

    def users(self) -> tuple[User, ...]:
        with self._accounts_lock:
            return tuple(sorted(self._users.values(), key=lambda user: name_key(user.name)))

    def user(self, user_id: UserId) -> User | None:
        return self._users.get(user_id)

    def user_named(self, name: str) -> User | None:
        return next((user for user in self.users() if name_key(user.name) == name_key(name)), None)

    def add_user(self, user: User) -> None:
        with self._accounts_lock:
            if user.id in self._users or self.user_named(user.name) is not None:
                msg = f"there is an account named {user.name!r} already"
                raise NameTakenError(msg)
            self._users[user.id] = replace(user, created_at=from_ms(to_ms(user.created_at)))

    def save_password(self, user_id: UserId, password_hash: str) -> bool:
        with self._accounts_lock:
            user = self._users.get(user_id)
            if user is not None:
                self._users[user_id] = replace(user, password_hash=password_hash)
        return user is not None

    def remove_user(self, user_id: UserId) -> bool:
        with self._accounts_lock:
            self._tokens = {key: one for key, one in self._tokens.items() if one.user_id != user_id}
            return self._users.pop(user_id, None) is not None

    def add_token(self, token: Token) -> None:
        with self._accounts_lock:
            self._tokens[token.secret_hash] = replace(token, created_at=from_ms(to_ms(token.created_at)))

    def tokens_of(self, user_id: UserId) -> tuple[Token, ...]:
        with self._accounts_lock:
            found = [token for token in self._tokens.values() if token.user_id == user_id]
        return tuple(sorted(found, key=lambda token: (token.created_at, token.id, token.secret_hash)))

    def token_hashed(self, secret_hash: str) -> Token | None:
        return self._tokens.get(secret_hash)

    def remove_token(self, user_id: UserId, token_id: str) -> bool:
        with self._accounts_lock:
            removed = [one.secret_hash for one in self.tokens_of(user_id) if one.id == token_id]
            for secret_hash in removed:
                del self._tokens[secret_hash]
        return bool(removed)
