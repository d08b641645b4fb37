"""Passwords: argon2id hashes, and which ones are easy to guess."""

import math
import threading
import unicodedata
from collections.abc import Sequence

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2

# zxcvbn calls fewer "very guessable": about what an attacker tries at a login that limits attempts.
_ENOUGH_GUESSES = 10**6
# Its time grows exponentially with the letters that signs may stand for, and with length. What is easy to
# guess is so within this much; what has more such signs is not.
_EXAMINED = 24
_MOST_READINGS = 64

# zxcvbn knows Latin keyboards and words alone: what is typed on the same keys of a Russian keyboard.
_SAME_KEYS = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.")

_OF_KNOWN = "it is made of your name or another word that everybody knows of you"
_REASONS = {
    "spatial": "its keys lie side by side on the keyboard",
    "repeat": "it repeats itself",
    "sequence": "it is a sequence, as abc and 6543 are",
    "regex": "it is little more than a date",
    "date": "it is little more than a date",
}
_OTHERWISE = "it is little more than a common word or name"


class Argon2Hasher:
    """The `PasswordHasher` port by argon2id, at the library's own cost (RFC 9106, low memory), and zxcvbn.

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

    def weakness(self, password: str, known: Sequence[str]) -> str | None:
        """Return why a password is easy to guess, as a sentence without its end; None if it is not."""
        return find_weakness(password, known)


_judging = threading.Lock()  # zxcvbn keeps what is known of the user in a global


def find_weakness(password: str, known: Sequence[str]) -> str | None:
    """Return why a password is easy to guess, as a sentence without its end; None if it is not.

    So is one that is so in other forms of its letters (Unicode NFKC), without its spaces, or if the keys on
    which its Cyrillic letters are typed had Latin ones.

    Parameters
    ----------
    password : str
        The password.
    known : sequence of str
        What everybody knows of its user, the name above all.
    """
    plain = _plain(password)
    known = list(dict.fromkeys([*known, *map(_plain, known)]))
    close = "".join(plain.split())
    forms = dict.fromkeys((password, plain, close, close.lower().translate(_SAME_KEYS)))
    return next((why for form in forms if (why := _weakness(form, known))), None)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _weakness(password: str, known: Sequence[str]) -> str | None:
    from zxcvbn import matching, zxcvbn  # noqa: PLC0415 - 14 MB of words that few commands need

    if any(_is_little_more(password, word) for word in known):
        return _OF_KNOWN
    signs = set(password[:_EXAMINED])
    readings = math.prod(max(1, len(signs.intersection(few))) for few in matching.L33T_TABLE.values())
    if readings > _MOST_READINGS:
        return None
    with _judging:
        judged = zxcvbn(password[:_EXAMINED], [word for word in known if word])
    if judged["guesses"] >= _ENOUGH_GUESSES:
        return None
    longest = max(judged["sequence"], key=lambda match: len(match["token"]))
    dictionary = longest.get("dictionary_name")
    if dictionary == "passwords":
        return "it is one of the most common passwords, or little more"
    return _OF_KNOWN if dictionary == "user_inputs" else _REASONS.get(longest["pattern"], _OTHERWISE)


def _is_little_more(password: str, word: str) -> bool:
    """Whether a password has no letters but those of a word, forwards or backwards."""
    folded, word = password.casefold(), word.casefold()
    rest = folded.replace(word, "").replace(word[::-1], "") if word else folded
    return rest != folded and not any(map(str.isalpha, rest))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
