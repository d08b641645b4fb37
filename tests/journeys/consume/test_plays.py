"""Listens come to the same profiles to the bit through Kafka as through the embedded log."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from events.kafka.running import messages_in
from journeys.consume.consuming import (
    LATENESS_MS,
    PLAYS,
    batches,
    consumer,
    store_holds,
    wait_for,
)
from journeys.plays import json_line
from journeys.program import Program
from servers.kafka import Kafka, own_group
from soundalike.app.backends import open_store
from soundalike.domain.listens import Erasure, Listen
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from soundalike.wire.profiles import profile_body

pytestmark = pytest.mark.kafka


class TestRealPlays:
    def test_they_come_to_the_profiles_of_the_embedded_log(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen],
        tmp_path: Path,
    ) -> None:  # fmt: skip
        file = tmp_path / "plays.jsonl"
        file.write_text("".join(map(json_line, plays)), encoding="utf-8")
        embedded = Program(tmp_path / "embedded")
        assert embedded.json("events", "import", file)["accepted"] == PLAYS
        for batch in batches(plays, 500):
            log.append(batch)
        with consumer(program, store_setting, url), open_store(store_setting) as store:
            wait_for(lambda: store_holds(store, plays))
            with open_store(embedded.data / "library.sqlite") as other:
                assert store.profile_counts() == other.profile_counts()
                for user_id in other.profile_counts():
                    ours, theirs = store.profile(user_id), other.profile(user_id)
                    assert ours is not None
                    assert theirs is not None
                    assert ours.version == theirs.version
                    assert json.dumps(profile_body(ours)) == json.dumps(profile_body(theirs))

    def test_out_of_order_within_the_bound_and_every_one_three_times(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen]
    ) -> None:
        chance = random.Random(4)  # noqa: S311 - no secret is made
        thrice = [one for one in plays[:1_500] for _ in range(3)]
        thrice.sort(key=lambda one: one.at_ms + chance.uniform(0, 0.9 * LATENESS_MS))
        with consumer(program, store_setting, url), open_store(store_setting) as store:
            for batch in batches(thrice, 250):
                log.append(batch)
            wait_for(lambda: store_holds(store, plays[:1_500]))

    def test_the_same_batch_three_times(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen]
    ) -> None:
        with consumer(program, store_setting, url), open_store(store_setting) as store:
            for _ in range(3):
                log.append(plays[:200])
                wait_for(lambda: store_holds(store, plays[:200]))
            log.append(plays[:201])
            wait_for(lambda: store_holds(store, plays[:201]))


class TestMoving:
    def test_what_is_moved_to_another_topic_leaves_the_erased_behind(
        self, program: Program, kafka: Kafka, log: KafkaLog, url: str, plays: Sequence[Listen], tmp_path: Path
    ) -> None:
        forgotten = plays[0].user_id
        log.append(plays[:500])
        log.erase(Erasure(forgotten, plays[499].at_ms), is_total=True)
        other = own_group(kafka.url())
        store, file = str(tmp_path / "moved.sqlite"), tmp_path / "log.jsonl"
        with open_store(store):
            pass
        assert program.run("events", "export", file, "--store", store, "--events", url).returncode == 0
        moved = program.run("events", "import", file, "--store", store, "--events", other)
        assert moved.returncode == 0, moved.stderr
        messages = messages_in(kafka, KafkaAddress.parse(other).topic)
        of_forgotten = [one.value() or b"" for one in messages if one.key() == forgotten.encode()]
        assert len(of_forgotten) == 1
        assert b"erased_until" in of_forgotten[0]
        kept = [one for one in plays[:500] if one.user_id != forgotten]
        with consumer(program, store, other), open_store(store) as opened:
            wait_for(lambda: store_holds(opened, kept))
