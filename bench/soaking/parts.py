"""The parts of the distributed program: servers, web processes, consumers, and the disk below them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import synthetic
from servers.kafka import KafkaServer
from servers.mongodb import MongoDb
from servers.processes import ServerProcess, free_ports, running
from soundalike.app import open_app
from soundalike.app.backends import open_store
from soundalike.domain.types import TrackId
from soundalike.settings import load_settings

TRACKS = 400
DISK_BYTES = 1 << 30
_FAKETIMES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")


def _faketime() -> Path | None:
    found = (Path(folder, "faketime", "libfaketimeMT.so.1") for folder in _FAKETIMES)
    return next(filter(Path.exists, found), None)


def missing_faketime() -> str | None:
    """Say what is missing to set the clock of a process, None where nothing is."""
    return None if _faketime() else "no libfaketime on this machine; install it: apt install faketime"


class ProgramPart(ServerProcess):
    """A process of the program, whose clock can be set.

    Parameters
    ----------
    name : str
        For the files of its log and clock.
    folder : Path
        Of these files.
    arguments : sequence of str
        Of ``soundalike``.
    environment : mapping of str to str
        Its settings.
    """

    def __init__(self, name: str, folder: Path, arguments: list[str], environment: Mapping[str, str]) -> None:
        self._clock = folder / f"{name}.clock"
        self.set_clock(0)
        of_clock = {
            "LD_PRELOAD": str(_faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(Path(__file__).with_name("faketime")),
        }
        command = [sys.executable, "-m", "soundalike", *arguments]
        super().__init__(command, folder / f"{name}.log", environment={**environment, **of_clock})

    def set_clock(self, ahead_s: int) -> None:
        """Set its clock so many seconds ahead of the machine's."""
        new = self._clock.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}", encoding="ascii")
        new.replace(self._clock)


@dataclass
class Disk:
    """The file system of store and artefacts, which can be filled if it is one of its own."""

    folder: Path
    is_own: bool

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no byte free while the block lasts."""
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    """Mount a small file system in memory; where that is not allowed, use the folder as it is."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "soak", str(folder)]
    is_own = subprocess.run(mount, capture_output=True, check=False).returncode == 0  # noqa: S603 - no word from outside
    if not is_own:
        print("no file system can be mounted here: no full disk is tried")
    try:
        yield Disk(folder, is_own)
    finally:
        if is_own:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S603, S607 - the same


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """All parts, running.

    Parameters
    ----------
    parts : mapping of str to ServerProcess
        By name; those of the program are `ProgramPart`.
    webs : sequence of str
        The addresses of the web processes.
    store : str
        The setting of that name.
    disk : Disk
        Below store and artefacts.
    track_ids : sequence of TrackId
        What can be listened to.
    """

    parts: Mapping[str, ServerProcess]
    webs: list[str]
    store: str
    disk: Disk
    track_ids: list[TrackId]

    @property
    def programs(self) -> dict[str, ProgramPart]:
        """The processes of the program."""
        return {name: part for name, part in self.parts.items() if isinstance(part, ProgramPart)}

    def restart_what_ended(self) -> None:
        """Start again what has ended by itself, or should have, as any supervisor of services does."""
        for name, part in self.parts.items():
            if isinstance(part, MongoDb) and part.is_broken():
                print(f"  {name} is broken, where MongoDB would have ended itself, and is killed")
                part.kill()
            if not part.is_running():
                print(f"  {name} has ended and is started again: {part.log_end().strip()[-300:]}")
                ServerProcess.start(part)

    def print_logs(self) -> None:
        """Print the last lines of each process of the program."""
        for name, part in self.programs.items():
            print(f"  {name}: {part.log_end().strip()[-600:]}")

    @classmethod
    @contextmanager
    def running(cls, folder: Path, *, listeners: int) -> Iterator["System"]:
        """Fill a library, start everything, and kill it in the end."""
        with ExitStack() as stack:
            disk = stack.enter_context(mounted(folder / "disk"))
            mongodb = stack.enter_context(running(MongoDb(disk.folder / "mongodb")))
            kafka = stack.enter_context(running(KafkaServer(folder / "kafka")))
            store = f"{mongodb.address}/soak"
            settings = {
                "SOUNDALIKE_DATA": str(disk.folder / "data"),
                "SOUNDALIKE_STORE": store,
                "SOUNDALIKE_EVENTS": f"{kafka.url()}?partitions=4",
            }
            track_ids = _fill(settings, listeners)
            environment = {**os.environ, **settings}
            ports = free_ports(2)
            programs = {}
            for number, port in enumerate(ports, start=1):
                for name, arguments in (("web", ["serve", "--port", str(port)]), ("consumer", ["consume"])):
                    part = ProgramPart(f"{name}{number}", folder, arguments, environment)
                    programs[f"{name}{number}"] = stack.enter_context(running(part))
            yield cls(
                parts={"mongodb": mongodb, "kafka": kafka, **programs},
                webs=[f"http://127.0.0.1:{port}" for port in ports],
                store=store,
                disk=disk,
                track_ids=track_ids,
            )


def _fill(settings: Mapping[str, str], listeners: int) -> list[TrackId]:
    ids = [TrackId(f"t{number:06d}") for number in range(TRACKS)]
    with open_store(settings["SOUNDALIKE_STORE"]) as store:
        for number, track_id in enumerate(ids):
            store.save_track(synthetic.made_track(number, track_id))
        synthetic.add_users(store, listeners + 1)
    with open_app(load_settings({}, settings)) as app:
        synthetic.publish(app.artefacts, ids, np.random.default_rng(0))
    return ids
