"""Servers that workers share: started once, and gone with the run however it ends."""

import subprocess
import sys
from pathlib import Path

from conftest import skip_where
from servers.mongodb import missing_mongodb
from servers.processes import is_listening, wait_until
from servers.shared import shared_address

TESTS = Path(__file__).resolve().parents[1]

RUN = """
import sys
from pathlib import Path
from servers.shared import lock_run
with lock_run(Path(sys.argv[1])):
    print("running", flush=True)
    sys.stdin.readline()
"""


def test_a_server_is_started_once_and_ends_with_a_killed_run(tmp_path: Path) -> None:
    skip_where(missing_mongodb())
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=TESTS, stdin=pipe, stdout=pipe, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "running\n"
        address = shared_address(tmp_path, "mongodb")
        assert shared_address(tmp_path, "mongodb") == address
        port = int(address.rpartition(":")[2])
        assert is_listening(port)
        run.kill()
    wait_until(lambda: not is_listening(port))
