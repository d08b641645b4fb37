import io
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.listener import Ledger, Listener
from servers.mongodb import drop_database, named_mongodb, new_database
from soundalike.web.server.serve import HttpServer
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


@pytest.fixture(scope="session")
def new_store(mongodb: str) -> Iterator[Callable[[], str]]:
    """Name a database that nobody else has; all go at the end, where the server does not end itself."""
    made: list[str] = []

    def name_one() -> str:
        made.append(new_database(mongodb))
        return made[-1]

    yield name_one
    if named_mongodb():
        for url in made:
            drop_database(url)


DISTRIBUTED = pytest.param("distributed", marks=[pytest.mark.kafka, pytest.mark.mongodb])


@pytest.fixture(params=["embedded", DISTRIBUTED])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A stage with nothing on it, in one process or on real servers; the library of a test comes onto it."""
    if request.param == "embedded":
        yield Stage(tmp_path)
        return
    from web.distributed import DistributedStage  # noqa: PLC0415 - its drivers may be missing

    broker, new_store = request.getfixturevalue("kafka"), request.getfixturevalue("new_store")
    stage = DistributedStage(tmp_path, store_url=new_store(), events_url=f"{broker.url()}?partitions=2")
    yield stage
    stage.close()


@pytest.fixture
def stage(bare: Stage, sounds: dict[str, bytes]) -> Stage:
    """Six tracks in four formats that a browser plays, in a row of growing distance."""
    stage = bare
    playable = ["audio/mpeg", "audio/ogg", "audio/wav", "audio/flac"]
    names = ("Amber", "Birch", "Cedar", "Dogwood", "Elm", "Fir")
    for number, name in enumerate(names):
        kind = playable[number % len(playable)]
        stage.add(
            name.lower(),
            title=name,
            artist=f"Artist {number % 3}",
            album="Trees",
            data=sounds[kind],
            media_type=kind,
            duration_ms=1000 * LENGTH_S,
            point=(float(number), 0.0),
        )
    stage.build()
    return stage


@pytest.fixture
def server(stage: Stage) -> Iterator[HttpServer]:
    server = HttpServer(stage.app())
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stop()
    thread.join(10)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has complained of up to now."""
    return []


@pytest.fixture
def page(
    request: pytest.FixtureRequest, context: BrowserContext, server: HttpServer, complaints: list[str]
) -> Iterator[Page]:
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    yield page
    expected = [pattern for mark in request.node.iter_markers("complains") for pattern in mark.args]
    assert [one for one in complaints if not any(re.search(pattern, one) for pattern in expected)] == []


@pytest.fixture
def listener(page: Page) -> Listener:
    return Listener(page)


@pytest.fixture
def ledger(page: Page, stage: Stage) -> Ledger:
    return Ledger(page, stage)
