"""What the listener sees, and what is kept, while a real broker or store is killed and started again."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.listener import Listener, RecordedListens, stored, until
from browser.queues import recommended, three_groups, titles
from conftest import skip_where
from servers.kafka import KafkaServer, missing_kafka
from servers.mongodb import MongoDb, missing_mongodb, new_database
from servers.processes import running
from web.distributed import DistributedStage

pytestmark = [pytest.mark.browser, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.faults]

PATIENCE_MS = 40_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that may be killed."""
    skip_where(missing_kafka())
    with running(broker := KafkaServer(tmp_path / "broker")):
        yield broker


@pytest.fixture
def database(tmp_path: Path) -> Iterator[MongoDb]:
    """A store's server that may be killed."""
    skip_where(missing_mongodb())
    with running(server := MongoDb(tmp_path / "mongodb")):
        yield server


@pytest.fixture
def stage(
    tmp_path: Path, sounds: dict[str, bytes], broker: KafkaServer, database: MongoDb
) -> Iterator[DistributedStage]:
    (tmp_path / "music").mkdir()
    stage = DistributedStage(
        tmp_path / "music",
        store_url=f"{new_database(database.address)}?timeoutMS=2000",
        events_url=f"{broker.url()}?partitions=2",
    )
    three_groups(stage, sounds["audio/ogg"])
    yield stage
    stage.close()


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait for as long as servers and clients may take to find each other again."""
    for _ in range(PATIENCE_MS // 10_000):
        if is_so():
            return
        try:
            until(page, is_so)
        except AssertionError:
            continue
    assert is_so()


@pytest.mark.console_errors("503")
def test_while_the_broker_is_away_everything_is_kept_and_counts_once_when_it_is_back(
    listener: Listener, page: Page, broker: KafkaServer, listens: RecordedListens
) -> None:
    listener.choose("A03", "Like")
    listens.expect(("liked", "a03"))
    broker.kill()
    listener.choose("B03", "Dislike")
    listener.choose("C03", "Like")
    notice = page.locator("#log-notice")
    expect(notice).to_contain_text("What you do is stored in this browser", timeout=PATIENCE_MS)
    assert [event["track_id"] for event in stored(page)] == ["b03", "c03"]
    page.reload(wait_until="networkidle")
    listener.row("C03").locator("[data-do=menu]").click()
    like = page.get_by_role("menuitemcheckbox", name="Like", exact=True)
    expect(like).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Escape")
    listener.play("A00")
    broker.start()
    expected = [("liked", "a03"), ("disliked", "b03"), ("liked", "c03"), ("started", "a00")]
    wait_until(page, lambda: all(listens.of().count(one) == 1 for one in expected))
    wait_until(page, lambda: stored(page) == [])
    expect(notice).to_be_hidden(timeout=PATIENCE_MS)


@pytest.mark.console_errors("503")
def test_while_the_store_is_away_it_is_said_and_what_plays_goes_on(
    listener: Listener, page: Page, database: MongoDb, listens: RecordedListens
) -> None:
    listener.play("A00")
    lines = listener.open_queue()
    before = recommended(lines)
    listens.expect(("started", "a00"))
    database.kill()
    page.keyboard.press("l")
    expect(page.locator(".toast-word").filter(has_text=re.compile("database does not answer"))).to_be_visible(
        timeout=PATIENCE_MS
    )
    notice = page.locator("#log-notice")
    expect(notice).to_contain_text("The library's database does not answer", timeout=PATIENCE_MS)
    listener.expect_sound("A00")
    assert titles(lines) == before
    assert [event["kind"] for event in stored(page)] == ["liked"]
    database.start()
    wait_until(page, lambda: stored(page) == [])
    wait_until(page, lambda: ("liked", "a00") in listens.of())
    expect(notice).to_be_hidden(timeout=PATIENCE_MS)
    expect(lines.filter(has_text="which you liked today").first).to_be_visible(timeout=PATIENCE_MS)
