import signal
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from soundalike.web.server.serve import serve
from web.stage import Stage

SERVING = """
from pathlib import Path
import sys
from web.stage import Stage
from soundalike.web.server.serve import serve
app = Stage(Path(sys.argv[1])).app()
serve(app, host="127.0.0.1", port=0, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_serving_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    tests = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, str(tmp_path)], cwd=tests, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        with closing(HTTPConnection("127.0.0.1", port)) as idle:
            idle.request("GET", "/healthz")
            assert idle.getresponse().read()
            process.send_signal(number)
            assert idle.sock.recv(1) == b""
        assert process.stdout.read() == "ended\n"
        assert process.wait(10) == 0


def test_a_start_with_too_few_files_says_what_to_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("soundalike.web.server.serve.file_limit", lambda: 160)
    serve(
        stage.app(),
        host="127.0.0.1",
        port=0,
        on_ready=lambda _url: signal.raise_signal(signal.SIGTERM),
    )
    assert "may have only 160 files open, so 30 connections" in caplog.text
    assert "'ulimit -n 2100'" in caplog.text


def test_the_signal_handlers_are_restored_once_serving_has_ended(stage: Stage) -> None:
    before = signal.getsignal(signal.SIGTERM)
    serve(
        stage.app(),
        host="127.0.0.1",
        port=0,
        on_ready=lambda _url: signal.raise_signal(signal.SIGTERM),
    )
    assert signal.getsignal(signal.SIGTERM) == before
