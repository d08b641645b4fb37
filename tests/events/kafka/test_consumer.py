"""What stands in Kafka is folded, then committed; nothing on the way loses or blocks anything."""

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from confluent_kafka import Message

from events.kafka.fakes import Failing
from events.kafka.running import QUICK, committed, consumed, consuming, messages_in, produce
from making import make_listen
from servers.kafka import Kafka
from servers.processes import wait_until
from soundalike.domain.errors import EventLogError, StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.types import UserId
from soundalike.events.kafka import consumer as kafka_consumer
from soundalike.events.kafka import dead_letters as kafka_dead_letters
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.batch import Batch
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.group import GroupMember
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.topics import prepare_topics
from soundalike.wire.records import MAX_AHEAD_MS, record_key, record_value

pytestmark = pytest.mark.kafka

NOW_MS = int(time.time() * 1000)


def numbered(count: int, *, start: int = 0, users: int = 5) -> list[Listen]:
    return [make_listen(n, user_id=f"u{n % users}", at_ms=n) for n in range(start, start + count)]


def ids(listens: Sequence[Listen]) -> set[str]:
    return {listen.id for listen in listens}


class TestFolding:
    def test_what_was_there_and_what_comes_is_taken(self, log: KafkaLog, address: KafkaAddress) -> None:
        log.append(numbered(10))
        store = Failing()
        with consuming(address, store.take):
            store.wait_for(10)
            log.append(numbered(10, start=10))
            store.wait_for(20)
        assert store.taken == ids(numbered(20))

    def test_each_users_in_their_order(self, log: KafkaLog, address: KafkaAddress) -> None:
        listens = [make_listen(n, user_id=f"u{n % 3}", at_ms=1_000 - n) for n in range(300)]
        log.append(listens)
        taken = consumed(address, 300).records
        for user in ("u0", "u1", "u2"):
            assert [one for one in taken if isinstance(one, Listen) and one.user_id == user] == [
                one for one in listens if one.user_id == user
            ]

    def test_erasures_where_they_stand(self, log: KafkaLog, address: KafkaAddress) -> None:
        ada = UserId("ada")
        log.append([make_listen(1)])
        log.erase(Erasure(ada, 5), is_total=True)
        log.append([make_listen(2, at_ms=6)])
        log.erase(Erasure(ada, 7))
        log.append([make_listen(3, at_ms=8)])
        expected: list[LogRecord] = [
            make_listen(1),
            ErasureRecord(Erasure(ada, 5), is_total=True),
            make_listen(2, at_ms=6),
            ErasureRecord(Erasure(ada, 7), is_total=False),
            make_listen(3, at_ms=8),
        ]
        assert consumed(address, 3).records == expected

    def test_a_lone_listen_waits_for_no_other(self, log: KafkaLog, address: KafkaAddress) -> None:
        store = Failing()
        with consuming(address, store.take):
            for number in range(10):
                log.append([make_listen(number)])
                store.wait_for(number + 1)
        assert [len(call) for call in store.calls] == [1] * 10

    def test_what_has_piled_up_comes_in_large_batches(self, log: KafkaLog, address: KafkaAddress) -> None:
        log.append(numbered(12_000, users=50))
        sizes = [len(call) for call in consumed(address, 12_000).calls]
        assert sum(sizes) == 12_000
        assert max(sizes) <= kafka_consumer.MAX_BATCH
        assert len(sizes) <= 20

    def test_a_batch_is_cut_before_every_total_erasure_which_is_proved_to_be_ours_first(
        self, log: KafkaLog, address: KafkaAddress
    ) -> None:
        ada = UserId("ada")
        total, dated = (
            ErasureRecord(Erasure(ada, 5), is_total=True),
            ErasureRecord(Erasure(ada, 7), is_total=False),
        )
        log.append([make_listen(1)])
        log.erase(total.erasure, is_total=True)
        log.append([make_listen(2, at_ms=6)])
        log.erase(dated.erasure)
        log.append([make_listen(3, at_ms=8)])
        calls = [call for call in consumed(address, 3).calls if total in call]
        assert [call[0] for call in calls] == [total]

    def test_a_slow_store_is_given_less_at_a_time_and_more_once_it_is_quick_again(
        self, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "MAX_BATCH", 64)
        monkeypatch.setattr(kafka_consumer, "_MIN_BATCH", 8)
        monkeypatch.setattr(kafka_consumer, "_SLOW_S", 1.0)
        store = Failing()

        def take(records: Sequence[LogRecord]) -> None:
            if len(store.calls) < 5:
                time.sleep(1.1)
            store.take(records)

        log.append(numbered(400))
        with consuming(address, take):
            store.wait_for(400)
        sizes = [len(call) for call in store.calls]
        assert sizes[0] <= 64  # it waits for no more than is there yet
        assert sizes[1:5] == [32, 16, 8, 8]
        assert max(sizes[5:]) == 64


