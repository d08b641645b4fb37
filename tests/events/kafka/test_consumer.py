"""Records in Kafka are folded, then committed; nothing loses or blocks any of them."""

import logging
import threading
import time
from collections.abc import Sequence

import pytest
from confluent_kafka import Message

from events.kafka.fakes import FlakyStore, ids, numbered
from events.kafka.running import QUICK, committed, consumed, consuming, messages_in, produce
from making import make_listen
from servers.kafka import Kafka
from servers.processes import wait_until
from soundalike.domain.errors import EventLogError, StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.types import UserId
from soundalike.events.kafka import consumer as kafka_consumer
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.batch import Batch
from soundalike.events.kafka.group import GroupMember
from soundalike.events.kafka.log import KafkaLog

pytestmark = pytest.mark.kafka

NOW_MS = int(time.time() * 1000)


class Clock:
    """Stands for the module `time`, and can be put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


class TestFolding:
    def test_old_and_new_records_are_folded(self, log: KafkaLog, address: KafkaAddress) -> None:
        log.append(numbered(10))
        store = FlakyStore()
        with consuming(address, store.take):
            store.wait_for(10)
            log.append(numbered(10, start=10))
            store.wait_for(20)
        assert store.taken == ids(numbered(20))

    def test_each_users_records_are_folded_in_order(self, log: KafkaLog, address: KafkaAddress) -> None:
        listens = [make_listen(n, user_id=f"u{n % 3}", at_ms=1_000 - n) for n in range(300)]
        log.append(listens)
        taken = consumed(address, 300).records
        for user in ("u0", "u1", "u2"):
            assert [one for one in taken if isinstance(one, Listen) and one.user_id == user] == [
                one for one in listens if one.user_id == user
            ]

    def test_erasures_are_folded_in_order_with_listens(self, log: KafkaLog, address: KafkaAddress) -> None:
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

    def test_a_single_listen_is_folded_at_once(self, log: KafkaLog, address: KafkaAddress) -> None:
        store = FlakyStore()
        with consuming(address, store.take):
            for number in range(10):
                log.append([make_listen(number)])
                store.wait_for(number + 1)
        assert [len(call) for call in store.calls] == [1] * 10

    def test_a_backlog_is_folded_in_large_batches(self, log: KafkaLog, address: KafkaAddress) -> None:
        log.append(numbered(12_000, users=50))
        sizes = [len(call) for call in consumed(address, 12_000).calls]
        assert sum(sizes) == 12_000
        assert max(sizes) <= kafka_consumer.MAX_BATCH
        assert len(sizes) <= 20

    def test_every_total_erasure_begins_a_part_of_a_batch(self, log: KafkaLog, address: KafkaAddress) -> None:
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

    def test_a_slow_store_gets_smaller_batches_until_it_is_quick_again(
        self, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "MAX_BATCH", 64)
        monkeypatch.setattr(kafka_consumer, "_MIN_BATCH", 8)
        monkeypatch.setattr(kafka_consumer, "time", clock := Clock())
        store = FlakyStore()

        def take(records: Sequence[LogRecord]) -> None:
            if len(store.calls) < 5:
                clock.ahead_s += 60
            store.take(records)

        log.append(numbered(400))
        with consuming(address, take):
            store.wait_for(400)
        sizes = [len(call) for call in store.calls]
        assert sizes[0] <= 64  # it does not wait for more
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

        store = FlakyStore()
        with consuming(address, take):
            assert began.wait(60)
            assert committed(kafka, address) == 0
            go_on.set()
            store.wait_for(10)
        assert committed(kafka, address) == 10

    def test_committed_records_are_not_read_again(self, log: KafkaLog, address: KafkaAddress) -> None:
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

    def test_folded_records_are_committed_before_stopping(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(numbered(10))
        store = FlakyStore()

        def take(records: Sequence[LogRecord]) -> None:
            running.stop.set()
            store.take(records)

        with consuming(address, take) as running:
            running.stop.wait(60)
        assert committed(kafka, address) == len(store.taken) > 0


class TestSharing:
    def test_two_consumers_share_the_partitions_and_fold_each_listen_once(
        self, log: KafkaLog, address: KafkaAddress
    ) -> None:
        first, second = FlakyStore(), FlakyStore()
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

    def test_a_consumer_takes_over_the_partitions_of_one_that_stops(
        self, log: KafkaLog, address: KafkaAddress
    ) -> None:
        first, second = FlakyStore(), FlakyStore()
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
    def test_no_record_is_lost_or_becomes_a_dead_letter(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, error: Exception
    ) -> None:
        store = FlakyStore()
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

    def test_the_consumer_stays_in_the_group(
        self, log: KafkaLog, address: KafkaAddress, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = FlakyStore()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(20))
        patience = QUICK | {"max.poll.interval.ms": "2000"}
        with caplog.at_level(logging.INFO), consuming(address, store.take, properties=patience):
            with store.arrived:  # the sixth call comes more than three seconds after the first
                assert store.arrived.wait_for(lambda: len(store.calls) >= 6, 60)
            store.away = None
            store.wait_for(20)
        assert "the group went on without" not in caplog.text
        assert len(store.records) == 20
        assert [record.message for record in caplog.records if "folding" in record.message] == [
            "folding waits, nothing is lost: gone",
            "folding goes on",
        ]

    def test_no_more_is_read_than_fits_in_memory(
        self, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "_MAX_HELD", 100)
        monkeypatch.setattr(kafka_consumer, "MAX_BATCH", 60)
        monkeypatch.setattr(kafka_consumer, "_MAX_DELAY_S", 0.2)
        store = FlakyStore()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(1_000, users=40))
        with consuming(address, store.take):
            with store.arrived:
                assert store.arrived.wait_for(lambda: len(store.calls) >= 10, 60)
            assert max(len(call) for call in store.calls) <= 101
            store.away = None
            store.wait_for(1_000)
        assert len(store.records) == 1_000

    def test_dead_letters_free_their_memory(
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
        store = FlakyStore()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(1))
        with consuming(address, store.take):
            # What is read before a listen that waits is committed, and no longer in the batch.
            with store.arrived:
                assert store.arrived.wait_for(lambda: len(store.calls) > 0, 60)
            produce(kafka, address.topic, *[{"partition": 0, "value": b"x" * 9_000}] * 30)
            wait_until(lambda: sum(item.is_done for item in held[-1]) == 30)
            assert len(messages_in(kafka, address.dead_letters)) >= 30
            assert [item.message for item in held[-1] if item.is_done] == [None] * 30
            assert held[-1].size() < 1_000
            store.away = None
            store.wait_for(1)

    def test_it_stops_and_leaves_its_records_to_others(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        store = FlakyStore()
        store.away = StoreUnavailableError("gone")
        log.append(numbered(20))
        with consuming(address, store.take), store.arrived:
            assert store.arrived.wait_for(lambda: len(store.calls) >= 3, 60)
        assert committed(kafka, address) == 0
        assert consumed(address, 20).taken == ids(numbered(20))


class TestBrokenConsumer:
    def test_it_starts_again(
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

        store = FlakyStore()
        with consuming(address, store.take):
            log.append(numbered(10))
            store.wait_for(10)
            monkeypatch.setattr(GroupMember, "read", fail_once)
            log.append(numbered(10, start=10))
            store.wait_for(20)
        assert "consuming starts again: the consumer is broken" in caplog.text
        assert len(store.records) == 20
