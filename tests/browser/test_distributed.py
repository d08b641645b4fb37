"""Eight journeys on servers: a store in MongoDB, a log in Kafka, and a consumer beside the player."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from browser.accounts import log_in, log_out, open_account
from browser.listener import Listener, RecordedListens, stored, until
from browser.queues import expect_new, recommended, three_groups
from servers.kafka import Kafka, own_group
from servers.mongodb import drop_database, named_mongodb, new_database
from soundalike.domain.users import YOU, User
from soundalike.web.server.serve import HttpServer
from web.clients import PASSWORD
from web.distributed import DistributedStage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.kafka,
    pytest.mark.mongodb,
    pytest.mark.xdist_group("browser on servers"),
]

TRIES = 3  # the quickest counts
SOON_S = 3  # servers share this machine's cores with the browser
NEW_PASSWORD = "a longer password"  # noqa: S105 - nobody's
NOTICE_PATIENCE_MS = 40_000


@pytest.fixture
def bare(tmp_path: Path, kafka: Kafka, mongodb: str) -> Iterator[DistributedStage]:
    store_url = new_database(mongodb)
    stage = DistributedStage(tmp_path, store_url=store_url, events_url=own_group(kafka.url(), partitions=2))
    yield stage
    stage.close()
    if named_mongodb():
        drop_database(store_url)


@pytest.fixture
def stage(bare: DistributedStage, sounds: dict[str, bytes]) -> DistributedStage:
    three_groups(bare, sounds["audio/ogg"])
    return bare


@pytest.fixture
def mira(stage: DistributedStage) -> User:
    """The first account; a page that opens before it exists is of nobody's account."""
    return stage.add_user("mira")


@pytest.fixture
def tom(stage: DistributedStage, mira: User) -> User:
    assert mira.id == YOU
    return stage.add_user("tom")