class TestCommitting:
    def test_nothing_is_committed_before_it_is_folded(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(numbered(10))
        began, go_on = threading.Event(), threading.Event()

        def take(records: Sequence[LogRecord]) -> None:
            began.set()
            assert go_on.wait(60)
            store.take(records)

        store = Failing()
        with consuming(address, take):
            assert began.wait(60)
            assert committed(kafka, address) == 0
            go_on.set()
            store.wait_for(10)
        assert committed(kafka, address) == 10

    def test_what_is_committed_is_not_read_again(self, log: KafkaLog, address: KafkaAddress) -> None:
        log.append(numbered(10))
        consumed(address, 10)
        log.append(numbered(5, start=10))
        assert ids([one for one in consumed(address, 5).records if isinstance(one, Listen)]) == ids(
            numbered(5, start=10)
        )

    def test_each_group_reads_everything(self, kafka: Kafka, log: KafkaLog, address: KafkaAddress) -> None:
        log.append(numbered(10))
        consumed(address, 10)
        other = KafkaAddress.parse(f"{kafka.url(address.topic)}?partitions=4&group=others-{address.topic}")
        assert consumed(other, 10).taken == ids(numbered(10))

    def test_what_is_folded_when_it_is_told_to_stop_is_committed(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(numbered(10))
        store = Failing()

        def take(records: Sequence[LogRecord]) -> None:
            running.stop.set()
            store.take(records)

        with consuming(address, take) as running:
            running.stop.wait(60)
        assert committed(kafka, address) == len(store.taken) > 0


class TestSharing:
    def test_two_share_the_partitions_and_each_listen_is_taken_once(
        self, log: KafkaLog, address: KafkaAddress
    ) -> None:
        first, second = Failing(), Failing()
        with consuming(address, first.take), consuming(address, second.take):
            for number in range(200):
                log.append(numbered(5, start=5 * number, users=40))
                if first.records and second.records and number > 50:
                    break
            everything = ids(numbered(5 * (number + 1)))
            first.wait_for(1)
            deadline = time.monotonic() + 60
            while first.taken | second.taken != everything:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert first.taken
        assert second.taken
        assert first.taken & second.taken == set()

    def test_what_one_leaves_the_other_takes(self, log: KafkaLog, address: KafkaAddress) -> None:
        first, second = Failing(), Failing()
        with consuming(address, first.take):
            with consuming(address, second.take):
                log.append(numbered(100, users=40))
            log.append(numbered(100, start=100, users=40))
            deadline = time.monotonic() + 60
            while first.taken | second.taken != ids(numbered(200)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert len(first.records) + len(second.records) == 200


class TestStoreAway:
    @pytest.mark.parametrize(
        "error",
        [StoreUnavailableError("gone"), StoreBusyError("held"), StoreError("no space left"), KeyError("x")],
    )
    def test_nothing_is_lost_and_nobody_is_blamed(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, error: Exception
    ) -> None:
        store = Failing()
        store.away = error
        log.append(numbered(20))
        with consuming(address, store.take):
            with store.arrived:
                assert store.arrived.wait_for(lambda: len(store.calls) >= 4, 60)
            assert committed(kafka, address) == 0
            log.append(numbered(20, start=20))
            store.away = None
            store.wait_for(40)
        assert store.taken == ids(numbered(40))
        assert len(store.records) == 40
        assert messages_in(kafka, address.dead_letters) == []
        assert committed(kafka, address) == 40

    def test_it_stays_in_the_group_however_long_that_takes(
        self, log: KafkaLog, address: KafkaAddress, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Failing()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(20))
        patience = QUICK | {"max.poll.interval.ms": "2000"}
        with caplog.at_level(logging.INFO), consuming(address, store.take, properties=patience):
            time.sleep(5)
            store.away = None
            store.wait_for(20)
        assert "the group went on without" not in caplog.text
        assert len(store.records) == 20
        assert [record.message for record in caplog.records if "folding" in record.message] == [
            "folding waits, nothing is lost: gone",
            "folding goes on",
        ]

    def test_no_more_is_read_than_can_be_held(
        self, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "_MAX_HELD", 100)
        monkeypatch.setattr(kafka_consumer, "MAX_BATCH", 60)
        monkeypatch.setattr(kafka_consumer, "_MAX_DELAY_S", 0.2)
        store = Failing()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(1_000, users=40))
        with consuming(address, store.take):
            with store.arrived:
                assert store.arrived.wait_for(lambda: len(store.calls) >= 10, 60)
            assert max(len(call) for call in store.calls) <= 101
            store.away = None
            store.wait_for(1_000)
        assert len(store.records) == 1_000

    def test_what_is_buried_meanwhile_takes_no_room(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "_MAX_HELD_BYTES", 20_000)
        monkeypatch.setattr(kafka_consumer, "_MAX_DELAY_S", 0.2)
        held: list[Batch] = []

        class Seen(Batch):
            def __init__(self) -> None:
                super().__init__()
                held.append(self)

        monkeypatch.setattr(kafka_consumer, "Batch", Seen)
        store = Failing()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(1))
        with consuming(address, store.take):
            produce(kafka, address.topic, *[{"partition": 0, "value": b"x" * 9_000}] * 30)
            wait_until(lambda: len(messages_in(kafka, address.dead_letters)) == 30)
            wait_until(lambda: sum(item.is_done for item in held[0]) == 30)
            assert [item.message for item in held[0] if item.is_done] == [None] * 30
            assert held[0].size() < 1_000
            store.away = None
            store.wait_for(1)

    def test_it_ends_when_it_is_told_to_and_leaves_the_rest_to_others(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        store = Failing()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(20))
        with consuming(address, store.take), store.arrived:
            assert store.arrived.wait_for(lambda: len(store.calls) >= 3, 60)
        assert committed(kafka, address) == 0
        assert consumed(address, 20).taken == ids(numbered(20))


class TestFailingForGood:
    def test_it_begins_anew(
        self,
        log: KafkaLog,
        address: KafkaAddress,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "_MAX_DELAY_S", 0.2)
        read, failures = GroupMember.read, iter([EventLogError("the consumer is broken")])

        def fail_once(member: GroupMember, most: int, *, timeout_s: float) -> list[Message]:
            for failure in failures:
                raise failure
            return read(member, most, timeout_s=timeout_s)

        store = Failing()
        with consuming(address, store.take):
            log.append(numbered(10))
            store.wait_for(10)
            monkeypatch.setattr(GroupMember, "read", fail_once)
            log.append(numbered(10, start=10))
            store.wait_for(20)
        assert "consuming starts again: the consumer is broken" in caplog.text
        assert len(store.records) == 20


GOOD = make_listen(1, at_ms=5)
POISON: list[tuple[str, Mapping[str, Any], str]] = [
    ("no JSON", {"key": b"ada", "value": b"\xff\x00"}, "not JSON"),
    ("no object", {"key": b"ada", "value": b"[]"}, "no object"),
    ("no value", {"key": b"ada"}, "no value"),
    ("no key", {"value": record_value(GOOD)}, "key"),
    ("another's key", {"key": b"bob", "value": record_value(GOOD)}, "key"),
    (
        "a later version",
        {"key": b"ada", "value": json.dumps({"version": 2, "type": "listen"}).encode()},
        "version",
    ),
    (
        "no event",
        {"key": b"ada", "value": json.dumps({"version": 1, "type": "listen", "user": "ada"}).encode()},
        "id is",
    ),
    ("too long", {"key": b"ada", "value": b"x" * 20_000}, "longer than"),
    (
        "from the far future",
        {"key": b"ada", "value": record_value(make_listen(7, at_ms=NOW_MS + 2 * MAX_AHEAD_MS))},
        "more than a day after it was sent",
    ),
]


class TestDeadLetters:
    @pytest.mark.parametrize(
        ("message", "why"), [(m, w) for _, m, w in POISON], ids=[n for n, _, _ in POISON]
    )
    def test_what_cannot_be_read_is_kept_with_its_reason_and_blocks_nothing(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, message: Mapping[str, Any], why: str
    ) -> None:
        log.append([make_listen(1), make_listen(2)])
        produce(kafka, address.topic, {"partition": 2, "headers": [("theirs", b"x")], **message})
        log.append([make_listen(3), make_listen(4, user_id="bob")])
        store = Failing()
        with consuming(address, store.take):
            wait_until(lambda: committed(kafka, address) == 5)
        assert store.taken == ids(numbered(4, start=1))
        (letter,) = messages_in(kafka, address.dead_letters)
        headers = dict(letter.headers() or [])
        assert (letter.key(), letter.value()) == (message.get("key"), message.get("value"))
        assert why.encode() in (headers.pop("soundalike-reason") or b"")
        sent_ms = int(headers.pop("soundalike-sent-ms") or b"0")
        assert abs(sent_ms - time.time() * 1000) < 600_000
        assert int(headers.pop("soundalike-offset") or b"-1") >= 0
        assert headers == {
            "theirs": b"x",
            "soundalike-topic": address.topic.encode(),
            "soundalike-partition": b"2",
        }

    def test_one_that_is_too_long_to_be_kept_is_cut(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append([make_listen(1)])
        value = b"x" * 1_048_000  # just as long as the topic takes: headers make it too long for the other
        produce(kafka, address.topic, {"key": b"ada", "value": value, "headers": [("theirs", b"y" * 300)]})
        log.append([make_listen(2)])
        with consuming(address, Failing().take):
            wait_until(lambda: committed(kafka, address) == 3)
        (letter,) = messages_in(kafka, address.dead_letters)
        headers = dict(letter.headers() or [])
        assert headers["soundalike-cut-from"] == str(len(value)).encode()
        assert value.startswith(letter.value() or b"-")

    def test_what_the_store_refuses_while_it_takes_others_is_kept_too(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        bad = numbered(300)[123]
        log.append(numbered(300))
        store = Failing(refused=[bad.id])
        with consuming(address, store.take):
            store.wait_for(299)
        (letter,) = messages_in(kafka, address.dead_letters)
        assert (letter.key(), letter.value()) == (record_key(bad), record_value(bad))
        assert dict(letter.headers() or [])["soundalike-reason"] == b"the store rejects it: it is refused"
        assert committed(kafka, address) == 300

    def test_a_lone_one_waits_for_others_to_tell_whose_fault_it_is(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append([make_listen(1)])
        store = Failing(refused=[make_listen(1).id])
        with consuming(address, store.take):
            with store.arrived:
                assert store.arrived.wait_for(lambda: len(store.calls) >= 4, 60)
            assert messages_in(kafka, address.dead_letters) == []
            log.append([make_listen(2)])
            store.wait_for(1)
        assert len(messages_in(kafka, address.dead_letters)) == 1
        assert committed(kafka, address) == 2

    def test_nothing_is_committed_before_its_dead_letter_is_acknowledged(
        self, kafka: Kafka, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        may_be_made = threading.Event()

        def prepare(clients: KafkaClients) -> None:
            if not may_be_made.is_set():
                msg = "nobody may make it"
                raise EventLogError(msg)
            prepare_topics(clients)

        monkeypatch.setattr(kafka_dead_letters, "prepare_topics", prepare)
        admin = kafka.admin()
        store = Failing()
        with consuming(address, store.take, properties=QUICK | {"delivery.timeout.ms": "1000"}):
            admin.delete_topics([address.dead_letters])[address.dead_letters].result()
            produce(kafka, address.topic, {"key": b"ada", "value": b"?", "partition": 2})
            time.sleep(3)
            assert committed(kafka, address) == 0
            may_be_made.set()
            wait_until(lambda: committed(kafka, address) == 1)
        (letter,) = messages_in(kafka, address.dead_letters)
        assert letter.value() == b"?"
