"""The player over a log that takes at once and folds later: the queue follows once the profile has."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.listener import CLOCK_STEP_MS, Ledger, Listener, Requests, StoppedClock, stored, until
from browser.queues import changes, questions, reasons, recommended, three_groups, titles
from soundalike.domain.errors import EventLogError, StoreUnavailableError
from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.users import YOU
from web.stage import LaterStage, Stage

pytestmark = pytest.mark.browser

ASKED_ANYWAY_MS = 1_000
LONGER_THAN_WATCHED_MS = 6_000
LOOKED_AGAIN_MS = 6_500
NOBODY = LogHealth(is_consumed=False, detail="no consumer is running; start one with 'soundalike consume'")
AWAY = LogHealth(is_up=False, is_consumed=False, detail="Kafka does not answer.")
STORE_AWAY = "The library does not answer just now. What you do is stored in this browser until it is back."


@pytest.fixture
def stage(tmp_path: Path, sounds: dict[str, bytes]) -> LaterStage:
    stage = LaterStage(tmp_path)
    three_groups(stage, sounds["audio/ogg"])
    return stage


@contextmanager
def consuming(stage: LaterStage, every_ms: int = 30) -> Iterator[None]:
    """Fold what comes, soon, as a consumer does."""
    ended = threading.Event()

    def consume() -> None:
        while not ended.wait(every_ms / 1000):
            stage.log.fold()

    thread = threading.Thread(target=consume)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def lines(listener: Listener, page: Page, stage: LaterStage, ledger: Ledger) -> Locator:
    """The queue while A00 plays, and nothing waits to be folded."""
    with consuming(stage):
        listener.play("A00")
        listener.hears("A00")
        listener.dwells()
        lines = listener.open_queue()
        recommended(lines)
        ledger.becomes(("started", "a00"))
        until(page, lambda: stored(page) == [])
        page.wait_for_timeout(1_000)  # the page has seen that what began is folded
    return lines


def notice_of_before(page: Page, stage: LaterStage) -> Locator:
    """Return the notice, which says a trouble that is over by now."""
    notice = page.locator("#log-notice")
    stage.log.known_health = NOBODY
    page.reload()
    expect(notice).to_contain_text("no consumer is running")
    stage.log.known_health = LogHealth()
    return notice


@contextmanager
def store_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the store answer nothing that a player asks for."""

    def fail(*_: object, **__: object) -> None:
        msg = "no answer from mongodb"
        raise StoreUnavailableError(msg)

    with monkeypatch.context() as away:
        for name in ("has_users", "track", "tracks", "count_tracks", "profile_version"):
            away.setattr(stage.store, name, fail)
        yield


@pytest.fixture
def clock(page: Page) -> StoppedClock:
    """The page's clock; it is stopped once whatever a test names before it is there."""
    return StoppedClock(page)


@pytest.fixture
def looks(page: Page) -> Requests:
    """Every question for the version of the profile."""
    return Requests(page, lambda request: request.url.endswith("/api/profile"))


def test_what_is_done_changes_the_queue_and_the_profile_is_asked_for_by_one_loop(
    page: Page, stage: LaterStage, lines: Locator, looks: Requests
) -> None:
    liked = lines.filter(has_text="to “A00”, which you liked today")
    expect(liked).to_have_count(0)
    with consuming(stage):
        page.keyboard.press("l")
        expect(liked.first).to_be_visible()
        before = titles(lines)
        page.keyboard.press("n")
        changes(lines, before)
        assert all(re.search(r"[a-z]{3}", reason) for reason in reasons(lines))
    assert looks.most_at_once == 1


def test_the_queue_is_asked_for_once_the_profile_has_changed_and_not_before(
    page: Page, stage: LaterStage, lines: Locator, clock: StoppedClock
) -> None:
    asked = questions(page)
    page.keyboard.press("l")
    until(page, lambda: stage.log.waiting == 1)
    clock.passes(300)
    assert asked == []
    stage.log.fold()
    clock.passes(ASKED_ANYWAY_MS - 400, lambda: len(asked) == 1)
    expect(lines.filter(has_text="which you liked today").first).to_be_visible()
    clock.passes(500)
    assert len(asked) == 1


