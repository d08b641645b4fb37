"""The same trouble is told once, however many requests meet it."""

from soundalike.web.errors.log_once import QUIET_S, Repeats


def test_the_same_is_news_once_as_long_as_it_goes_on() -> None:
    now_s = 5.0
    repeats = Repeats(lambda: now_s)
    assert repeats.is_news("away")
    for _ in range(10):
        now_s += QUIET_S
        assert not repeats.is_news("away")


def test_it_is_news_again_after_a_while_of_silence() -> None:
    now_s = 5.0
    repeats = Repeats(lambda: now_s)
    assert repeats.is_news("away")
    now_s += QUIET_S + 1
    assert repeats.is_news("away")


def test_another_trouble_is_news() -> None:
    repeats = Repeats(lambda: 0.0)
    assert [repeats.is_news(words) for words in ("away", "full", "full", "away")] == [True, True, False, True]
