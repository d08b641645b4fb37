"""Passwords that are easy to guess are known in bounded time."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import zxcvbn
from hypothesis import given
from hypothesis import strategies as st

from soundalike.passwords import find_weakness


@pytest.mark.parametrize("password", ["4@8({[<3691!|70$5+%2", "(90271[8@6<4{$|5" * 64, "k3jd8s2m" * 128])
def test_no_password_takes_long(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    """zxcvbn took 200 s for 64 characters of which each may stand for another one."""
    asked: list[str] = []
    judge = zxcvbn.zxcvbn

    def recorded(given: str, known: Sequence[str]) -> Any:
        asked.append(given)
        return judge(given, known)

    monkeypatch.setattr(zxcvbn, "zxcvbn", recorded)
    assert find_weakness(password, ["ann"]) is None or "k3jd" in password
    assert all(len(one) <= 24 and len(set(one) & set("4@8({[<3691!|70$5+%2")) < 12 for one in asked)


@given(password=st.text(min_size=8, max_size=30), known=st.lists(st.text(max_size=10), max_size=3))
def test_no_password_and_no_name_makes_it_fail(password: str, known: list[str]) -> None:
    assert find_weakness(password, known) is None or find_weakness(password, known)


@given(
    name=st.text(st.characters(codec="ascii", categories=["L"]), min_size=4, max_size=12),
    number=st.integers(0, 10**9),
)
def test_a_name_with_digits_is_weak_wherever_they_are(name: str, number: int) -> None:
    for password in (f"{name}{number:06}", f"{number:06}{name}", f"{name}_{number}{name}", name[::-1] * 2):
        assert find_weakness(password, [name])


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("keys", ["qwertyui", "gfhjkm1234"])
def test_what_is_weak_on_a_latin_keyboard_is_weak_on_a_russian_one(
    keys: str, change: Callable[[str], str]
) -> None:
    latin = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
    russian = (
        "\u0439\u0446\u0443\u043a\u0435\u043d\u0433\u0448\u0449\u0437\u0445\u044a"
        "\u0444\u044b\u0432\u0430\u043f\u0440\u043e\u043b\u0434\u0436\u044d"
        "\u044f\u0447\u0441\u043c\u0438\u0442\u044c\u0431\u044e"
    )
    assert find_weakness(change(keys.translate(str.maketrans(latin, russian))), ["ann"])
