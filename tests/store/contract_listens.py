"""What every store promises of listens and erasures."""

import itertools
import random
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from making import make_listen
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, Listen, ListenKind
from soundalike.domain.ports.library import Store
from soundalike.domain.types import EventId, TrackId, UserId
from store.asking import ADA, BOB, HOSTILE_TEXTS, in_threads

EARLIEST_MS, LATEST_MS = -62_135_596_800_000, 253_402_300_799_999  # of the years 1 and 9999
LONGEST_MS = 2**53 - 1

some_listens = st.lists(
    st.builds(
        make_listen,
        st.integers(0, 5),
        user_id=st.sampled_from([ADA, BOB]),
        track_id=st.sampled_from(["t1", "t2"]),
        kind=st.sampled_from(list(ListenKind)),
        position_ms=st.sampled_from([None, 0, 1, LONGEST_MS]),
        at_ms=st.sampled_from([EARLIEST_MS, -1, 0, 1, 2, LATEST_MS]),
        generation=st.none() | st.integers(0, 3),
    ),
    max_size=12,
)
some_erasures = st.builds(
    Erasure, st.sampled_from([ADA, BOB]), st.integers(0, 3), st.none() | st.integers(1, 3)
)
any_steps = st.lists(some_listens | some_erasures, max_size=6)


def listens_of(store: Store, user_id: UserId) -> list[Listen]:
    found = list(store.listens_of(user_id))
    assert store.count_listens(user_id) == store.listen_counts().get(user_id, 0) == len(found)
    assert store.count_and_erased(user_id) == (len(found), store.erased(user_id))
    return found


