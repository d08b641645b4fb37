"""What every test may rely on, and the gate on skipping in CI."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from servers.kafka import Kafka, missing_kafka
from servers.mongodb import missing_mongodb, named_mongodb
from servers.shared import lock_run, shared_address
from servers.spark import SparkCluster, missing_spark, running_cluster

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
LONGEST_FIRST = ("learning", "store", "browser", "journeys")
MOSTLY_WAITING = "events"
ON_SPARK_CLUSTER = {
    "tests/learning/spark/test_cluster.py",
    "tests/learning/spark/test_executors.py",
    "tests/journeys/test_cluster.py",
    "tests/journeys/test_distributed.py",
}
REAL_MUSIC = ROOT.parent / "shared" / "data" / "music"
REPORTED_FILES = ROOT.parent / "shared" / "data" / "files"
ALLOWED_SKIPS = Path(__file__).with_name("allowed-skips.txt")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
# The last list of Chromium's features wins, so Playwright's own comes first. The two of the address bar start
# a page of their own for every window: two thirds of the processor time of an empty one.
DISABLED_FEATURES = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    f"--disable-features={','.join(DISABLED_FEATURES)}",
]

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ

# The same examples in every run, and as much time as a busy machine needs, so that none fails by chance.
# New ones: pytest --hypothesis-profile default.
settings.register_profile("same examples", derandomize=True, deadline=None)
settings.load_profile("same examples")

_skipped: list[tuple[str, str]] = []

# A shell that starts the tests in the background has them ignore interrupts, and what they start as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives each module to one worker, and all that use the Spark cluster to the same one.

    An application takes every core of a cluster, so that another would wait for it. `--dist loadgroup` does
    nothing here: pytest-xdist 3.8 marks groups in a field that pytest 9.2 no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return "spark cluster" if module in ON_SPARK_CLUSTER else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand out first what takes longest, and beside it what mostly waits for a server."""
    for test in items:
        module = test.nodeid.partition("::")[0]
        if "spark_cluster" in getattr(test, "fixturenames", ()) and module not in ON_SPARK_CLUSTER:
            msg = f"{module} uses the Spark cluster; add it to ON_SPARK_CLUSTER"
            raise pytest.UsageError(msg)
    paths = sorted(dict.fromkeys(test.path for test in items), key=rank)
    busy = [path for path in paths if folder_of(path) != MOSTLY_WAITING]
    waiting = [path for path in paths if folder_of(path) == MOSTLY_WAITING]
    order = [path for pair in zip_longest(busy, waiting) for path in pair if path]
    places = {path: place for place, path in enumerate(order)}
    items.sort(key=lambda test: places[test.path])


def folder_of(path: Path) -> str:
    return path.relative_to(TESTS).parts[0]


def rank(path: Path) -> int:
    """Return how early a test is handed out."""
    folder = folder_of(path)
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the servers that workers start know how long the run goes on."""
    if not IS_WORKER:
        folder: Path = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - as the fixture of that name
        session.config.add_cleanup(lock_run(folder).close)


def allowed_reasons() -> list[str]:
    lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append((report.nodeid, reason.removeprefix("Skipped: ")))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append((report.nodeid, reason.removeprefix("Skipped: ")))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, a skip for a reason that nobody allowed fails the run."""
    if os.environ.get("CI") != "true":
        return
    unexpected = [
        (test, why) for test, why in _skipped if not any(why.startswith(a) for a in allowed_reasons())
    ]
    if unexpected:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for test, why in unexpected:
            print(f"\nskipped in CI without being allowed to: {test}: {why}", end="")  # noqa: T201 - pytest's own channel


@pytest.fixture
def shared() -> Iterator[Path]:
    """Give a folder that other users may enter, unlike `tmp_path`, which pytest keeps to its own user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@pytest.fixture(scope="session")
def real_music() -> Path:
    """The folder of real clips beside the checkout."""
    if not REAL_MUSIC.is_dir():
        pytest.skip("no real music beside the checkout (../shared/data/music)")
    return REAL_MUSIC


@pytest.fixture(scope="session")
def reported_files() -> Path:
    """The folder of odd files of reported kinds, with the table of what is right."""
    if not REPORTED_FILES.is_dir():
        pytest.skip("no real music beside the checkout (../shared/data/files)")
    return REPORTED_FILES


def skip_where(missing: str | None) -> None:
    """Skip the test where something that it needs is missing."""
    if missing is not None:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if IS_WORKER else base


@pytest.fixture(scope="session")
def kafka(run_folder: Path) -> Kafka:
    """A broker that all tests share; use a topic of your own, and leave the broker as it is."""
    skip_where(missing_kafka())
    return Kafka(shared_address(run_folder, "kafka"))


@pytest.fixture(scope="session")
def mongodb(run_folder: Path) -> str:
    """The address of a server that all tests share; use a database of your own, and leave it running."""
    named = named_mongodb()
    if named is not None:
        return named
    skip_where(missing_mongodb())
    return shared_address(run_folder, "mongodb")


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A master and two workers that all tests share."""
    skip_where(missing_spark())
    with running_cluster(tmp_path_factory.mktemp("spark")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser that all tests share; open a context of your own."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip("no Chromium on this machine; install one: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()
