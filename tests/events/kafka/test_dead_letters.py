"""Records that cannot be folded are kept as dead letters, and block nothing."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from events.kafka.fakes import FlakyStore, ids, numbered
from events.kafka.running import QUICK, committed, consuming, messages_in, produce
from making import make_listen
from servers.kafka import Kafka
from servers.processes import wait_until
from soundalike.domain.errors import EventLogError
from soundalike.events.kafka import dead_letters as kafka_dead_letters
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.topics import prepare_topics
from soundalike.wire.records import MAX_AHEAD_MS, record_key, record_value

pytestmark = pytest.mark.kafka

NOW_MS = int(time.time() * 1000)
GOOD = make_listen(1, at_ms=5)
POISON: list[tuple[str, Mapping[str, Any], str]] = [
    ("not JSON", {"key": b"ada", "value": b"\xff\x00"}, "not JSON"),
    ("not an object", {"key": b"ada", "value": b"[]"}, "not an object"),
    ("no value", {"key": b"ada"}, "no value"),
    ("no key", {"value": record_value(GOOD)}, "key"),
    ("another user's key", {"key": b"bob", "value": record_value(GOOD)}, "key"),
    (
        "a later version",
        {"key": b"ada", "value": json.dumps({"version": 2, "type": "listen"}).encode()},
        "version",
    ),
    (
        "not an event",
        {"key": b"ada", "value": json.dumps({"version": 1, "type": "listen", "user": "ada"}).encode()},
        "id must be",
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
    def test_a_malformed_record_is_kept_with_its_reason_and_blocks_nothing(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, message: Mapping[str, Any], why: str
    ) -> None:
        log.append([make_listen(1), make_listen(2)])
        produce(kafka, address.topic, {"partition": 2, "headers": [("theirs", b"x")], **message})
        log.append([make_listen(3), make_listen(4, user_id="bob")])
        store = FlakyStore()
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

    def test_a_record_that_is_too_long_is_cut(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append([make_listen(1)])
        value = b"x" * 1_048_000  # the longest that the topic accepts; headers make it too long for the other
        produce(kafka, address.topic, {"key": b"ada", "value": value, "headers": [("theirs", b"y" * 300)]})
        log.append([make_listen(2)])
        with consuming(address, FlakyStore().take):
            wait_until(lambda: committed(kafka, address) == 3)
        (letter,) = messages_in(kafka, address.dead_letters)
        headers = dict(letter.headers() or [])
        assert headers["soundalike-cut-from"] == str(len(value)).encode()
        assert value.startswith(letter.value() or b"-")

    def test_a_record_that_the_store_rejects_becomes_a_dead_letter(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        bad = numbered(300)[123]
        log.append(numbered(300))
        store = FlakyStore(rejected=[bad.id])
        with consuming(address, store.take):
            store.wait_for(299)
        (letter,) = messages_in(kafka, address.dead_letters)
        assert (letter.key(), letter.value()) == (record_key(bad), record_value(bad))
        assert dict(letter.headers() or [])["soundalike-reason"] == b"the store rejects it: it is rejected"
        assert committed(kafka, address) == 300

    def test_a_single_failing_record_waits_until_another_succeeds(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append([make_listen(1)])
        store = FlakyStore(rejected=[make_listen(1).id])
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
        refused: list[KafkaClients] = []

        def prepare(clients: KafkaClients) -> None:
            if not may_be_made.is_set():
                refused.append(clients)
                msg = "nobody may make it"
                raise EventLogError(msg)
            prepare_topics(clients)

        monkeypatch.setattr(kafka_dead_letters, "prepare_topics", prepare)
        admin = kafka.admin()
        store = FlakyStore()
        with consuming(address, store.take, properties=QUICK | {"delivery.timeout.ms": "1000"}):
            admin.delete_topics([address.dead_letters])[address.dead_letters].result()
            produce(kafka, address.topic, {"key": b"ada", "value": b"?", "partition": 2})
            wait_until(lambda: len(refused) >= 2)
            assert committed(kafka, address) == 0
            may_be_made.set()
            wait_until(lambda: committed(kafka, address) == 1)
        (letter,) = messages_in(kafka, address.dead_letters)
        assert letter.value() == b"?"