class ListensContract:
    def test_nothing_is_known_of_a_stranger(self, store: Store) -> None:
        assert listens_of(store, ADA) == []
        assert store.listen_counts() == {}

    def test_nothing_may_be_added(self, store: Store) -> None:
        assert store.add_listens([]) == ()

    def test_a_listen_comes_back_as_it_was_added(self, store: Store, subtests: pytest.Subtests) -> None:
        cases = itertools.product(ListenKind, (None, 0, LONGEST_MS), (EARLIEST_MS, 0, LATEST_MS))
        for number, (kind, position_ms, at_ms) in enumerate(cases):
            with subtests.test(kind=kind, position_ms=position_ms, at_ms=at_ms):
                user_id = UserId(f"user {number}")
                listen = make_listen(user_id=user_id, kind=kind, position_ms=position_ms, at_ms=at_ms)
                assert store.add_listens([listen]) == (listen,)
                assert listens_of(store, user_id) == [listen]
                assert isinstance(listens_of(store, user_id)[0].kind, ListenKind)

    def test_a_listen_of_any_text_is_stored(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                event_id, track_id = EventId(text), TrackId(text)
                listen = replace(make_listen(user_id=text), id=event_id, track_id=track_id)
                assert store.add_listens([listen]) == (listen,)
                assert store.add_listens([listen]) == ()
                assert listens_of(store, UserId(text)) == [listen]
        assert store.listen_counts() == dict.fromkeys(HOSTILE_TEXTS, 1)

    def test_they_come_by_time_and_id(self, store: Store) -> None:
        listens = [make_listen(number, at_ms=number // 3) for number in range(30)]
        shuffled = random.Random(0).sample(listens, len(listens))  # noqa: S311 - an order, no secret
        assert store.add_listens(shuffled[:10]) == tuple(shuffled[:10])
        assert store.add_listens(shuffled[10:]) == tuple(shuffled[10:])
        assert listens_of(store, ADA) == listens

    def test_ids_are_ordered_by_their_letters_codes(self, store: Store) -> None:
        names = ["-", "0", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "1", "9", "A", "Z", "_", "a", "aa", "b", "z", "~"]
        store.add_listens([replace(make_listen(), id=EventId(name)) for name in reversed(names)])
        assert [listen.id for listen in listens_of(store, ADA)] == names

    def test_as_many_as_one_likes_come_in_order(self, store: Store) -> None:
        listens = [make_listen(number, at_ms=number // 1500) for number in range(2500)]
        assert store.add_listens(listens[::-1]) == tuple(listens[::-1])
        assert listens_of(store, ADA) == listens

    def test_sent_twice_counts_once(self, store: Store) -> None:
        first, second = make_listen(1), make_listen(2, at_ms=5)
        store.add_listens([first])
        assert store.add_listens([second, first]) == (second,)
        assert store.add_listens([second, first]) == ()
        assert listens_of(store, ADA) == [first, second]

    def test_the_first_content_of_an_id_counts(self, store: Store, subtests: pytest.Subtests) -> None:
        first = make_listen(at_ms=50)
        assert store.add_listens([first]) == (first,)
        others = (
            make_listen(at_ms=99),
            make_listen(track_id="t2"),
            make_listen(kind="disliked"),
            make_listen(position_ms=7),
        )
        for other in others:
            with subtests.test(other=other):
                assert store.add_listens([other]) == ()
                assert listens_of(store, ADA) == [first]

    def test_the_first_content_counts_within_a_batch_too(self, store: Store) -> None:
        first, other, unlike = make_listen(at_ms=50), make_listen(at_ms=10), make_listen(2)
        assert store.add_listens([first, other, unlike, first, other]) == (first, unlike)
        assert listens_of(store, ADA) == [unlike, first]

    def test_an_id_is_unique_within_its_user_alone(self, store: Store) -> None:
        adas, bobs = make_listen(user_id=ADA), make_listen(user_id=BOB, track_id="t2")
        assert store.add_listens([adas, bobs]) == (adas, bobs)
        assert listens_of(store, ADA) == [adas]
        assert listens_of(store, BOB) == [bobs]
        assert store.listen_counts() == {ADA: 1, BOB: 1}

    def test_listens_of_many_users_may_come_together(self, store: Store) -> None:
        listens = [make_listen(number, user_id=f"user{number % 7}", at_ms=number) for number in range(70)]
        store.add_listens(listens[:5])
        assert store.add_listens(listens) == tuple(listens[5:])
        for number in range(7):
            assert listens_of(store, UserId(f"user{number}")) == listens[number::7]

    def test_users_are_told_apart_by_every_letter(self, store: Store) -> None:
        names = ["ada", "Ada", "ADA", "ada ", "ad", "adá"]
        store.add_listens([make_listen(user_id=name, track_id=name) for name in names])
        for name in names:
            assert [listen.track_id for listen in listens_of(store, UserId(name))] == [name]

    def test_others_may_add_while_one_is_reading(self, store: Store) -> None:
        listens = [make_listen(number, at_ms=10 * number) for number in range(2500)]
        store.add_listens(listens)
        there, found = set(listens), []
        for listen in store.listens_of(ADA):
            found.append(listen)
            if len(found) % 500 == 1:
                behind, ahead = 10_000 + len(found), 20_000 + len(found)
                store.add_listens([make_listen(behind, at_ms=1), make_listen(ahead, at_ms=24_999)])
        assert [listen for listen in found if listen in there] == listens
        assert found == sorted(found, key=lambda listen: listen.order)

    def test_one_may_stop_reading_at_any_time(self, store: Store) -> None:
        store.add_listens([make_listen(number) for number in range(1500)])
        readers = [store.listens_of(ADA) for _ in range(20)]
        for reader in readers:
            next(reader)
        assert store.add_listens([make_listen(9999)]) == (make_listen(9999),)

    def test_of_threads_that_add_the_same_id_one_is_first(self, store: Store) -> None:
        barrier = threading.Barrier(4)
        taken: list[Listen] = []

        def add(thread: int) -> None:
            for number in range(8):
                barrier.wait()
                taken.extend(store.add_listens([make_listen(number, track_id=f"t{thread}", at_ms=thread)]))

        in_threads(4, add)
        assert sorted(listens_of(store, ADA), key=lambda listen: listen.id) == sorted(
            taken, key=lambda listen: listen.id
        )
        assert len(taken) == 8


class ErasuresContract:
    def test_nobody_is_erased_at_first(self, store: Store) -> None:
        assert store.erased(ADA).until_ms is None
        assert store.erasures() == ()

    def test_what_is_not_later_goes(self, store: Store) -> None:
        before, at, after = (make_listen(number, at_ms=number) for number in (9, 10, 11))
        others = make_listen(user_id=BOB)
        store.add_listens([before, at, after, others])
        store.erase_listens(Erasure(ADA, 10))
        assert listens_of(store, ADA) == [after]
        assert listens_of(store, BOB) == [others]
        assert store.erased(ADA).until_ms == 10
        assert store.erased(BOB).until_ms is None

    def test_what_comes_late_is_left_out(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 10))
        before, at, after = (make_listen(number, at_ms=number) for number in (9, 10, 11))
        others = make_listen(user_id=BOB)
        assert store.add_listens([before, others, at, after]) == (others, after)
        assert store.add_listens([before, at]) == ()
        assert listens_of(store, ADA) == [after]

    def test_what_was_erased_may_be_sent_again_in_vain(self, store: Store) -> None:
        listen = make_listen(at_ms=10)
        store.add_listens([listen])
        store.erase_listens(Erasure(ADA, 10))
        assert store.add_listens([listen]) == ()
        assert listens_of(store, ADA) == []
        assert store.listen_counts() == {}

    def test_a_total_erasure_takes_what_is_dated_later_too(self, store: Store) -> None:
        store.add_listens([make_listen(1, at_ms=10), make_listen(2, at_ms=30)])
        bobs = make_listen(1, user_id=BOB, at_ms=30)
        store.add_listens([bobs])
        store.erase_listens(Erasure(ADA, 20), is_total=True)
        assert listens_of(store, ADA) == []
        assert listens_of(store, BOB) == [bobs]
        assert store.erased(ADA).until_ms == 20
        later = make_listen(3, at_ms=21)
        assert store.add_listens([make_listen(4, at_ms=20), later]) == (later,)
        store.erase_listens(Erasure(ADA, 5), is_total=True)
        assert listens_of(store, ADA) == []
        assert store.erased(ADA).until_ms == 20

    def test_the_latest_erasure_counts(self, store: Store) -> None:
        for at_ms, latest_ms in ((10, 10), (5, 10), (10, 10), (20, 20), (0, 20)):
            store.erase_listens(Erasure(ADA, at_ms))
            assert store.erased(ADA).until_ms == latest_ms
        assert store.erasures() == (Erasure(ADA, 20),)
        later = make_listen(at_ms=21)
        assert store.add_listens([make_listen(1, at_ms=20), later]) == (later,)

    def test_a_user_is_in_generation_zero_at_first(self, store: Store) -> None:
        store.add_listens([make_listen(1), make_listen(2, generation=0)])
        assert store.erased(ADA) == NOTHING_ERASED
        assert [listen.generation for listen in store.listens_of(ADA)] == [0, 0]

    def test_an_erasure_begins_the_generation_that_it_names(self, store: Store) -> None:
        store.add_listens([make_listen(1, at_ms=10), make_listen(2, at_ms=30)])
        bobs = make_listen(1, user_id=BOB, at_ms=5)
        store.add_listens([bobs])
        store.erase_listens(Erasure(ADA, 20, 1))
        assert listens_of(store, ADA) == []
        assert listens_of(store, BOB) == [bobs]
        assert store.erased(ADA) == Erased(until_ms=20, generation=1)
        assert store.erased(BOB) == NOTHING_ERASED
        assert store.erasures() == (Erasure(ADA, 20, 1),)

    def test_a_generation_is_raised_once(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 20, 2))
        kept = make_listen(1, at_ms=30)
        store.add_listens([kept])
        for known in (Erasure(ADA, 20, 2), Erasure(ADA, 5, 2), Erasure(ADA, 20, 1)):
            store.erase_listens(known)
            assert listens_of(store, ADA) == [kept]
            assert store.erased(ADA) == Erased(until_ms=20, generation=2)

    def test_the_number_decides_and_not_the_clock(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 1_000, 1))  # its clock was fast
        now, before = make_listen(1, at_ms=5, generation=1), make_listen(2, at_ms=2_000, generation=0)
        assert store.add_listens([before, now]) == (now,)
        assert listens_of(store, ADA) == [now]

    def test_listens_without_a_generation_are_compared_by_date(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 10, 1))
        late, fresh = make_listen(1, at_ms=10), make_listen(2, at_ms=11)
        assert store.add_listens([late, fresh]) == (fresh,)
        assert [listen.generation for listen in store.listens_of(ADA)] == [1]
        store.erase_listens(Erasure(ADA, 5, 2))  # its clock was slow
        assert listens_of(store, ADA) == []

    def test_listens_belong_in_the_generation_in_which_they_were_added(self, store: Store) -> None:
        begun, largest = 1_769_860_800, 2**53 - 1
        store.erase_listens(Erasure(ADA, 10, begun))
        (added,) = store.add_listens([make_listen(1, at_ms=11)])
        assert added.generation == begun
        (unknown,) = store.add_listens([make_listen(2, at_ms=12, generation=largest)])
        assert unknown.generation == begun
        assert [listen.generation for listen in store.listens_of(ADA)] == [begun, begun]
        store.erase_listens(Erasure(ADA, 10, largest))
        assert listens_of(store, ADA) == []
        assert store.erased(ADA) == Erased(until_ms=10, generation=largest)

    def test_a_total_erasure_that_is_known_empties_again(self, store: Store) -> None:
        for erasure in (Erasure(ADA, 20, 1), Erasure(BOB, 20)):
            user_id = erasure.user_id
            for _ in range(2):
                store.erase_listens(erasure, is_total=True)
                again = make_listen(1, user_id=user_id, at_ms=30)
                assert store.add_listens([again]) == (again,)
                assert listens_of(store, user_id) == [again]
                assert store.erased(user_id).generation == (erasure.generation or 0)

    def test_erasures_with_and_without_a_number_add_up(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 10, 1))
        store.erase_listens(Erasure(ADA, 30))
        assert store.erased(ADA) == Erased(until_ms=30, generation=1, dated_ms=30)
        hidden, seen = make_listen(1, at_ms=30, generation=1), make_listen(2, at_ms=31, generation=1)
        assert store.add_listens([hidden, seen]) == (seen,)
        copied = store.erasures()
        assert copied == (Erasure(ADA, 30, 1), Erasure(ADA, 30))
        store.erase_listens(Erasure(ADA, 5, 2))
        assert store.erased(ADA) == Erased(until_ms=30, generation=2)

    def test_a_mark_is_lowered_for_what_comes_in(self, store: Store, subtests: pytest.Subtests) -> None:
        for generation in (1, None):
            with subtests.test(generation=generation):
                user_id = UserId(f"of {generation}")
                store.erase_listens(Erasure(user_id, 1_000, generation))  # its clock was fast
                at_20, at_10 = (make_listen(n, user_id=user_id, at_ms=10 * n) for n in (2, 1))
                assert store.add_listens([at_20]) == ()
                lowered = Erasure(user_id, 10, generation)
                for _ in range(2):
                    store.lower_mark(lowered)
                    assert store.erased(user_id).until_ms == 10
                assert lowered in store.erasures()
                assert store.add_listens([at_10, at_20]) == (at_20,)
                assert listens_of(store, user_id) == [at_20]

    def test_lowering_a_mark_leaves_what_is_stored(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 1_000, 1))
        kept = [make_listen(1, at_ms=5, generation=1), make_listen(2, at_ms=1_001)]
        store.add_listens(kept)
        store.lower_mark(Erasure(ADA, 10, 1))
        assert listens_of(store, ADA) == kept

    def test_both_marks_of_a_user_are_lowered(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 900, 1))
        store.erase_listens(Erasure(ADA, 1_000))
        store.lower_mark(Erasure(ADA, 10, 1))
        assert store.erased(ADA) == Erased(until_ms=10, generation=1, dated_ms=10)

    def test_a_mark_is_never_raised_by_lowering(self, store: Store) -> None:
        store.lower_mark(Erasure(BOB, 10, 1))
        assert store.erased(BOB) == NOTHING_ERASED
        store.erase_listens(Erasure(ADA, 20, 2))
        for other in (Erasure(ADA, 21, 2), Erasure(ADA, 10)):
            store.lower_mark(other)
            assert store.erased(ADA) == Erased(until_ms=20, generation=2)

    def test_erasures_come_by_user(self, store: Store) -> None:
        for name in "caB":
            store.erase_listens(Erasure(UserId(name), LATEST_MS))
        assert store.erasures() == tuple(Erasure(UserId(name), LATEST_MS) for name in "Bac")

    def test_any_user_can_be_erased(self, store: Store, subtests: pytest.Subtests) -> None:
        for number, text in enumerate(HOSTILE_TEXTS, start=1):
            with subtests.test(text=text):
                store.add_listens([make_listen(user_id=text)])
                store.erase_listens(Erasure(UserId(text), 0))
                assert Erasure(UserId(text), 0) in store.erasures()
                assert len(store.erasures()) == number
                assert listens_of(store, UserId(text)) == []

    @given(any_steps)
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    def test_repeats_and_erased_listens_are_left_out_in_any_order(
        self, store: Store, steps: list[list[Listen] | Erasure]
    ) -> None:
        # One store serves every example, so that each has users of its own.
        self.examples = getattr(self, "examples", 0) + 1
        expected_listens: dict[UserId, dict[EventId, Listen]] = {}
        erased: dict[UserId, Erased] = {}
        for step in steps:
            if isinstance(step, Erasure):
                erasure = replace(step, user_id=self._own(step.user_id))
                user_id = erasure.user_id
                before = erased.get(user_id, NOTHING_ERASED)
                is_emptied = (erasure.generation or 0) > before.generation
                store.erase_listens(erasure)
                erased[user_id] = before.after(erasure)
                of_user = {} if is_emptied else expected_listens.get(user_id, {})
                expected_listens[user_id] = {
                    key: one
                    for key, one in of_user.items()
                    if erasure.generation is not None or one.at_ms > erasure.at_ms
                }
                continue
            listens = [replace(listen, user_id=self._own(listen.user_id)) for listen in step]
            new = []
            for listen in listens:
                of_user = expected_listens.setdefault(listen.user_id, {})
                is_hidden = erased.get(listen.user_id, NOTHING_ERASED).hides(listen)
                if listen.id not in of_user and not is_hidden:
                    of_user[listen.id] = listen
                    new.append(listen)
            assert store.add_listens(listens) == tuple(new)
        for user_id in (self._own(ADA), self._own(BOB)):
            expected = sorted(expected_listens.get(user_id, {}).values(), key=lambda listen: listen.order)
            assert listens_of(store, user_id) == expected
            assert store.erased(user_id) == erased.get(user_id, NOTHING_ERASED)

    def _own(self, user_id: UserId) -> UserId:
        return UserId(f"{user_id}{self.examples}")
