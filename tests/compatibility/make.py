"""Makes the fixture of the version that it is run on: stores, event log, artefact, and what is answered.

    PYTHONPATH=tests python -m compatibility.make tests/compatibility/VERSION

needs `make servers`. A fixture is made once, before a change of what is stored, and never again.
"""

import base64
import json
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from bson import json_util
from confluent_kafka import Message
from pymongo import MongoClient

from compatibility.library import add_listeners, answers, fill_library, listen
from events.kafka.running import messages_in
from servers.kafka import Kafka, KafkaServer, new_topic
from servers.mongodb import MongoDb, drop_database, new_database
from servers.processes import running
from soundalike.app import open_app
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.settings import Settings


def make(target: Path) -> None:
    """Write the fixture into a new folder."""
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        said = _make_embedded(place / "data", target)
        with (
            running(MongoDb(place / "mongodb", is_durable=False)) as mongodb,
            running(KafkaServer(place / "k")) as kafka,
        ):
            again = _make_distributed(place / "data", target, mongodb.address, kafka)
    assert again == said, "both stores and logs answer the same"
    _write(target / "answers.json", said)


def _make_embedded(data: Path, target: Path) -> dict[str, Any]:
    with open_app(_settings(data)) as app:
        fill_library(app)
        secrets = add_listeners(app)
        listen(app, list(secrets))
        app.trainer.tune_space(progress=_nowhere)
        app.trainer.build(LocalEngine(ParquetSnapshots()), progress=_nowhere)
        said = answers(app, secrets) | {"secrets": secrets}
    with closing(sqlite3.connect(data / "library.sqlite")) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.execute("PRAGMA journal_mode=DELETE")
        store.execute("VACUUM")
    shutil.copy(data / "library.sqlite", target)
    shutil.copy(data / "tuning.json", target)
    shutil.copytree(data / "artefacts", target / "artefacts")
    return said


def _make_distributed(data: Path, target: Path, address: str, kafka: Kafka) -> dict[str, Any]:
    store, topic = new_database(address), new_topic()
    settings = _settings(data, store=store, events=kafka.url(topic) + "?partitions=4")
    with open_app(settings) as app:
        fill_library(app)
        secrets = add_listeners(app)
        listen(app, list(secrets))
        messages = messages_in(kafka, topic)
        LogProjector(app.store, app.services.profiles).apply(list(app.log.entries()))
        said = answers(app, secrets) | {"secrets": secrets}
    _write_lines(target / "kafka.jsonl", [_message(one) for one in messages])
    with MongoClient[dict[str, Any]](store) as client:
        database = client.get_default_database()
        documents = [
            json_util.dumps({"collection": name, "document": document})
            for name in sorted(database.list_collection_names())
            for document in database[name].find().sort("_id")
        ]
    (target / "mongodb.jsonl").write_text("\n".join(documents) + "\n", encoding="utf-8")
    drop_database(store)
    return said


def _settings(data: Path, **named: Any) -> Settings:
    return Settings(data=data, artefacts=data / "artefacts", engine="local", **named)


def _message(message: Message) -> dict[str, Any]:
    key, value = message.key(), message.value()
    assert isinstance(key, bytes)
    assert isinstance(value, bytes)
    return {
        "partition": message.partition(),
        "key": base64.b64encode(key).decode(),
        "value": base64.b64encode(value).decode(),
    }


def _write(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body, sort_keys=True) + "\n", encoding="utf-8")


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines), encoding="utf-8")


def _nowhere(_done: int, _total: int) -> None:
    pass


if __name__ == "__main__":
    make(Path(sys.argv[1]))
