"""Several processes and threads at once, and kills."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from artefact_store import make_draft
from learning.artefacts.opened import RECIPE, draft, open_artefacts
from soundalike.domain.similarity.space import Neighbours

# At once, and killed

PUBLISH = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[2])
from making import SOME_TIME, make_schema
from artefact_store import make_draft
from soundalike.learning.artefacts.store import FolderArtefactStore
artefacts = FolderArtefactStore(Path(sys.argv[1]), schemas=[make_schema(1)], clock=lambda: SOME_TIME)
points = {f"t{n}": [float(n % 251)] for n in range(600)}
draft = make_draft(points, k=20)
print("ready", flush=True)
for _ in range(int(sys.argv[3])):
    print(artefacts.publish(draft), flush=True)
"""


def start_publishing(folder: Path, times: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", PUBLISH, str(folder), tests, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_publishers_at_once_take_turns(folder: Path) -> None:
    processes = [start_publishing(folder, 10) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0].split()[1:] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    versions = sorted(printed[0] + printed[1])
    assert versions == [f"{number:06d}" for number in range(1, 21)]
    assert open_artefacts(folder).current().version == "000020"


def test_ten_kills_leave_an_intact_version_each_time(folder: Path) -> None:
    rng = np.random.default_rng(0)
    reader = open_artefacts(folder)
    reader.publish(draft())
    newest = 1
    for kills in range(1, 11):
        process = start_publishing(folder, 1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(float(rng.uniform(0, 0.08)))
        process.send_signal(signal.SIGKILL)
        told = [int(line) for line in process.stdout.read().split()]
        process.stdout.close()
        process.wait()
        newest = max([newest, *told])
        for artefacts in (reader, open_artefacts(folder)):
            current = int(artefacts.current().version)
            # Each kill may leave a version that nobody was told of.
            assert newest <= current <= newest + kills, "nothing published is lost, none is made up"
        newest = current
    open_artefacts(folder).publish(draft())
    assert {entry.name for entry in folder.iterdir()} == {RECIPE.key, "current", "lock"}
    assert len(list((folder / RECIPE.key).iterdir())) <= 3, "what the killed left behind is gone"


def test_threads_read_intact_versions_while_others_are_published(folder: Path) -> None:
    writer, reader = open_artefacts(folder), open_artefacts(folder)
    writer.publish(draft())
    wrong: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            artefact = reader.current()
            if len(artefact.track_ids) != len(artefact.neighbours.rows):
                wrong.append(artefact.version)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for size in range(2, 12):
        writer.publish(make_draft({f"t{n}": [float(n)] for n in range(size)}))
    is_over.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert reader.current().version == "000011"


def test_a_library_of_one_track_has_an_artefact(folder: Path) -> None:
    open_artefacts(folder).publish(draft(only=[1.0]))
    neighbours = open_artefacts(folder).current().neighbours
    assert isinstance(neighbours, Neighbours)
    assert neighbours.rows.tolist() == [[-1, -1]]