def test_that_a_track_begins_changes_no_queue(
    listener: Listener, page: Page, stage: LaterStage, looks: Requests, clock: StoppedClock
) -> None:
    listener.play("A00")
    listener.hears("A00")
    until(page, lambda: stage.log.waiting == 1)
    recommended(listener.open_queue())
    asked, before = questions(page), len(looks)
    stage.log.fold()
    clock.passes(LONGER_THAN_WATCHED_MS, lambda: len(looks) > before)
    assert len(looks) > before
    clock.passes(1_000)
    assert asked == []


def test_what_takes_longer_is_asked_for_without_and_followed_when_it_comes(
    page: Page, stage: LaterStage, lines: Locator, clock: StoppedClock
) -> None:
    asked = questions(page)
    page.keyboard.press("l")
    until(page, lambda: stage.log.waiting == 1)
    clock.passes(ASKED_ANYWAY_MS + 500)
    assert len(asked) == 1
    liked = lines.filter(has_text="which you liked today")
    expect(liked).to_have_count(0)
    stage.log.fold()
    clock.passes(2_500, lambda: len(asked) == 2)
    expect(liked.first).to_be_visible()
    assert len(asked) == 2


def test_two_things_done_at_once_are_followed_though_they_are_folded_one_by_one(
    listener: Listener, page: Page, stage: LaterStage, lines: Locator, clock: StoppedClock
) -> None:
    asked = questions(page)
    page.keyboard.press("l")
    listener.choose("C03", "Dislike")
    until(page, lambda: stage.log.waiting == 2)
    stage.log.fold(1)
    clock.passes(ASKED_ANYWAY_MS - 100, lambda: len(asked) == 1)
    expect(lines.filter(has_text="which you liked today").first).to_be_visible()
    stage.log.fold(1)
    clock.passes(LONGER_THAN_WATCHED_MS, lambda: len(asked) == 2)
    assert len(asked) == 2
    clock.goes_on()
    with page.expect_response("**/api/recommendations?*") as answered:
        page.locator("#adventure").press("End")
    version = stage.services.profiles.of(YOU).version
    assert answered.value.json()["profile_version"] == version


def test_where_nothing_changes_it_is_asked_ever_more_seldom_and_then_why(
    listener: Listener, page: Page, stage: LaterStage, looks: Requests
) -> None:
    page.reload(wait_until="networkidle")  # it has looked once, and all was well
    clock = StoppedClock(page)
    stage.log.known_health = NOBODY
    listener.choose("A03", "Like")
    until(page, lambda: stage.log.waiting == 1)
    at_ms: list[int] = []
    for now_ms in range(CLOCK_STEP_MS, LONGER_THAN_WATCHED_MS, CLOCK_STEP_MS):
        clock.passes(CLOCK_STEP_MS)
        at_ms += [now_ms] * (len(looks) - len(at_ms))
    expect(page.locator("#log-notice")).to_be_visible()
    assert 5 <= len(at_ms) <= 8
    pauses_ms = [later - earlier for earlier, later in pairwise(at_ms)]
    assert pauses_ms[0] < 500
    assert pauses_ms[-1] > 1_200
    clock.passes(LONGER_THAN_WATCHED_MS)
    assert len(looks) == len(at_ms)


def test_after_a_wait_for_nothing_nobody_waits_for_the_next(
    page: Page, stage: LaterStage, lines: Locator, clock: StoppedClock
) -> None:
    page.keyboard.press("l")
    until(page, lambda: stage.log.waiting == 1)
    clock.passes(LONGER_THAN_WATCHED_MS)
    asked = questions(page)
    page.keyboard.press("l")
    until(page, lambda: len(asked) == 1)
    until(page, lambda: stage.log.waiting == 2)
    stage.log.fold()
    clock.passes(LONGER_THAN_WATCHED_MS, lambda: len(asked) == 2)
    assert len(asked) == 2
    assert titles(lines)


