"""The composition root: the only module that names concrete adapters; what it starts, it stops."""

import errno
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from soundalike.audio.files import LocalAudioFiles
from soundalike.audio.pool import ProcessAnalyser
from soundalike.audio.scan import LocalFileScanner
from soundalike.domain.errors import SettingsError
from soundalike.domain.ports import ArtefactShelf, SimilarityEngine, Store
from soundalike.domain.types import TrackId
from soundalike.model.artefact import FolderShelf
from soundalike.model.engines import choose_engine
from soundalike.model.local import LocalEngine
from soundalike.model.placing import ArtefactPlacer
from soundalike.model.snapshot import ParquetSnapshots
from soundalike.model.tune import GridTuner
from soundalike.model.tuning_file import TuningFile
from soundalike.services import Services
from soundalike.services.extracting import Extractor
from soundalike.services.identity import Identity
from soundalike.services.library import Library
from soundalike.services.listening import Listening
from soundalike.services.neighbours import NeighbourFinder
from soundalike.services.placing import Placing
from soundalike.services.roots import RootMap
from soundalike.services.snapshots import LibrarySnapshots
from soundalike.services.training import Training
from soundalike.settings import Settings
from soundalike.store.sqlite import SqliteStore

_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 16
_STALE_WORKSPACE_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class App:
    """Everything wired together for one run."""

    settings: Settings
    roots: RootMap
    shelf: ArtefactShelf
    services: Services
    extractor: Extractor
    library: LibrarySnapshots
    training: Training
    placing: Placing

    @contextmanager
    def engine(self) -> Iterator[tuple[SimilarityEngine, str]]:
        """Open the chosen engine, with a sentence that says which it is and why; stop it after."""
        engine, reason = choose_engine(self.settings.engine, master=self.settings.master)
        try:
            yield engine, reason
        finally:
            engine.close()

    def local_engine(self) -> SimilarityEngine:
        """Return the engine that needs no JVM."""
        return LocalEngine(ParquetSnapshots())


@contextmanager
def open_app(settings: Settings) -> Iterator[App]:
    """Wire the adapters that the settings name; close what was opened.

    Raises
    ------
    SettingsError
        If the data folder cannot be made.
    StoreError
        If the store cannot be opened.
    """
    _make_folder(settings.data)
    with closing(SqliteStore(settings.database)) as store:
        yield _wire(settings, store)


def _wire(settings: Settings, store: Store) -> App:
    roots = RootMap(store, settings.roots)
    library = Library(store, roots)
    analyser = ProcessAnalyser(workers=settings.workers, timeout_s=settings.file_timeout_s)
    shelf = FolderShelf(settings.artefacts, schema=analyser.schema, clock=_now)
    snapshots = LibrarySnapshots(
        store,
        ParquetSnapshots(),
        schema=analyser.schema,
        workspace=partial(_workspace, settings.data),
    )
    return App(
        settings=settings,
        roots=roots,
        shelf=shelf,
        services=Services(
            library=library,
            listening=Listening(library, roots, LocalAudioFiles()),
            neighbours=NeighbourFinder(store, shelf, library),
        ),
        extractor=Extractor(
            store,
            LocalFileScanner(),
            analyser,
            roots=roots,
            identity=Identity(store, roots, is_gone=_is_gone, new_id=_new_id),
            clock=_now,
        ),
        library=snapshots,
        training=Training(
            snapshots,
            shelf,
            tuner=GridTuner(),
            tunings=TuningFile(settings.tuning),
            timer=time.monotonic,
        ),
        placing=Placing(store, shelf, ArtefactPlacer(), library=snapshots, schema=analyser.schema),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> TrackId:
    return TrackId("".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH)))


def _is_gone(path: Path) -> bool:
    """Whether nothing is there, as opposed to not being allowed to look."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno in {errno.ENOENT, errno.ENOTDIR}
    return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the data folder {str(folder)!r} cannot be made: {error.strerror}; choose another with --data"
        raise SettingsError(msg) from error


@contextmanager
def _workspace(data: Path) -> Iterator[Path]:
    """Make a folder for one run; those that killed runs left behind are removed after a day."""
    prefix = ".work-"
    for left in data.glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_WORKSPACE_S:
                shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=data, prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
