"""What is listened to comes to the same profiles to the bit through Kafka, whoever is killed on the way."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conftest import skip_where
from events.kafka.running import QUICK, append_until_taken, committed, messages_in, produce
from journeys.plays import LASTFM, json_line, read_plays
from journeys.program import Program, free_port, wait_until
from making import make_listen
from servers.kafka import Kafka, KafkaServer, missing_kafka
from servers.mongodb import drop_database, new_database
from servers.processes import running
from soundalike.app.backends import open_store
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import refold
from soundalike.domain.types import EventId, UserId
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from soundalike.wire.profiles import profile_body

pytestmark = pytest.mark.kafka

TESTS = Path(__file__).parent.parent
PLAYS = 5_000
DAY_MS = 24 * 3600 * 1000
LATENESS_MS = 7 * DAY_MS
ADA = UserId("ada")

# Consumes as `soundalike consume` does, and dies or dawdles at one moment.
CONSUME = """
import os
import signal
import sys
import threading
import time
from soundalike.app.backends import open_store
from soundalike.events.kafka import consumer as kafka_consumer
from soundalike.events.kafka.address import KafkaAddress
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.profiles import Profiles

place, url, moment, batch = sys.argv[1:]
kafka_consumer.MAX_BATCH = int(batch)
taken = 0


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Fatal(Profiles):
    def fold(self, listens, repeated=()):
        if moment == "between storing and folding" and taken >= 1:
            die()
        super().fold(listens, repeated)


def take(records):
    global taken
    projector.apply(records)
    taken += 1
    if moment == "between folding and committing" and taken >= 2:
        die()
    if moment == "dawdle" and taken == 1:
        print("took", flush=True)
        start = time.time()
        while time.time() < start + 1:  # is over at once when it goes on after it was stopped
            pass