def test_a_hidden_tab_that_is_silent_asks_nothing_until_it_is_seen(
    listener: Listener, page: Page, stage: LaterStage, looks: Requests
) -> None:
    page.evaluate(
        """() => {
          Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
        }"""
    )
    listener.choose("C03", "Like")
    until(page, lambda: stage.log.waiting == 1)
    page.wait_for_timeout(1_500)
    assert len(looks) == 0
    page.evaluate(
        """() => {
          delete document.visibilityState;
          document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
        }"""
    )
    until(page, lambda: len(looks) > 1)


def test_what_is_liked_stays_liked_over_a_reload_until_the_server_knows(
    page: Page, stage: LaterStage, lines: Locator
) -> None:
    like = page.locator("#like")
    page.keyboard.press("l")
    until(page, lambda: stage.log.waiting == 1 and stored(page) == [])
    assert lines.count() > 0
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    for _ in range(2):
        reload_judged(page)
        expect(like).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    until(page, lambda: stage.log.waiting == 2)
    reload_judged(page)
    expect(like).to_have_attribute("aria-pressed", "false")
    assert len(unfolded(page)) == 2
    stage.log.fold()
    until(page, lambda: unfolded(page) == [])
    # From now on the server alone is believed.
    stage.pass_time(60)
    stage.listen(YOU, 1, track_id="a00", kind="liked")
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    expect(like).to_have_attribute("aria-pressed", "true")


def test_play_for_me_plays_though_something_is_still_being_folded(
    listener: Listener, page: Page, stage: LaterStage
) -> None:
    listener.choose("A03", "Like")
    until(page, lambda: stage.log.waiting == 1)
    with consuming(stage, every_ms=200):
        page.get_by_role("button", name="Play for me").first.click()
        page.wait_for_function("() => audio.currentTime > 0.2")
    expect(page.locator("#player-title")).not_to_have_text("Nothing playing")


def test_that_nobody_folds_is_said_quietly_until_it_is_well_again(
    listener: Listener, page: Page, stage: LaterStage
) -> None:
    notice = page.locator("#log-notice")
    expect(notice).to_be_hidden()
    stage.log.known_health = NOBODY
    page.reload()
    expect(notice).to_be_visible()
    expect(notice).to_have_text(
        "What you do is stored, but recommendations do not follow it just now: no consumer is running."
    )
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    until(page, lambda: len(titles(lines)) == 10)
    page.keyboard.press("l")
    until(page, lambda: stored(page) == [] and stage.log.waiting == 2)
    asked = questions(page)
    stage.log.fold()
    stage.log.known_health = LogHealth()
    expect(notice).to_be_hidden(timeout=20_000)
    expect(lines.filter(has_text="which you liked today").first).to_be_visible()
    assert asked


def test_the_notice_can_be_closed_and_comes_back_for_another_trouble_alone(
    page: Page, stage: LaterStage
) -> None:
    notice = page.locator("#log-notice")
    stage.log.known_health = NOBODY
    page.reload()
    page.get_by_role("button", name="Close this notice").click()
    expect(notice).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    expect(notice).to_be_hidden()
    stage.log.known_health = AWAY
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    expect(notice).to_have_text(
        "What you do is stored in this browser until the server can take it:"
        " the event log is not accepting events."
    )


