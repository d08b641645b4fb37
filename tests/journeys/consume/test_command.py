"""`soundalike consume` as a user starts and ends it."""

import signal
import urllib.request
from pathlib import Path

import pytest

from events.kafka.running import committed, messages_in, produce
from journeys.consume.consuming import ADA, consumer, wait_for
from journeys.program import Program, free_port, wait_until
from making import make_listen
from servers.kafka import Kafka
from servers.mongodb import drop_database, new_database
from soundalike.app.backends import open_store
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog

pytestmark = pytest.mark.kafka


class TestCommand:
    def test_it_says_what_it_folds_into_what_and_ends_in_good_order(
        self, program: Program, kafka: Kafka, log: KafkaLog, url: str, tmp_path: Path
    ) -> None:
        place = KafkaAddress.parse(url)
        store = str(tmp_path / "library.sqlite")
        with program.start("consume", "--store", store, "--events", url) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == (
                f"Folding '{place.topic}' of Kafka at {kafka.address} (group '{place.group}') into {store} "
                "(Ctrl-C stops)\n"
            )
            log.append([make_listen(n, at_ms=n) for n in range(50)])
            with open_store(store) as opened:
                wait_for(lambda: opened.count_listens(ADA) > 0)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.communicate() == ("", "")
            with open_store(store) as opened:
                assert committed(kafka, place) == opened.count_listens(ADA)

    @pytest.mark.mongodb
    def test_no_secret_is_shown(self, program: Program, mongodb: str, kafka: Kafka, url: str) -> None:
        # Neither server here asks for a password; both are told one all the same.
        program.environment["SOUNDALIKE_KAFKA"] += ";sasl.username=ada;sasl.password=s3cret"
        database = new_database(mongodb)
        with program.start("--debug", "consume", "--store", database, "--events", url) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert f"into {database} " in line  # there is no user in it
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        assert "s3cret" not in line + out + err
        drop_database(database)
        wrong = program.run(
            "consume", "--store", database, "--events", f"kafka://ada:s3cret@{kafka.address}/t"
        )
        assert wrong.returncode == 1
        assert "sasl.username" in wrong.stderr
        assert "s3cret" not in wrong.stderr

    def test_metrics_are_shown_where_they_are_asked_for(
        self, program: Program, log: KafkaLog, url: str, tmp_path: Path
    ) -> None:
        port = free_port()
        store = str(tmp_path / "library.sqlite")

        def shown() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                return str(answer.read().decode())

        with consumer(program, store, url, "--metrics-port", str(port)):
            log.append([make_listen(n, at_ms=n) for n in range(50)])
            wait_for(lambda: "soundalike_records_folded_total 50.0\n" in shown())
            wait_for(lambda: 'soundalike_lag_records{partition="3"} 0.0\n' in shown())
            taken = program.run("consume", "--store", store, "--events", url, "--metrics-port", str(port))
            assert (taken.returncode, taken.stdout) == (1, "")
            assert "Address already in use" in taken.stderr

    @pytest.mark.parametrize(
        ("events", "why"),
        [
            (None, "the event log in the store needs no consumer"),
            ("kafka://127.0.0.1:1/t", "Kafka at 127.0.0.1:1 does not answer"),
            ("kafka://h/t?partitions=none", "partitions must be a whole number"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(
        self, program: Program, tmp_path: Path, events: str | None, why: str
    ) -> None:
        more = [] if events is None else ["--events", events]
        result = program.run("consume", "--store", tmp_path / "library.sqlite", *more)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("error: ")
        assert why in result.stderr
        assert len(result.stderr.splitlines()) == 1

    def test_poison_is_kept_and_said(
        self, program: Program, kafka: Kafka, log: KafkaLog, url: str, tmp_path: Path
    ) -> None:
        place = KafkaAddress.parse(url)
        store = str(tmp_path / "library.sqlite")
        log.append([make_listen(1)])
        produce(kafka, place.topic, {"key": b"ada", "value": b"?", "partition": 1})
        with program.start("consume", "--store", store, "--events", url) as process:
            wait_until(lambda: committed(kafka, place) == 2, process)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        assert f"cannot be folded and is in '{place.dead_letters}': it is not JSON" in err
        assert len(messages_in(kafka, place.dead_letters)) == 1
