"""Passwords as argon2id hashes."""

import threading

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2


class Argon2Hasher:
    """The `PasswordHasher` port by argon2id, at the library's own cost (RFC 9106, low memory).

    Each hash takes 64 MiB while it is made, so only two are made at once however many log in.
    """

    def __init__(self) -> None:
        self._argon2 = Argon2()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

    def hash(self, password: str) -> str:
        """Return a salted hash that says how it was made."""
        with self._turn:
            return self._argon2.hash(_bytes(password))

    def is_right(self, password: str, password_hash: str) -> bool:
        """Whether a password has this hash; a hash that is none has no password."""
        try:
            with self._turn:
                return self._argon2.verify(_bytes(password_hash), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