with open_store(place) as store:
    projector = LogProjector(store, Fatal(store, lateness_ms=7 * 24 * 3600 * 1000))
    quick = {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300"}
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    kafka_consumer.KafkaConsumer(KafkaAddress.parse(url), quick, take).run(stop)
"""


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


def own_group(url: str, *, partitions: int = 4) -> str:
    return f"{url}?partitions={partitions}&group=of-{url.rpartition('/')[2]}"


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


@contextmanager
def consumer(program: Program, store: str, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Run `soundalike consume` from when it is ready to the end of the block, or until it is killed."""
    with program.start("consume", "--store", store, "--events", url, *more) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Folding "), process.communicate()
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def store_holds(store: ListenStore, listens: Sequence[Listen]) -> bool:
    """Whether each of these is stored and folded, once, to the bit, and nothing else."""
    expected: dict[UserId, dict[EventId, Listen]] = {}
    for listen in listens:
        expected.setdefault(listen.user_id, {}).setdefault(listen.id, listen)
    if dict(store.listen_counts()) != {user: len(of_user) for user, of_user in expected.items()}:
        return False
    if store.profile_counts() != store.listen_counts():
        return False
    return all(is_folded(store, user, list(of_user.values())) for user, of_user in expected.items())


def is_folded(store: ListenStore, user_id: UserId, listens: Sequence[Listen]) -> bool:
    found = store.profile(user_id)
    erased_ms = store.erased_ms(user_id)
    profile = refold(user_id, listens, lateness_ms=LATENESS_MS, erased_ms=erased_ms)
    return found is not None and json.dumps(profile_body(found)) == json.dumps(profile_body(profile))


def wait_for(is_true: Callable[[], bool], *, patience_s: float = 120.0) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def batches(listens: Sequence[Listen], size: int) -> list[Sequence[Listen]]:
    return [listens[start : start + size] for start in range(0, len(listens), size)]


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


class TestKilledConsumers:
    @pytest.mark.parametrize(
        "moment",
        [
            pytest.param("between storing and folding", marks=pytest.mark.faults),
            "between folding and committing",
        ],
    )
    def test_at_the_worst_moment(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen],
        moment: str,
    ) -> None:  # fmt: skip
        for batch in batches(plays[:1_200], 300):
            log.append(batch)
        for _ in range(2):
            with script(program, store_setting, url, moment, "150") as dying:
                assert dying.wait(120) == -signal.SIGKILL
        with open_store(store_setting) as store:
            assert 0 < sum(store.listen_counts().values()) < 1_200
            with consumer(program, store_setting, url):
                wait_for(lambda: store_holds(store, plays[:1_200]))

    @pytest.mark.faults
    def test_one_of_two_at_any_moment(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen]
    ) -> None:
        chance = random.Random(5)  # noqa: S311 - no secret is made
        listens = plays[:3_000]
        is_sent = threading.Event()

        def send() -> None:
            for batch in batches(listens, 25):
                append_until_taken(log, batch)
                time.sleep(0.02)
            is_sent.set()

        sending = threading.Thread(target=send)
        with consumer(program, store_setting, url), open_store(store_setting) as store:
            sending.start()
            for _ in range(3):
                with consumer(program, store_setting, url) as other:
                    time.sleep(chance.uniform(0.2, 1.5))
                    other.kill()
                    other.wait(60)
            sending.join()
            assert is_sent.is_set()
            wait_for(lambda: store_holds(store, listens))

    @pytest.mark.faults
    def test_one_that_was_stopped_for_too_long_undoes_nothing_of_what_others_did(
        self, program: Program, store_setting: str, kafka: Kafka
    ) -> None:
        url = own_group(kafka.url(), partitions=1)
        with closing(KafkaLog(KafkaAddress.parse(url), {})) as log, open_store(store_setting) as store:
            log.append([make_listen(1, at_ms=1)])
            log.erase(Erasure(ADA, 10), is_total=True)
            with script(program, store_setting, url, "dawdle", "1") as stopped:
                assert stopped.stdout is not None
                assert stopped.stdout.readline() == "took\n"
                stopped.send_signal(signal.SIGSTOP)
                with consumer(program, store_setting, url):
                    log.append([make_listen(2, at_ms=20)])
                    wait_for(lambda: store_holds(store, [make_listen(2, at_ms=20)]))
                    stopped.send_signal(signal.SIGCONT)
                    time.sleep(5)
                    assert store_holds(store, [make_listen(2, at_ms=20)])


@contextmanager
def script(program: Program, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `CONSUME`, and kill it at the end of the block if it has not died of itself."""
    environment = program.environment | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-c", CONSUME, *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    skip_where(missing_kafka())
    with running(broker := KafkaServer(tmp_path_factory.mktemp("own"))):
        yield broker


@pytest.mark.faults
class TestKilledBroker:
    def test_every_acknowledged_listen_is_counted_exactly_once(
        self, program: Program, store_setting: str, broker: KafkaServer, plays: Sequence[Listen]
    ) -> None:
        url = own_group(broker.url())
        listens = plays[:2_000]
        with (
            closing(KafkaLog(KafkaAddress.parse(url), {})) as log,
            consumer(program, store_setting, url),
            open_store(store_setting) as store,
        ):
            progress: list[int] = []

            def send() -> None:
                for batch in batches(listens, 20):
                    append_until_taken(log, batch)
                    progress.append(len(batch))

            sending = threading.Thread(target=send)
            sending.start()
            wait_for(lambda: len(progress) >= 30)
            broker.kill()
            broker.start()
            sending.join()
            wait_for(lambda: store_holds(store, listens))


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
            ("kafka://h/t?partitions=none", "partitions is a whole number"),
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


@pytest.mark.faults
def test_the_broker_may_be_away_without_a_word_of_its_library_on_the_terminal(
    program: Program, broker: KafkaServer, tmp_path: Path
) -> None:
    url = own_group(broker.url())
    with program.start("consume", "--store", str(tmp_path / "library.sqlite"), "--events", url) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Folding ")
        broker.kill()
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
    broker.start()
    lines = [line for line in err.splitlines() if not line.startswith("WARNING soundalike.events.kafka_")]
    assert lines == []
    assert "rdkafka" not in err
