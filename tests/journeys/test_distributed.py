"""The README's main job on MongoDB, Kafka and a Spark cluster, as a user starts it and listens."""

import json
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.listener import Listener
from browser.queues import expect_new, titles
from conftest import skip_where
from journeys.program import Program, answers, free_port, get, has_scanned
from servers.kafka import Kafka, own_group
from servers.mongodb import drop_database, new_database
from servers.processes import QUICK_JAVA
from servers.spark import SparkCluster, connector_jars, missing_connector

pytestmark = [
    pytest.mark.browser,
    pytest.mark.kafka,
    pytest.mark.mongodb,
    pytest.mark.realmusic,
    pytest.mark.spark,
]

CLIPS = 96
WORK_S = 400
SOON_S = 30
PASSWORD = "correct horse"  # noqa: S105 - of nobody
RECOMMENDATIONS = "/api/recommendations?limit=50&adventure=0.3"


class Distributed:
    """The program with everything on servers; `where` names them as the issue's flags do."""

    def __init__(self, folder: Path, *, store: str, events: str, master: str) -> None:
        self.program = Program(folder / "data")
        self.program.environment["SOUNDALIKE_SPARK"] = ";".join(
            (f"spark.jars={connector_jars()}", f"spark.executor.extraJavaOptions={' '.join(QUICK_JAVA)}")
        )
        self.where = ["--store", store, "--events", events]
        self.master = master

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        with self.program.start(*arguments, *self.where) as process:
            yield process
            process.send_signal(signal.SIGINT)
            process.wait(60)

    @contextmanager
    def serving(self, *arguments: str | Path) -> Iterator[str]:
        """Serve and yield the address, once all work is done and it answers."""
        port = free_port()
        with self.running(*arguments, "--port", str(port)) as process:
            address = f"http://127.0.0.1:{port}"
            is_ready = has_scanned if arguments[0] == "up" else answers
            wait_for(lambda: is_ready(address), process=process, patience_s=WORK_S)
            yield address


@pytest.fixture(scope="module")
def distributed(
    kafka: Kafka, mongodb: str, spark_cluster: SparkCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Distributed]:
    skip_where(missing_connector())
    store = new_database(mongodb)
    yield Distributed(
        tmp_path_factory.mktemp("distributed"),
        store=store,
        events=own_group(kafka.url()),
        master=spark_cluster.url,
    )
    drop_database(store)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def test_up_does_everything_and_the_queue_follows_what_is_done(
    distributed: Distributed, real_music: Path, spark_cluster: SparkCluster, page: Page
) -> None:
    with distributed.serving(
        "up", real_music, "--engine", "spark", "--master", distributed.master
    ) as address:
        health = get(f"{address}/healthz")
        assert (health["status"], health["tracks"], health["artefact"]) == ("ok", CLIPS, "000001")
        wait_for(lambda: get(f"{address}/healthz")["events"]["is_consumed"])
        page.goto(address)
        expect(page.locator("#log-notice")).to_be_hidden()
        played = hear_like_and_skip(page)
        expected = [
            ("started", played[0]),
            ("liked", played[0]),
            ("skipped", played[0]),
            ("started", played[1]),
        ]
        wait_for(lambda: sorted(told(address)) == sorted(expected))
        page.goto("about:blank")
    assert not list(distributed.program.data.glob("*.sqlite*"))
    (manifest,) = (distributed.program.data / "artefacts").glob("*/000001/manifest.json")
    assert json.loads(manifest.read_text(encoding="utf-8"))["facts"]["engine"] == "spark"
    assert "Registered app" in spark_cluster.master.log.read_text(encoding="utf-8")


def hear_like_and_skip(page: Page) -> list[str]:
    """Play the first track, like it and skip it, and see the queue follow; return what was heard."""
    listener = Listener(page)
    title = page.locator("li.track .track-title").first.inner_text()
    page.locator("li.track [data-do=play]").first.click()
    listener.expect_sound(title)
    lines = listener.open_queue()
    expect(lines).to_have_count(10)
    first = listener.current_id()
    liked = lines.filter(has_text="which you liked today")
    expect(liked).to_have_count(0)
    page.keyboard.press("l")
    expect(liked.first).to_be_visible()
    before = titles(lines)
    page.keyboard.press("n")
    listener.expect_sound(before[0])
    expect_new(lines, before)
    expect(lines).to_have_count(10)
    return [first, listener.current_id()]


@pytest.mark.usefixtures("real_music")
def test_two_web_processes_and_a_consumer_beside_them_are_one_player(
    distributed: Distributed, page: Page
) -> None:
    with distributed.serving("serve") as one, distributed.serving("serve") as other:
        health = get(f"{one}/healthz")
        assert health["tracks"] == CLIPS
        # Nobody folds while neither is told to.
        wait_for(lambda: not get(f"{one}/healthz")["events"]["is_consumed"])
        page.goto(one)
        expect(page.locator("#log-notice")).to_contain_text("no consumer is running")
        with distributed.running("consume"):
            expect(page.locator("#log-notice")).to_be_hidden(timeout=1000 * SOON_S)
            seen = [same(one, other)]
            tracks = get(f"{one}/api/tracks?limit=100")["tracks"]
            for number, address in enumerate((one, other, one)):
                send(page, address, tracks[30 * number]["id"], kind="liked")
                wait_for(lambda: same(one, other) != seen[-1])
                seen.append(same(one, other))
            page.goto("about:blank")
            added = distributed.program.run("users", "add", "mira", *distributed.where, input=f"{PASSWORD}\n")
            assert added.returncode == 0, added.stderr
            log_in(page, one)
            page.goto(other)
            expect(page.get_by_role("link", name="Your account, mira")).to_be_visible()


def same(one: str, other: str) -> list[dict[str, Any]]:
    """Return what both recommend, once both have the same profile in view."""
    answers: list[Any] = []

    def agree() -> bool:
        answers[:] = [get(f"{address}{RECOMMENDATIONS}") for address in (one, other, one)]
        # What was folded between two questions is seen by the later alone.
        return len({answer["profile_version"] for answer in answers}) == 1

    wait_for(agree)
    assert answers[0] == answers[1] == answers[2]
    found: list[dict[str, Any]] = answers[0]["recommendations"]
    assert found
    return found


def send(page: Page, address: str, track_id: str, *, kind: str) -> None:
    """Do something by the API, as a script does."""
    event = {
        "id": str(uuid.uuid4()),
        "track_id": track_id,
        "kind": kind,
        "position_ms": None,
        "at": datetime.now(UTC).isoformat(),
    }
    answer = page.request.post(f"{address}/api/listens", data={"events": [event]})
    assert (answer.status, answer.json()) == (
        202,
        {"accepted": 1, "duplicates": 0, "generation": 0, "folded": False},
    )


def told(address: str) -> list[tuple[str, str]]:
    """Return kind and track of all that is stored of what was done."""
    listens = get(f"{address}/api/me/export")["listens"]
    return [(listen["kind"], listen["track_id"]) for listen in listens]


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("Name").fill("mira")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()


def wait_for(
    is_so: Callable[[], bool],
    *,
    process: subprocess.Popen[str] | None = None,
    patience_s: float = SOON_S,
) -> None:
    deadline = time.monotonic() + patience_s
    while not is_so():
        if process is not None and process.poll() is not None:
            pytest.fail(f"it ended early: {process.communicate()}")
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
