"""Search words and sort keys: the one place that decides which letters are the same."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Blocks where letters have a stroke, hook or bar that Unicode does not decompose.
_BARRED_BLOCKS = ((0x00C0, 0x058F), (0x1D00, 0x1EFF), (0x2C60, 0x2C7F), (0xA640, 0xA7FF), (0xAB30, 0xAB6F))
_BARRED = re.compile(r"((?:LATIN|CYRILLIC) SMALL LETTER .+?) WITH ")


def _barred_letters() -> Iterator[tuple[str, str]]:
    """Pair each letter such as ``ø`` ("O WITH STROKE") with the letter it is a form of."""
    for first, last in _BARRED_BLOCKS:
        for code in range(first, last + 1):
            character = chr(code)
            match = _BARRED.match(unicodedata.name(character, ""))
            if match and not unicodedata.decomposition(character):
                try:
                    yield character, unicodedata.lookup(match[1])
                except KeyError:
                    continue


# Apostrophes first, since NFKD turns some into spaces.
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛ʼʻʹʾʿ´`′\u0374\u1fef\u1ffd", "'"))
_PLAIN = str.maketrans(
    dict(_barred_letters())
    | {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i", "ŋ": "n", "ə": "e", "ĸ": "k"}
    | {"ʉ": "u", "ɵ": "o"}
)

# Scripts written without spaces, where each letter is a word: first and last code point.
_CJK = (
    (0x1100, 0x11FF), (0x2E80, 0x2FFF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3040, 0x312F),
    (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF), (0x1AFF0, 0x1B16F),
)  # fmt: skip
_IDEOGRAPHIC_PLANES = range(0x20000, 0x40000)  # some are newer than this Python's tables
_PICTOGRAPHS = range(0x1F000, 0x1FB00)  # the same
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{1,2}")
_ASCII_WORD = re.compile("[A-Za-z0-9]+")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_OTHER_EMOJI = frozenset("↔◻◼◽◾〰〽")  # not "other symbols" in Unicode
_ZERO_WIDTH_SPACE = "\u200b"


def fold_letters(text: str) -> str:
    """Remove differences of case, marks and look-alikes: ``fold_letters("Ólafur BJÖRK") == "olafur bjork"``.

    NFKD, marks dropped, casefolded, ``ø`` to ``o`` and its like; then composed again, which only
    Hangul needs. Surrogates and control characters become spaces; joiners, direction marks and skin
    tones are removed. Folding twice changes nothing, and no text makes it fail.
    """
    if text.isascii() and text.isprintable():
        return text.translate(_APOSTROPHES).lower()  # most names, at a tenth of the time
    # Casefolding brings marks back (İ), and NFKD capitals (™): twice removes both.
    return unicodedata.normalize("NFC", _fold_once(_fold_once(text)))


def words(text: str) -> tuple[str, ...]:
    """Split a query into folded words, in order, repeats included.

    Runs of letters and digits are words (an apostrophe inside one does not split it); each emoji and
    each CJK character is one word; everything else only separates, except that a text of nothing
    else (``!!!``) is one word.
    """
    folded = fold_letters(text)
    return tuple(_split(folded.replace("'", ""))) or tuple(folded.split())


@lru_cache(maxsize=4_096)  # artists and albums come again with their next track
def index_words(text: str) -> frozenset[str]:
    """Return the folded words under which a text is found: its `words`, and other ways to type them.

    ``O'Connor`` is found by ``oconnor`` and ``connor``, ``AC/DC`` by ``ac dc`` and ``acdc``, and
    ``÷ (Deluxe)`` by ``÷``.
    """
    folded = fold_letters(text)
    if folded.isascii() and folded.replace(" ", "").isalnum():
        return frozenset(folded.split())  # most names, at a tenth of the time
    joined = "".join(c for c in folded if c.isspace() or _is_in_word(c))
    signs = (part for part in folded.split() if not any(map(_is_in_word, part)))
    return frozenset(words(text)).union(_split(folded), _split(joined), signs)


def sort_key(text: str | None) -> str | None:
    """Return the text by whose code points names are ordered, or None for a missing name."""
    return None if text is None else " ".join(fold_letters(text).split())


def _fold_once(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    return "".join(map(_bare, decomposed)).casefold().translate(_PLAIN)


def _bare(character: str) -> str:
    """Return the character, a space instead of it, or nothing."""
    if character.isascii():
        return character if character.isprintable() else " "
    category = unicodedata.category(character)
    if category in {"Cs", "Cc"} or character == _ZERO_WIDTH_SPACE:
        return " "
    is_dropped = category[0] == "M" or category == "Cf" or ord(character) in _SKIN_TONES
    return "" if is_dropped else character


def _split(folded: str) -> list[str]:
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    return "".join(map(_spaced, _FLAG.sub(r" \g<0> ", folded))).split()


def _spaced(character: str) -> str:
    if _is_own_word(character):
        return f" {character} "
    return character if _is_in_word(character) else " "


def _is_in_word(character: str) -> bool:
    return character.isalnum() or ord(character) in _FLAG_LETTERS or _is_own_word(character)


def _is_own_word(character: str) -> bool:
    if character.isascii():
        return False
    code = ord(character)
    if code in _IDEOGRAPHIC_PLANES or code in _PICTOGRAPHS or character in _OTHER_EMOJI:
        return code not in _FLAG_LETTERS
    if character.isalnum():
        return any(first <= code <= last for first, last in _CJK)
    return unicodedata.category(character) == "So"
