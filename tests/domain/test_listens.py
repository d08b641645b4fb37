"""What erasures hide: earlier generations, and by date what names none."""

from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from making import make_listen
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, Listen
from soundalike.domain.types import UserId

ADA = UserId("ada")

listens = st.builds(
    make_listen, st.integers(0, 9), at_ms=st.integers(0, 9), generation=st.none() | st.integers(0, 4)
)
erasures = st.builds(Erasure, st.just(ADA), st.integers(0, 9), st.none() | st.integers(1, 4))


def erased(*erasures: Erasure) -> Erased:
    found = NOTHING_ERASED
    for erasure in erasures:
        found = found.after(erasure)
    return found


def test_nothing_is_hidden_at_first() -> None:
    assert not NOTHING_ERASED.hides(make_listen(at_ms=0))
    assert not NOTHING_ERASED.hides(make_listen(at_ms=0, generation=0))
    assert list(NOTHING_ERASED.erasures(ADA)) == []


def test_an_earlier_generation_is_hidden_whatever_the_clocks_say() -> None:
    fast_clock = erased(Erasure(ADA, 1_000, 1))
    assert fast_clock.hides(make_listen(at_ms=2_000, generation=0))
    assert not fast_clock.hides(make_listen(at_ms=5, generation=1))


def test_what_names_no_generation_is_hidden_by_its_date() -> None:
    found = erased(Erasure(ADA, 10, 1))
    assert [found.hides(make_listen(at_ms=at_ms)) for at_ms in (9, 10, 11)] == [True, True, False]


def test_an_erasure_without_a_number_hides_all_that_is_dated_up_to_it() -> None:
    found = erased(Erasure(ADA, 10))
    for generation in (None, 0, 1):
        hidden = [found.hides(make_listen(at_ms=at_ms, generation=generation)) for at_ms in (9, 10, 11)]
        assert hidden == [True, True, False]


def test_a_new_generation_ends_what_dates_alone_said() -> None:
    found = erased(Erasure(ADA, 1_000), Erasure(ADA, 10, 1))
    assert not found.hides(make_listen(at_ms=5, generation=1))
    assert found.hides(make_listen(at_ms=5))


def test_a_lowered_mark_hides_what_is_dated_up_to_it() -> None:
    for fast_clock in (Erasure(ADA, 1_000, 1), Erasure(ADA, 1_000)):
        found = erased(fast_clock).lowered(Erasure(ADA, 10, fast_clock.generation))
        assert [found.hides(make_listen(at_ms=at_ms)) for at_ms in (9, 10, 11)] == [True, True, False]


@given(st.lists(erasures, max_size=5), st.integers(0, 9), st.integers(0, 9), listens)
def test_marks_are_lowered_in_any_order_and_for_dates_alone(
    erasures: list[Erasure], one_ms: int, other_ms: int, listen: Listen
) -> None:
    found = erased(*erasures)
    one, other = (Erasure(ADA, at_ms, found.generation or None) for at_ms in (one_ms, other_ms))
    lowered = found.lowered(one).lowered(other)
    assert (
        lowered
        == found.lowered(other).lowered(one)
        == found.lowered(min(one, other, key=attrgetter("at_ms")))
    )
    assert lowered.until_ms is None or lowered.until_ms <= min(one_ms, other_ms)
    assert lowered.generation == found.generation
    if not found.hides(listen):
        assert not lowered.hides(listen)
    assert erased(*lowered.erasures(ADA)) == lowered
    copied = erased(*erasures)
    for erasure in lowered.erasures(ADA):
        copied = copied.after(erasure).lowered(erasure)
    assert copied == lowered


@given(erasures, st.lists(erasures, max_size=5))
def test_an_erasure_that_is_known_changes_nothing(erasure: Erasure, others: list[Erasure]) -> None:
    found = erased(*others, erasure)
    assert found.after(erasure) == found


@given(st.lists(erasures, max_size=5))
def test_the_generation_is_the_highest_that_was_named(erasures: list[Erasure]) -> None:
    assert erased(*erasures).generation == max((one.generation or 0 for one in erasures), default=0)


@given(st.lists(erasures, max_size=5))
def test_what_is_copied_adds_up_to_the_same(erasures: list[Erasure]) -> None:
    found = erased(*erasures)
    assert erased(*found.erasures(ADA)) == found


@given(st.lists(erasures, max_size=5), erasures, listens)
def test_what_was_hidden_stays_hidden_unless_it_names_the_generation_that_begins(
    erasures: list[Erasure], next_one: Erasure, listen: object
) -> None:
    before, after = erased(*erasures), erased(*erasures, next_one)
    assert isinstance(listen, type(make_listen()))
    begins = before.is_emptied_by(next_one) and listen.generation is not None
    if before.hides(listen) and not begins:
        assert after.hides(listen)
