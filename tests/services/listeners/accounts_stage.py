"""Accounts over a store in memory, as their tests use them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from fakes import MemoryStore
from soundalike.domain.types import UserId
from soundalike.domain.users import User
from soundalike.passwords import find_weakness
from soundalike.services.listeners.accounts import Accounts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse"  # noqa: S105 - of nobody
OTHER = "battery staple"


class Hasher:
    """Hashes that a test can read, and a list of what was compared."""

    def __init__(self) -> None:
        self.compared: list[tuple[str, str]] = []

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def is_right(self, password: str, password_hash: str) -> bool:
        self.compared.append((password, password_hash))
        return password_hash == f"hash of {password}"

    def weakness(self, password: str, known: Sequence[str]) -> str | None:
        return find_weakness(password, known)


class AccountsStage:
    """Accounts over a store in memory, with numbers for ids and secrets."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.hasher = Hasher()
        numbers = count(1)
        self.accounts = Accounts(
            self.store,
            self.store,
            self.hasher,
            clock=lambda: NOW,
            new_secret=lambda: f"{next(numbers):043d}",
            new_id=lambda: f"id{next(numbers)}",
        )
        self.erased: list[UserId] = []

    def remove(self, user: User) -> None:
        self.accounts.remove(user.id, erase=self.erased.append)
