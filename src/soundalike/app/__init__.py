"""The composition root: the only module that names concrete adapters; what it starts, it stops."""

import errno
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from soundalike.app.adapters import mongodb_source, open_log, open_store
from soundalike.audio.files import LocalAudioFiles
from soundalike.audio.pool import ProcessAnalyser
from soundalike.audio.scan import LocalFileScanner
from soundalike.domain.errors import SettingsError
from soundalike.domain.ports.learning import ArtefactStore, SimilarityEngine
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.types import TrackId
from soundalike.events.embedded import StoredLog
from soundalike.learning.artefacts.store import FolderArtefactStore
from soundalike.learning.engines import choose_engine
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.learning.tuning_file import TuningFile
from soundalike.passwords import Argon2Hasher
from soundalike.services import Services
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import Trainer
from soundalike.services.learning.updating import ArtefactUpdater
from soundalike.services.library.browse import Library
from soundalike.services.library.identity import Identity
from soundalike.services.library.media import Listening
from soundalike.services.library.roots import RootMap
from soundalike.services.library.sync import LibrarySync
from soundalike.services.listeners.accounts import Accounts
from soundalike.services.listeners.import_listens import ListenImporter
from soundalike.services.listeners.ingest import ListenIngest
from soundalike.services.listeners.personal_data import PersonalData
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.settings import Settings
from soundalike.web.security.session_key import load_session_key

_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 16
_SECRET_BYTES = 32
_DAY_MS = 24 * 3600 * 1000
_STALE_WORKSPACE_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class App:
    """Everything wired together for one run."""

    settings: Settings
    roots: RootMap
    artefacts: ArtefactStore
    services: Services
    library_sync: LibrarySync
    library: LibrarySnapshots
    trainer: Trainer
    updater: ArtefactUpdater
    store: Store
    log: EventLog
    importer: ListenImporter

    def session_key(self) -> bytes:
        """Return the key that signs sessions.

        Raises
        ------
        SettingsError
            If there is none and none can be made.
        """
        return load_session_key(self.settings.data, self.settings.secret_key)

    @contextmanager
    def engine(self) -> Iterator[tuple[SimilarityEngine, str]]:
        """Open the chosen engine, with a sentence that says which it is and why; stop it after."""
        source = mongodb_source(self.settings, self.library.schema)
        engine, reason = choose_engine(
            self.settings.engine,
            master=self.settings.master,
            properties=self.settings.spark,
            # Executors that can read the store need no snapshot.
            snapshots_url=None if source else self.settings.snapshots,
            source=source,
        )
        try:
            yield engine, reason
        finally:
            engine.close()

    def local_engine(self) -> SimilarityEngine:
        """Return the engine that needs no JVM."""
        return LocalEngine(ParquetSnapshots())


@contextmanager
def open_app(settings: Settings, *, is_serving: bool = False) -> Iterator[App]:
    """Wire the adapters that the settings name; close what was opened.

    Parameters
    ----------
    is_serving : bool
        Whether somebody waits for every answer, so that nothing may take long.

    Raises
    ------
    SettingsError
        If the data folder cannot be made, or a driver is missing.
    StoreError
        If the store or the event log cannot be opened.
    """
    _make_folder(settings.data)
    with ExitStack() as opened:
        store = opened.enter_context(open_store(settings.store or settings.database, is_serving=is_serving))
        profiles = Profiles(store, lateness_ms=settings.lateness_days * _DAY_MS)
        log = opened.enter_context(open_log(settings, store, on_append=profiles.fold))
        yield _wire(settings, store, profiles, log)


def _wire(settings: Settings, store: Store, profiles: Profiles, log: EventLog) -> App:
    roots = RootMap(store, settings.roots)
    analyser = ProcessAnalyser(workers=settings.workers, timeout_s=settings.file_timeout_s)
    artefacts = FolderArtefactStore(settings.artefacts, schema=analyser.schema, clock=_now)
    snapshots = LibrarySnapshots(
        store,
        ParquetSnapshots(),
        schema=analyser.schema,
        workspace=partial(_workspace, settings.data),
    )
    # What is imported into the store is folded once at the end, not with every batch.
    quiet_log = StoredLog(store) if log.is_folding else log
    return App(
        settings=settings,
        roots=roots,
        artefacts=artefacts,
        services=_services(store, artefacts, roots, profiles, log),
        library_sync=LibrarySync(
            store,
            LocalFileScanner(),
            analyser,
            roots=roots,
            identity=Identity(store, roots, is_gone=_is_gone, new_id=_new_id),
            clock=_now,
        ),
        library=snapshots,
        trainer=Trainer(
            snapshots,
            artefacts,
            tunings=TuningFile(settings.tuning),
            timer=time.monotonic,
        ),
        updater=ArtefactUpdater(store, artefacts, library=snapshots, schema=analyser.schema),
        store=store,
        log=log,
        importer=ListenImporter(store, quiet_log, clock=_now),
    )


def _services(
    store: Store, artefacts: ArtefactStore, roots: RootMap, profiles: Profiles, log: EventLog
) -> Services:
    library = Library(store, roots)
    return Services(
        library=library,
        listening=Listening(library, roots, LocalAudioFiles()),
        neighbours=NeighbourFinder(store, artefacts, library),
        profiles=profiles,
        listens=ListenIngest(store, log, clock=_now),
        recommender=Recommender(store, artefacts, library, profiles, clock=_local_now),
        accounts=Accounts(
            store,
            store,
            Argon2Hasher(),
            clock=_now,
            new_secret=partial(secrets.token_urlsafe, _SECRET_BYTES),
            new_id=_new_id,
        ),
        personal_data=PersonalData(store, log, profiles, clock=_now),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _local_now() -> datetime:
    """Return the time in the zone of this machine, in which its listeners' days begin."""
    return _now().astimezone()


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
        # What people listen to, and their passwords' hashes, are nobody else's on this machine.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
