"""Passwords as argon2id hashes."""

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Hasher:
    """The `PasswordHasher` port by argon2id, at the library's own cost (RFC 9106, low memory)."""

    def __init__(self) -> None:
        self._argon2 = Argon2()

    def hash(self, password: str) -> str:
        """Return a salted hash that says how it was made."""
        return self._argon2.hash(password)

    def is_right(self, password: str, password_hash: str) -> bool:
        """Whether a password has this hash; a hash that is none has no password."""
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
