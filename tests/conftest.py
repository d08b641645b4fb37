"""What every test may rely on, and the gate on skipping in CI."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL_MUSIC = ROOT.parent / "shared" / "data" / "music"
ALLOWED_SKIPS = Path(__file__).with_name("allowed-skips.txt")

_skipped: list[tuple[str, str]] = []


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


@pytest.fixture(scope="session")
def real_music() -> Path:
    """The folder of real clips beside the checkout."""
    if not REAL_MUSIC.is_dir():
        pytest.skip("no real music beside the checkout (../shared/data/music)")
    return REAL_MUSIC
