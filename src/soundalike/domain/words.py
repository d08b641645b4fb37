"""The one place that decides which letters are the same: search words and sort keys."""

import unicodedata
from collections.abc import Iterator

# Letters that Unicode does not decompose, though people type them without their stroke.
_PLAIN = str.maketrans(
    {
        "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d",
        "þ": "th", "Þ": "th", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ħ": "h", "Ħ": "h",
        "ı": "i", "ŋ": "n", "Ŋ": "n", "ŧ": "t", "Ŧ": "t", "ƒ": "f", "ə": "e", "Ə": "e",
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'",
    }
)  # fmt: skip

# Scripts written without spaces, where each character is a word: first and last code point.
_CJK = (
    (0x2E80, 0x2FFF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3040, 0x30FF), (0x3100, 0x312F),
    (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F), (0x20000, 0x323AF),
)  # fmt: skip


def fold(text: str) -> str:
    """Fold case, marks and look-alikes away: ``fold("Ólafur BJÖRK") == "olafur bjork"``.

    NFKD, marks dropped, casefolded, ``ø`` to ``o`` and its like; then composed again, which only
    Hangul needs. Surrogates and control characters become spaces, so any string may be stored.

    Parameters
    ----------
    text : str
        Any string, lone surrogates and NUL included.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    bare = "".join(_plain_character(character) for character in decomposed)
    # Casefolding can bring marks back (İ) and NFKD can bring cased letters: once more settles both.
    folded = unicodedata.normalize("NFKD", bare.casefold().translate(_PLAIN))
    return unicodedata.normalize("NFC", "".join(_plain_character(c) for c in folded))


def words(text: str) -> tuple[str, ...]:
    """Split folded text into words, in order, repeats included.

    Runs of letters and digits are words (an apostrophe inside one does not split it); each emoji and
    each CJK character is a word of its own; everything else only separates.
    """
    return tuple(_split(fold(text)))


def sort_key(text: str | None) -> str | None:
    """Return the text by which names are ordered, or None for a missing one."""
    return None if text is None else " ".join(fold(text).split())


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Mn", "Me"}:
        return ""
    return " " if category in {"Cs", "Cc"} else character


def _split(folded: str) -> Iterator[str]:
    word = ""
    for character in folded:
        if character == "'":
            continue
        if character.isalnum() and not _is_own_word(character):
            word += character
            continue
        if word:
            yield word
            word = ""
        if _is_own_word(character):
            yield character
    if word:
        yield word


def _is_own_word(character: str) -> bool:
    code = ord(character)
    if any(first <= code <= last for first, last in _CJK):
        return character.isalnum()
    return unicodedata.category(character) in {"So", "Sk"} and code > 0x203B  # noqa: PLR2004 - below stand (c), (r), degree
