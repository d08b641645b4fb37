import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.listener import Listener, RecordedListens
from soundalike.web.server.serve import HttpServer
from web.description import DescribedApp
from web.stage import Stage

expect.set_options(timeout=10_000)

SAMPLE_RATE = 22_050
LENGTH_S = 20
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\u202ecod.exe\n"
)


def tone(pitch_hz: float, format_: str, *, length_s: float = LENGTH_S) -> bytes:
    time_s = np.arange(int(length_s * SAMPLE_RATE)) / SAMPLE_RATE
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * pitch_hz * time_s), SAMPLE_RATE, format=format_)
    return file.getvalue()


@pytest.fixture(scope="session")
def sounds() -> dict[str, bytes]:
    return {
        "audio/mpeg": tone(220, "MP3"),
        "audio/ogg": tone(330, "OGG"),
        "audio/wav": tone(440, "WAV"),
        "audio/flac": tone(550, "FLAC"),
        "audio/aiff": tone(660, "AIFF"),
    }


@pytest.fixture
def bare(tmp_path: Path) -> Stage:
    """An empty library in one process; the library of a test is put into it."""
    return Stage(tmp_path)


@pytest.fixture
def stage(bare: Stage, sounds: dict[str, bytes]) -> Stage:
    """Six tracks in four formats that a browser plays, each a little further from the first."""
    playable = ["audio/mpeg", "audio/ogg", "audio/wav", "audio/flac"]
    names = ("Amber", "Birch", "Cedar", "Dogwood", "Elm", "Fir")
    for number, name in enumerate(names):
        kind = playable[number % len(playable)]
        bare.add(
            name.lower(),
            title=name,
            artist=f"Artist {number % 3}",
            album="Trees",
            data=sounds[kind],
            media_type=kind,
            duration_ms=1000 * LENGTH_S,
            point=(float(number), 0.0),
        )
    bare.build()
    return bare


@pytest.fixture
def server(stage: Stage) -> Iterator[HttpServer]:
    app = DescribedApp(stage.app())
    server = HttpServer(app)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stop()
    thread.join(10)
    assert app.problems == []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def console_errors() -> list[str]:
    """What the browser has written to its console as errors."""
    return []


@pytest.fixture
def page(
    request: pytest.FixtureRequest, context: BrowserContext, server: HttpServer, console_errors: list[str]
) -> Iterator[Page]:
    """A page that may write only those errors to its console that the test expects."""
    page = context.new_page()
    page.on(
        "console", lambda message: console_errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: console_errors.append(str(error)))
    page.goto(server.url)
    yield page
    expected = [pattern for mark in request.node.iter_markers("console_errors") for pattern in mark.args]
    assert [one for one in console_errors if not any(re.search(pattern, one) for pattern in expected)] == []


@pytest.fixture
def listener(page: Page) -> Listener:
    return Listener(page)


@pytest.fixture
def listens(page: Page, stage: Stage) -> RecordedListens:
    return RecordedListens(page, stage)
