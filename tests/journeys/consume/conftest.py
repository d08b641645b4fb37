from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from events.kafka.running import QUICK
from journeys.consume.consuming import PLAYS
from journeys.plays import LASTFM, read_plays
from journeys.program import Program
from servers.kafka import Kafka, own_group
from servers.mongodb import drop_database, new_database
from soundalike.domain.listens import Listen
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def store_setting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """What `--store` names."""
    if request.param == "sqlite":
        yield str(tmp_path / "store" / "library.sqlite")
        return
    url = new_database(request.getfixturevalue("mongodb"))
    yield url
    drop_database(url)


@pytest.fixture
def url(kafka: Kafka) -> str:
    """What `--events` names."""
    return own_group(kafka.url())


@pytest.fixture
def log(url: str) -> Iterator[KafkaLog]:
    with closing(KafkaLog(KafkaAddress.parse(url), {})) as log:
        yield log


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path / "data")
    program.environment["SOUNDALIKE_KAFKA"] = ";".join(f"{name}={value}" for name, value in QUICK.items())
    return program


@pytest.fixture(scope="module")
def plays() -> Sequence[Listen]:
    if not LASTFM.is_file():
        pytest.skip("no real plays beside the checkout (../shared/data/events)")
    return list(read_plays(most=PLAYS))
