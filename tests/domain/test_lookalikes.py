"""Names that look alike are known, whatever alphabets their letters are of."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.domain.lookalikes import invisible_in, looks_like, scripts_of

ALIKE = [
    ("\u0430nn", "ann"),  # one Cyrillic letter
    ("\u0430\u0441\u0435", "ace"),  # all Cyrillic
    ("\u041d\u041e\u0422", "HOT"),
    ("\u041d\u041e\u0422", "hot"),  # in another case
    ("\u0391\u039d\u039d", "Ann"),  # all Greek
    ("\u043e\u0440\u043e", "\u03bf\u03c1\u03bf"),  # Cyrillic and Greek
    ("\u13aa\u13b3\u13ac", "AWE"),  # Cherokee
    ("\u0251nn", "ann"),  # a Latin letter of phonetics
    ("\u0131lse", "ilse"),
    ("\uff41\uff4e\uff4e", "ann"),  # wide letters
    ("\U0001d41a\U0001d427\U0001d427", "ann"),  # bold letters of mathematics
    ("b\u09e6b", "b0b"),  # a Bengali zero
    ("b\u09e6b", "bob"),
    ("\u0406\u0455", "Is"),
    ("\u0406\u0455", "ls"),
    ("ann\u3164", "ann"),  # a letter that is drawn as nothing
    ("\u1160an\u115fn", "\uffa0ann"),
    ("\u0430nn\u2800", "ann"),
]
DIFFERENT = [
    ("ann", "anne"),
    ("arnie", "amie"),
    ("bill", "bi11"),
    ("Zo\u00eb", "Zoe"),
    ("\u00c5nn", "Ann"),
    ("\u0417\u043e\u044f", "Zoe"),
    ("\u7530\u4e2d", "\u7530\u7532"),
]


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_names_look_alike_in_any_case_and_either_order(name: str, other: str) -> None:
    assert looks_like(name, other)
    assert looks_like(other, name)
    assert looks_like(f"{name}.x-1", f"{other}.x-1")


@pytest.mark.parametrize(("name", "other"), DIFFERENT)
def test_names_that_people_can_tell_apart_do_not(name: str, other: str) -> None:
    assert not looks_like(name, other)
    assert not looks_like(other, name)


@given(name=st.text(), other=st.text())
def test_no_name_makes_it_fail(name: str, other: str) -> None:
    assert looks_like(name, other) == looks_like(other, name)
    assert looks_like(name, name) == (not name.isascii())
    assert scripts_of(name) == sorted(scripts_of(name))


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("ann-1.2@x_y", ["Latin"]),
        ("Zo\u00eb", ["Latin"]),
        ("\uff4b\uff45\uff4e", ["Latin"]),
        ("1984", []),
        ("\u0430nn", ["Cyrillic", "Latin"]),
        ("\u03b1nn", ["Greek", "Latin"]),
        ("\u0645\u0631\u064a\u0645\u0663", ["Arabic"]),
        ("\u7530\u4e2d\u3055\u3093", ["East Asian"]),
        ("\u7530\u4e2dKen", ["East Asian"]),
        ("\uae40min", ["East Asian"]),
        ("\u7530\u4e2d\u0430", ["Cyrillic", "East Asian"]),
    ],
)
def test_letters_that_are_written_together_are_of_one_alphabet(name: str, scripts: list[str]) -> None:
    assert scripts_of(name) == scripts


# Marks before digits, which are drawn although they are of the category of format characters.
PREPENDED = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
ANNOTATIONS_AND_HIEROGLYPHS = re.compile("[\ufff9-\ufffb\U00013430-\U0001343f]")
OTHER_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2065\u3164\uffa0\ufff0-\ufff8\U000e0000\U000e0002-\U000e001f"
    "\U000e0080-\U000e00ff\U000e01f0-\U000e0fff]"
)


def is_default_ignorable(letter: str) -> bool:
    """Derive Default_Ignorable_Code_Point as the head of it in DerivedCoreProperties.txt says."""
    is_format = unicodedata.category(letter) == "Cf"
    is_variation = re.match("(MONGOLIAN FREE )?VARIATION SELECTOR", unicodedata.name(letter, "")) is not None
    is_drawn = PREPENDED.match(letter) or ANNOTATIONS_AND_HIEROGLYPHS.match(letter)
    return bool(OTHER_IGNORABLE.match(letter)) or ((is_format or is_variation) and not is_drawn)


def test_all_that_unicode_has_drawn_as_nothing_is_invisible_and_blank_signs_are_too() -> None:
    blank = {"\u2800", "\U0001d159", "\U00013441", "\U00013442", "\U00016fe4"}
    found = {letter for letter in map(chr, range(sys.maxunicode + 1)) if invisible_in(letter)}
    ignorable = {letter for letter in map(chr, range(sys.maxunicode + 1)) if is_default_ignorable(letter)}
    assert found == ignorable | blank


def test_the_invisible_characters_of_a_name_are_named_once_each() -> None:
    assert invisible_in("ann") == invisible_in("\u6797\ud55c") == []
    assert invisible_in("a\u3164n\u3164n\u200b") == ["U+200B ZERO WIDTH SPACE", "U+3164 HANGUL FILLER"]
    assert invisible_in("\u2065") == ["U+2065"]
