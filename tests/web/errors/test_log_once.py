"""The same message is logged once, however many requests cause it."""

from soundalike.web.errors.log_once import QUIET_S, LogOnce


def test_a_message_that_keeps_coming_is_new_once() -> None:
    now_s = 5.0
    log_once = LogOnce(lambda: now_s)
    assert log_once.is_new("away")
    for _ in range(10):
        now_s += QUIET_S
        assert not log_once.is_new("away")


def test_a_message_is_new_again_after_it_did_not_come_for_a_while() -> None:
    now_s = 5.0
    log_once = LogOnce(lambda: now_s)
    assert log_once.is_new("away")
    now_s += QUIET_S + 1
    assert log_once.is_new("away")


def test_another_message_is_new_and_several_are_remembered() -> None:
    log_once = LogOnce(lambda: 0.0)
    came = ("away", "full", "full", "away")
    assert [log_once.is_new(text) for text in came] == [True, True, False, False]


def test_only_the_latest_messages_are_remembered() -> None:
    log_once = LogOnce(lambda: 0.0)
    assert all(log_once.is_new(str(number)) for number in range(1000))
    assert not log_once.is_new("999")
    assert log_once.is_new("0")