def test_a_track_goes_on_playing_while_pages_change_and_is_recorded(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    listener.play_in_order("A00")
    listener.open("A02")
    listener.expect_sound("A00")
    page.go_back()
    page.evaluate("audio.currentTime = 19.6")
    listener.expect_sound("A01")
    page.click("#next")
    listener.expect_sound("A02")
    told = [("started", "a00"), ("finished", "a00"), ("started", "a01"), ("skipped", "a01")]
    listens.expect(*told, ("started", "a02"))


def test_a_skip_and_a_like_change_the_visible_queue_soon(listener: Listener, page: Page) -> None:
    listener.play("A00")
    lines = listener.open_queue()
    liked = lines.filter(has_text="which you liked today")

    def skip() -> None:
        before = recommended(lines)
        page.click("#next")
        expect_new(lines, before)

    def like() -> None:
        page.click("#like")
        expect(liked.first).to_be_visible()

    def take_back() -> None:
        page.click("#like")
        expect(liked).to_have_count(0)

    assert min(timed_s(skip) for _ in range(TRIES)) < SOON_S
    took_s = [(timed_s(like), timed_s(take_back)) for _ in range(TRIES)]
    assert min(like_s for like_s, _ in took_s) < SOON_S
    assert min(back_s for _, back_s in took_s) < SOON_S


def timed_s(act: Callable[[], None]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def test_a_like_is_shown_survives_a_reload_and_is_taken_back(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    listener.play("A00")
    like, dislike = page.locator("#like"), page.locator("#dislike")
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(dislike).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(like).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(like).to_have_attribute("aria-pressed", "false")
    listens.expect(("started", "a00"), ("liked", "a00"), ("unliked", "a00"))


@pytest.mark.console_errors("ERR_INTERNET_DISCONNECTED|409")
def test_likes_made_offline_come_back_after_a_reload_once_without_what_cannot_be_taken(
    listener: Listener, page: Page, stage: DistributedStage, server: HttpServer, listens: RecordedListens
) -> None:
    page.context.set_offline(True)
    for title in ("A00", "A01", "A02"):
        listener.choose(title, "Like")
    stage.lose("a01")
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    page.context.set_offline(False)
    page.goto(server.url)
    listens.expect(("liked", "a00"), ("liked", "a02"))
    until(page, lambda: [event["track_id"] for event in stored(page)] == ["a01"])


@pytest.mark.console_errors("ERR_INTERNET_DISCONNECTED")
def test_two_tabs_neither_double_nor_lose_anything(
    listener: Listener, page: Page, server: HttpServer, listens: RecordedListens
) -> None:
    other = page.context.new_page()
    other.goto(server.url)
    page.context.set_offline(True)
    listener.choose("A00", "Like")
    Listener(other).choose("A01", "Like")
    listener.choose("A02", "Like")
    page.context.set_offline(False)
    listens.expect(("liked", "a00"), ("liked", "a01"), ("liked", "a02"))
    until(page, lambda: stored(page) == [])


@pytest.mark.console_errors("401|ERR_FAILED")
def test_what_one_listener_has_not_sent_is_never_sent_as_another(
    tom: User, mira: User, listener: Listener, page: Page, server: HttpServer, listens: RecordedListens
) -> None:
    # A test cannot see what a page sends as it closes.
    page.add_init_script(
        "const send = fetch; fetch = (to, how) => (how?.keepalive ? Promise.reject() : send(to, how))"
    )
    page.goto(server.url)
    log_in(page, "mira")
    page.route("**/api/listens", lambda route: route.abort())
    listener.choose("A00", "Like")
    log_out(page, server.url)
    page.unroute("**/api/listens")
    log_in(page, "tom")
    listener.choose("A02", "Like")
    listens.expect(("liked", "a02"), user_id=tom.id)
    assert listens.of(mira.id) == []
    until(page, lambda: [event["track_id"] for event in stored(page)] == ["a00"])
    log_out(page, server.url)
    log_in(page, "mira")
    listens.expect(("liked", "a00"), user_id=mira.id)
    listens.expect(("liked", "a02"), user_id=tom.id)
    until(page, lambda: stored(page) == [])


@pytest.mark.console_errors("400")
def test_tokens_password_export_and_deletion_on_the_page(
    mira: User,  # noqa: ARG001 - that the account exists before the page opens is what matters
    page: Page,
    stage: DistributedStage,
    console_errors: list[str],
) -> None:
    accounts = stage.services.accounts
    log_in(page, "mira")
    open_account(page, "mira")
    page.get_by_label("What is it for?").fill("phone")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator(".secret").inner_text()
    assert accounts.user_of_token(secret) is not None
    page.get_by_role("button", name="Revoke phone").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    assert accounts.user_of_token(secret) is None

    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password, again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["account"]["name"] == "mira"

    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("alert")).to_have_text("this is not your password")
    expect(page.get_by_label("Your password")).to_be_focused()
    assert len(console_errors) == 1
    page.get_by_label("Your password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("All your data is deleted.")).to_be_visible()
    assert not accounts.has_users()


def test_while_nobody_consumes_that_is_shown_and_what_was_done_is_followed_later(
    listener: Listener, page: Page, stage: DistributedStage, listens: RecordedListens
) -> None:
    listener.play("A00")
    recommended(listener.open_queue())
    until(page, lambda: count_folded(stage) == 1)
    page.reload(wait_until="networkidle")  # it knows now that this is folded
    lines = listener.open_queue()
    stage.consumer.stop()
    page.keyboard.press("l")
    notice = page.locator("#log-notice")
    expect(notice).to_contain_text(
        "recommendations are not updated at the moment", timeout=NOTICE_PATIENCE_MS
    )
    until(page, lambda: stored(page) == [])
    liked = lines.filter(has_text="which you liked today")
    expect(liked).to_have_count(0)
    page.reload(wait_until="networkidle")
    expect(page.locator("#like")).to_have_attribute("aria-pressed", "true")
    page.click("#queue-button")
    stage.begin_consuming()
    expect(notice).to_be_hidden(timeout=NOTICE_PATIENCE_MS)
    expect(liked.first).to_be_visible(timeout=NOTICE_PATIENCE_MS)
    assert ("liked", "a00") in listens.of(YOU)


def count_folded(stage: DistributedStage) -> int:
    """Return of how many listens the profile is made."""
    profile = stage.store.profile(YOU)
    return 0 if profile is None else profile.taste.count
