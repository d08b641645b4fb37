"""What version 1 stored is opened and answers the same; `make.py` wrote it with the program of then."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from compatibility.library import FIXTURE, answers, known_of, learn_again, profiles, restore_mongodb
from servers.kafka import Kafka, new_topic
from servers.mongodb import drop_database, new_database
from soundalike.app import App, open_app
from soundalike.app.doctor import diagnose
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.settings import Settings


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FIXTURE / "answers.json").read_text(encoding="utf-8"))
    # The program of then said these too, asked later than the rest.
    body["words"] = json.loads((FIXTURE / "words.json").read_text(encoding="utf-8"))
    for of_user in body["answers"].values():
        # A radio is another question since, and these orders have ties by disc, number and title.
        for other in ("/radio", "sort=-artist", "sort=album"):
            for question in [question for question in of_user if other in question]:
                del of_user[question]
    return body


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as version 1 left it."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "data"))


def settings(data: Path, **named: Any) -> Settings:
    return Settings(data=data, artefacts=data / "artefacts", engine="local", **named)


def test_an_sqlite_store_answers_the_same(data: Path, said: dict[str, Any]) -> None:
    with open_app(settings(data)) as app:
        learn_again(app)
        check(app, said)


def test_doctor_names_the_backup_of_a_store_that_was_migrated(data: Path) -> None:
    found = {check.name: check for check in diagnose(settings(data))}
    assert found["backup"].is_ok
    assert str(data / "library.sqlite.backup-2") in found["backup"].detail


@pytest.mark.mongodb
def test_a_mongodb_store_answers_the_same(data: Path, mongodb: str, said: dict[str, Any]) -> None:
    url = new_database(mongodb)
    try:
        restore_mongodb(url)
        with open_app(settings(data, store=url)) as app:
            learn_again(app)
            check(app, said)
    finally:
        drop_database(url)


@pytest.mark.kafka
def test_a_log_in_kafka_is_folded_into_the_same_profiles(
    tmp_path: Path, kafka: Kafka, said: dict[str, Any]
) -> None:
    topic = new_topic()
    produce(kafka, topic)
    with open_app(settings(tmp_path, events=f"{kafka.url(topic)}?partitions=4")) as app:
        LogProjector(app.store, app.services.profiles).apply(list(app.log.entries()))
        assert profiles(app, list(said["profiles"])) == said["profiles"]


def check(app: App, said: dict[str, Any]) -> None:
    before = {name: said[name] for name in said if name != "secrets"}
    assert known_of(answers(app, said["secrets"]), before) == before


def lines(name: str) -> list[str]:
    return (FIXTURE / name).read_text(encoding="utf-8").splitlines()


def produce(kafka: Kafka, topic: str) -> None:
    """Put every record of the fixture into the partition where it was."""
    kafka.create_topic(topic, 4)
    producer = Producer({"bootstrap.servers": kafka.address, "log_level": 0})
    for line in lines("kafka.jsonl"):
        record = json.loads(line)
        producer.produce(
            topic,
            partition=record["partition"],
            key=base64.b64decode(record["key"]),
            value=base64.b64decode(record["value"]),
        )
    assert producer.flush(30) == 0
