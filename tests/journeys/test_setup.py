"""`scripts/setup` says what it installs and for how long, though pip itself is silent for minutes."""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = ("numpy", "pyspark", "scipy")
TOOLS = {
    # Each look at the clock is 10 s later, and each wait lets the installation go on.
    "date": "#!/bin/sh\nn=$(cat clock 2>/dev/null || echo 1000)\necho $((n + 10)) > clock\necho $n\n",
    "sleep": "#!/bin/sh\necho >> waits\nexec /bin/sleep 0.03\n",
    "java": "#!/bin/sh\nexit 1\n",
}
PYTHON = """#!/bin/sh
case "$*" in
    *--requirement*)
        for name in numpy pyspark scipy; do
            echo "Collecting $name==1.0 (from -r requirements/run.txt (line 1))"
            echo "  Downloading $name-1.0-py3-none-any.whl (434.2 MB)"
            until [ "$(cat waits 2>/dev/null | wc -l)" -ge "${n:=4}" ]; do /bin/sleep 0.005; done
            n=$((n + 4))
        done
        echo "Installing collected packages: $(printf '%0999d' 1)"
        [ -z "$BROKEN" ] || { echo "ERROR: no space left on device"; exit 1; }
        until [ "$(cat waits | wc -l)" -ge 16 ]; do /bin/sleep 0.005; done ;;
    *--editable*)
        until [ "$(cat waits | wc -l)" -ge 20 ]; do /bin/sleep 0.005; done ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout whose Python only says what pip would say."""
    (tmp_path / "scripts").mkdir()
    shutil.copy2(PROJECT / "scripts" / "setup", tmp_path / "scripts" / "setup")
    (tmp_path / "requirements").mkdir()
    lines = "".join(f"{name}==1.0 \\\n    --hash=sha256:0\n" for name in PACKAGES)
    for name in ("run.txt", "run-spark.txt"):
        (tmp_path / "requirements" / name).write_text(lines, encoding="utf-8")
    tools = {f"tools/{name}": text for name, text in TOOLS.items()} | {".venv/bin/python": PYTHON}
    for name, text in tools.items():
        tool = tmp_path / name
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text(text, encoding="utf-8")
        tool.chmod(0o755)
    return tmp_path


def environment(checkout: Path, **more: str) -> dict[str, str]:
    return os.environ | {"PATH": f"{checkout / 'tools'}:{os.environ['PATH']}", "BROKEN": ""} | more


def test_a_log_gets_a_plain_line_now_and_then(checkout: Path) -> None:
    result = subprocess.run(
        [checkout / "scripts" / "setup", "run"],
        cwd=checkout,
        env=environment(checkout),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    first, *steps = result.stdout.splitlines()
    assert re.fullmatch(r"Installing requirements/run.*\.txt \(two minutes the first time\) \.\.\.", first)
    fetched = [line for line in steps if "fetching" in line]
    assert {re.sub(r"\d+ s", "N s", line) for line in fetched} >= {
        "  fetching numpy, 1 of about 3 (N s)",
        "  fetching scipy, 3 of about 3 (N s)",
    }
    assert any(re.fullmatch(r"  working \(\d+ s\)", line) for line in steps)
    assert any(re.fullmatch(r"  unpacking 3 packages \(\d+ s\)", line) for line in steps)
    assert sum(re.fullmatch(r"  done in \d+ s", line) is not None for line in steps) == 2
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_a_terminal_has_one_line_that_changes_and_fits(checkout: Path) -> None:
    here, there = pty.openpty()
    with subprocess.Popen(
        [checkout / "scripts" / "setup", "run"],
        cwd=checkout,
        env=environment(checkout),
        stdout=there,
        stderr=there,
    ) as process:
        os.close(there)
        shown = b""
        while part := _read(here):
            shown += part
        assert process.wait(60) == 0
    os.close(here)
    seen = [line for text in shown.decode().split("\r\n") for line in text.split("\r\x1b[K")]
    assert any(line.startswith("  fetching pyspark, 2 of about 3 (") for line in seen)
    assert any(line.startswith("  unpacking 3 packages (") for line in seen)
    assert all(len(line) <= 80 for line in seen)
    left = [text.split("\r\x1b[K")[-1] for text in shown.decode().split("\r\n")]
    assert [re.sub(r"\d+", "N", line) for line in left[1:]] == [
        "  done in N s",
        "Installing soundalike ...",
        "  done in N s",
        "",
    ]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 10_000)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def test_what_pip_said_last_is_shown_where_it_fails(checkout: Path) -> None:
    result = subprocess.run(
        [checkout / "scripts" / "setup", "run"],
        cwd=checkout,
        env=environment(checkout, BROKEN="yes"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 1
    assert "ERROR: no space left on device" in result.stderr
    assert "run this again" in result.stderr.splitlines()[-1]
