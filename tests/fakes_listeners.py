"""The halves of `MemoryStore` that keep what listeners do and who they are."""

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from soundalike.domain import taste
from soundalike.domain.errors import NameTakenError
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, Listen
from soundalike.domain.profiles import Profile
from soundalike.domain.times import from_ms, to_ms
from soundalike.domain.types import EventId, ProfileVersion, UserId
from soundalike.domain.users import Credential, EndedSession, User, account_key


class MemoryListens:
    """The `ListenStore` port on dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listens: dict[UserId, dict[EventId, Listen]] = {}
        self._profiles: dict[UserId, tuple[int, Profile]] = {}
        self._erased: dict[UserId, Erased] = {}

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        with self._lock:
            return tuple(added for listen in listens if (added := self._add(listen)))

    def _add(self, listen: Listen) -> Listen | None:
        erased = self.erased(listen.user_id)
        of_user = self._listens.setdefault(listen.user_id, {})
        if listen.id in of_user or erased.hides(listen):
            return None
        of_user[listen.id] = replace(listen, generation=erased.generation)
        return of_user[listen.id]

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        with self._lock:
            found = list(self._listens.get(user_id, {}).values())
        yield from sorted(found, key=lambda listen: listen.order)

    def count_listens(self, user_id: UserId) -> int:
        return len(self._listens.get(user_id, {}))

    def count_and_erased(self, user_id: UserId) -> tuple[int, Erased]:
        return self.count_listens(user_id), self.erased(user_id)

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
            if not is_current or self.erased(user_id) != profile.erased:
                return False
            self._profiles[user_id] = taste.FOLD_VERSION, profile
        return True

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        user_id = erasure.user_id
        with self._lock:
            before = self.erased(user_id)
            is_emptied = before.is_emptied_by(erasure, is_total=is_total)
            after = before.after(erasure, is_total=is_total)
            if after == before and not is_emptied:
                return
            self._erased[user_id] = after
            listens = [] if is_emptied else self.listens_of(user_id)
            self._listens[user_id] = {one.id: one for one in listens if not after.hides(one)}
            self._profiles.pop(user_id, None)

    def lower_mark(self, erasure: Erasure) -> None:
        user_id = erasure.user_id
        with self._lock:
            before = self.erased(user_id)
            after = before.lowered(erasure)
            if after != before:
                self._erased[user_id] = after
                self._profiles.pop(user_id, None)

    def erased(self, user_id: UserId) -> Erased:
        return self._erased.get(user_id, NOTHING_ERASED)

    def erasures(self) -> tuple[Erasure, ...]:
        with self._lock:
            return tuple(
                one for user_id, erased in sorted(self._erased.items()) for one in erased.erasures(user_id)
            )


class MemoryAccounts:
    """The `AccountStore` port on dictionaries."""

    def __init__(self) -> None:
        self._accounts_lock = threading.RLock()
        self._users: dict[UserId, User] = {}
        self._credentials: list[Credential] = []
        self._ended: dict[str, EndedSession] = {}

    def has_users(self) -> bool:
        return bool(self._users)

    def users(self) -> tuple[User, ...]:
        with self._accounts_lock:
            return tuple(sorted(self._users.values(), key=lambda user: account_key(user.name)))

    def user(self, user_id: UserId) -> User | None:
        return self._users.get(user_id)

    def user_named(self, name: str) -> User | None:
        return next((user for user in self.users() if account_key(user.name) == account_key(name)), None)

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

    def save_admin(self, user_id: UserId, *, is_admin: bool) -> bool:
        with self._accounts_lock:
            user = self._users.get(user_id)
            if user is not None:
                self._users[user_id] = replace(user, is_admin=is_admin)
        return user is not None

    def save_advised(self, user_id: UserId) -> bool:
        with self._accounts_lock:
            user = self._users.get(user_id)
            if user is not None:
                self._users[user_id] = replace(user, is_advised=True)
        return user is not None

    def remove_user(self, user_id: UserId) -> bool:
        with self._accounts_lock:
            self._ended = {key: one for key, one in self._ended.items() if one.user_id != user_id}
            self._credentials = [one for one in self._credentials if one.user_id != user_id]
            removed = self._users.pop(user_id, None)
            if removed and self._users and not any(user.is_admin for user in self._users.values()):
                first = min(self._users.values(), key=lambda user: (user.created_at, user.id))
                self.save_admin(first.id, is_admin=True)
        return removed is not None

    def add_credential(self, credential: Credential) -> None:
        used_at = credential.last_used_at
        to_the_millisecond = replace(
            credential,
            created_at=from_ms(to_ms(credential.created_at)),
            last_used_at=None if used_at is None else from_ms(to_ms(used_at)),
        )
        with self._accounts_lock:
            self._credentials.append(to_the_millisecond)

    def credentials_of(self, user_id: UserId) -> tuple[Credential, ...]:
        with self._accounts_lock:
            found = [one for one in self._credentials if one.user_id == user_id]
        return tuple(sorted(found, key=lambda one: (one.created_at, one.id, one.secret_hash or "")))

    def credential_hashed(self, secret_hash: str) -> Credential | None:
        with self._accounts_lock:
            return next((one for one in self._credentials if one.secret_hash == secret_hash), None)

    def remove_credential(self, user_id: UserId, credential_id: str) -> bool:
        with self._accounts_lock:
            left = [one for one in self._credentials if (one.user_id, one.id) != (user_id, credential_id)]
            is_removed = len(left) < len(self._credentials)
            self._credentials = left
        return is_removed

    def add_ended_session(self, ended: EndedSession) -> None:
        with self._accounts_lock:
            if ended.user_id in self._users:
                expires_at = from_ms(to_ms(ended.expires_at))
                self._ended.setdefault(ended.digest, replace(ended, expires_at=expires_at))

    def is_session_ended(self, digest: str) -> bool:
        return digest in self._ended

    def ended_sessions(self) -> Iterator[EndedSession]:
        with self._accounts_lock:
            found = sorted(self._ended.items())
        yield from (ended for _, ended in found)

    def forget_ended_sessions(self, now: datetime) -> None:
        with self._accounts_lock:
            self._ended = {key: one for key, one in self._ended.items() if one.expires_at > now}