@pytest.mark.complains("503")
def test_while_the_log_is_away_everything_is_kept_and_sent_when_it_is_back(
    listener: Listener, page: Page, stage: LaterStage, ledger: Ledger
) -> None:
    stage.log.failure = EventLogError("Kafka does not answer")
    stage.log.known_health = AWAY
    listener.choose("A03", "Like")
    expect(page.locator("#log-notice")).to_be_visible()
    listener.choose("B03", "Dislike")
    page.wait_for_timeout(500)
    assert [event["track_id"] for event in stored(page)] == ["a03", "b03"]
    stage.log.failure, stage.log.known_health = None, LogHealth()
    until(page, lambda: stage.log.waiting == 2)
    until(page, lambda: stored(page) == [])
    expect(page.locator("#log-notice")).to_be_hidden(timeout=20_000)
    stage.log.fold()
    ledger.becomes(("liked", "a03"), ("disliked", "b03"))


@pytest.mark.complains("503")
def test_while_the_store_is_away_it_is_said_in_words_and_what_plays_goes_on(
    listener: Listener,
    page: Page,
    stage: LaterStage,
    lines: Locator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = titles(lines)
    with store_away(stage, monkeypatch):
        page.keyboard.press("l")
        listener.sees(re.compile("the queue stays as it is: the library's database does not answer"))
        listener.hears("A00")
        assert titles(lines) == before
        assert [event["kind"] for event in stored(page)] == ["liked"]
        page.keyboard.press("n")
        listener.sees(
            re.compile("The library cannot be reached just now. Playback continues when it is back")
        )
        page.wait_for_function("() => audio.paused")
        assert titles(lines) == before[1:]
        stage.log.known_health = NOBODY  # nor does that keep the sound away
    listener.hears(before[0])  # by itself
    stage.log.known_health = LogHealth()
    with consuming(stage):
        until(page, lambda: stored(page) == [])
        recommended(lines)


@pytest.mark.complains("503")
def test_that_the_store_is_away_takes_the_place_of_what_was_said_until_it_is_back(
    listener: Listener,
    page: Page,
    stage: LaterStage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notice = notice_of_before(page, stage)
    with store_away(stage, monkeypatch):
        listener.play("A00")
        expect(notice).to_have_text(STORE_AWAY)
        listener.choose("A03", "Like")
        page.wait_for_timeout(LONGER_THAN_WATCHED_MS + 1_000)
        expect(notice).to_have_text(STORE_AWAY)
        assert [event["track_id"] for event in stored(page)] == ["a03"]
    expect(notice).to_be_hidden(timeout=20_000)
    until(page, lambda: stored(page) == [])
    recommended(listener.open_queue())


@pytest.mark.complains("ERR_INTERNET_DISCONNECTED")
def test_that_nobody_can_be_reached_takes_the_place_of_what_was_said_until_somebody_can(
    page: Page, stage: LaterStage
) -> None:
    notice = notice_of_before(page, stage)
    page.context.set_offline(True)
    expect(notice).to_have_text(
        "soundalike cannot be reached. What you do is stored in this browser until it is back.",
        timeout=20_000,
    )
    page.context.set_offline(False)
    expect(notice).to_be_hidden(timeout=20_000)


class TestWhereTheLogFoldsAtOnce:
    @pytest.fixture
    def stage(self, tmp_path: Path, sounds: dict[str, bytes]) -> Stage:
        return three_groups(Stage(tmp_path), sounds["audio/ogg"])

    def test_nobody_asks_for_the_profile_nor_for_the_log(self, listener: Listener, page: Page) -> None:
        asked: list[str] = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.reload(wait_until="networkidle")
        listener.play("A00")
        listener.hears("A00")
        page.keyboard.press("l")
        page.keyboard.press("n")
        page.wait_for_timeout(1_500)
        assert any(url.endswith("/api/listens") for url in asked)
        assert not [url for url in asked if url.endswith(("/api/profile", "/healthz"))]

    @pytest.mark.complains("ERR_INTERNET_DISCONNECTED")
    def test_what_stopped_with_the_server_goes_on_with_it_even_unseen(
        self, listener: Listener, page: Page
    ) -> None:
        page.context.set_offline(True)
        listener.play("A00")
        listener.sees(re.compile("soundalike cannot be reached. Playback continues when it is back"))
        expect(page.locator("#log-notice")).to_contain_text("soundalike cannot be reached")
        page.evaluate(
            """() => {
              Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
            }"""
        )
        page.wait_for_timeout(LOOKED_AGAIN_MS)
        page.context.set_offline(False)
        listener.hears("A00")
        expect(page.locator("#log-notice")).to_be_hidden()

    @pytest.mark.complains("ERR_INTERNET_DISCONNECTED")
    def test_nobody_is_startled_long_after_it_stopped(self, listener: Listener, page: Page) -> None:
        page.add_init_script(
            """window.later = 0;
            const now = performance.now.bind(performance);
            performance.now = () => now() + window.later;"""
        )
        page.reload()
        page.context.set_offline(True)
        listener.play("A00")
        listener.sees(re.compile("soundalike cannot be reached"))
        page.evaluate("window.later = 11 * 60 * 1000")
        page.context.set_offline(False)
        expect(page.locator("#log-notice")).to_be_hidden(timeout=20_000)
        page.wait_for_timeout(1_000)
        assert page.evaluate("audio.paused")
        page.click("#toggle")
        listener.hears("A00")

    @pytest.mark.complains("503")
    def test_that_the_store_is_away_is_said_there_too(
        self,
        listener: Listener,
        page: Page,
        stage: Stage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        notice = page.locator("#log-notice")
        expect(notice).to_be_hidden()
        with store_away(stage, monkeypatch):
            # Nobody looks at the health there: that the sound does not come is what tells.
            listener.play("A00")
            expect(notice).to_have_text(STORE_AWAY)
        expect(notice).to_be_hidden(timeout=20_000)


def reload_judged(page: Page) -> None:
    """Open the page anew until it knows the listener's opinions as the server does."""
    with page.expect_response("**/api/judgements"):
        page.reload()
    page.wait_for_timeout(100)


def unfolded(page: Page) -> list[str]:
    keys: list[str] = page.evaluate(
        "Object.keys(localStorage).filter((key) => key.startsWith('soundalike:unfolded:'))"
    )
    return keys


@pytest.mark.parametrize("width", [1280, 800, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_notice_covers_nothing_that_one_needs_and_nothing_covers_it(
    listener: Listener, page: Page, stage: LaterStage, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 844 if width == 390 else 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    stage.log.known_health = NOBODY
    page.reload()
    listener.play("A00")
    listener.hears("A00")
    close = page.get_by_role("button", name="Close this notice")
    expect(close).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    size = close.bounding_box()
    assert size is not None
    assert min(size["width"], size["height"]) >= 44
    until(page, lambda: not overlap(page, "#log-notice", "#player"))
    lines = listener.open_queue()
    expect(lines.first).to_be_visible()
    apart = [
        ("#log-notice", "#player"),
        ("#log-notice", "#queue"),
        ("#log-notice", ".top"),
        ("#queue", ".top"),
    ]

    def overlapping() -> list[tuple[str, str]]:
        return [two for two in apart if overlap(page, *two)]

    until(page, lambda: overlapping() == [], lambda: str(overlapping()))
    expect(page.locator("#log-notice span")).to_be_in_viewport(ratio=1)
    lines.first.locator("[data-do=remove]").click()
    before = bottom(page, "#queue")
    close.click()
    if width == 390:  # the queue takes the room that the notice had
        until(page, lambda: bottom(page, "#queue") > before)
    else:
        page.wait_for_timeout(200)
        assert bottom(page, "#queue") == before


def bottom(page: Page, what: str) -> float:
    box = page.locator(what).bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def overlap(page: Page, one: str, other: str) -> bool:
    """Whether two things on the page share any of its room."""
    first, second = page.locator(one).bounding_box(), page.locator(other).bounding_box()
    assert first is not None
    assert second is not None
    is_beside = first["x"] + first["width"] <= second["x"] or second["x"] + second["width"] <= first["x"]
    is_above = first["y"] + first["height"] <= second["y"] or second["y"] + second["height"] <= first["y"]
    return not (is_beside or is_above)
