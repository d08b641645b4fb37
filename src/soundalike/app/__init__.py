"""The composition root: gives services their adapters; what it starts, it stops."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from soundalike.app import environment
from soundalike.app.backends import has_library, mongodb_source, open_log, open_store
from soundalike.app.learning import Learning, LearningMaker, snapshots_of
from soundalike.app.places import check_places, check_private_store, no_library
from soundalike.audio.files import LocalAudioFiles
from soundalike.audio.pool import ProcessAnalyser
from soundalike.audio.scan import LocalFileScanner
from soundalike.domain.errors import ExposedFileError, SettingsError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.ports.learning import ArtefactStore, SimilarityEngine
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.types import LibraryId
from soundalike.events.embedded import StoredLog
from soundalike.learning.artefacts.belonging import find_artefacts
from soundalike.learning.engines import choose_engine
from soundalike.passwords import Argon2Hasher
from soundalike.services import Services
from soundalike.services.fma.importing import FmaImporter
from soundalike.services.fma.removing import FmaRemover
from soundalike.services.learning.catching_up import Learner
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import Trainer
from soundalike.services.learning.updating import ArtefactUpdater
from soundalike.services.library.browse import Library
from soundalike.services.library.entries import Entries
from soundalike.services.library.identity import Identity
from soundalike.services.library.library_id import Belonging, settle_library_id
from soundalike.services.library.media import Media
from soundalike.services.library.roots import RootMap
from soundalike.services.library.scan_control import ScanControl
from soundalike.services.library.sync import LibrarySync
from soundalike.services.listeners.accounts import Accounts
from soundalike.services.listeners.import_listens import ListenImporter
from soundalike.services.listeners.ingest import ListenIngest
from soundalike.services.listeners.personal_data import PersonalData
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.settings import Settings
from soundalike.web.security.session_key import find_session_key, load_session_key

_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class App:
    """Everything that commands use, wired together for one run."""

    settings: Settings
    roots: RootMap
    artefacts: ArtefactStore
    services: Services
    library_sync: LibrarySync
    fma: FmaImporter
    fma_remover: FmaRemover
    snapshots: LibrarySnapshots
    recipes: RecipeChooser
    trainer: Trainer
    updater: ArtefactUpdater
    imported: tuple[Learning, ...]
    schemas: tuple[FeatureSchema, ...]
    store: Store
    library_id: LibraryId
    log: EventLog
    importer: ListenImporter

    def session_key(self) -> bytes:
        """Return the key that signs sessions.

        Raises
        ------
        SettingsError
            If there is none and none can be made.
        """
        return load_session_key(self.settings.data, self.settings.secret_key, self.library_id)

    @contextmanager
    def engine(
        self, trainer: Trainer | None = None, *, needs_lsh: bool = False
    ) -> Iterator[tuple[SimilarityEngine, str]]:
        """Open the engine that the settings name, with a sentence that says which and why; stop it after.

        Parameters
        ----------
        trainer : Trainer, optional
            What learns with it; by default that of the audio.
        needs_lsh : bool
            Whether it has to have LSH, as not each has: then the number of tracks decides nothing.
        """
        keys = {schema.key for schema in (trainer or self.trainer).schemas}
        # Tracks that were imported without audio may be many more than those to learn from.
        counts = (one.track_count for one in self.store.feature_sets() if one.key in keys)
        source = mongodb_source(self.settings)
        engine, reason = choose_engine(
            self.settings.engine,
            master=self.settings.master,
            properties=self.settings.spark,
            # Executors that can read the store need no snapshot.
            snapshots_url=None if source else self.settings.snapshots,
            source=source,
            track_count=None if needs_lsh else max(counts, default=0),
        )
        try:
            yield engine, reason
        finally:
            engine.close()

    def learner(self) -> Learner:
        """Return what brings the artefact of the audio up to date."""
        return Learner(
            recipes=self.recipes,
            updater=self.updater,
            trainer=self.trainer,
            artefacts=self.artefacts,
            open_engine=self.engine,
        )


@contextmanager
def open_app(
    settings: Settings,
    *,
    is_serving: bool = False,
    needs_library: bool = False,
    on_scan_wanted: Callable[[], None] = lambda: None,
) -> Iterator[App]:
    """Give services the adapters that the settings name; close what was opened.

    Parameters
    ----------
    settings : Settings
        Of this run.
    is_serving : bool
        Whether listeners wait for every answer, so that nothing may take long.
    needs_library : bool
        Whether no library is made where there is none, and no data folder.
    on_scan_wanted : callable
        Called when a listener has asked for a scan, where no worker beside this process does it.

    Raises
    ------
    SettingsError
        If the data folder cannot be made, everybody may read the store or the session key, or a driver is
        missing.
    NoLibraryError
        If there is none, and one is needed.
    StoreError
        If the store or the event log cannot be opened, or the store is not the one to which the artefacts and
        the session key belong.
    """
    check_places(settings)
    check_private_store(settings)
    address = settings.store or settings.database
    if (needs_library or settings.is_embedded) and not has_library(address):
        belongings = find_belongings(settings)
        if needs_library or belongings:  # before an empty store is made where one was lost
            raise no_library(settings, belongings)
    if not needs_library:
        environment.make_data_folder(settings.data)
    with ExitStack() as opened:
        store = opened.enter_context(open_store(address, is_serving=is_serving))
        library_id = _library_id(settings, store)
        profiles = Profiles(store, lateness_ms=settings.lateness_days * _DAY_MS)
        log = opened.enter_context(open_log(settings, store, on_append=profiles.fold))
        scans = ScanControl(store, clock=time.monotonic, on_wanted=on_scan_wanted)
        yield _app(settings, store, library_id, profiles=profiles, log=log, scans=scans)


def find_belongings(settings: Settings) -> list[Belonging]:
    """Return the artefacts and the key that are there; a key from the environment belongs to no library.

    Raises
    ------
    ExposedFileError
        If everybody may read the key.
    """
    key = None
    try:
        key = find_session_key(settings.data) if settings.secret_key is None else None
    except ExposedFileError:
        raise
    except SettingsError:
        pass  # a command that needs the key says what is wrong with it
    return [one for one in (find_artefacts(settings.artefacts), key) if one]


def _library_id(settings: Settings, store: Store) -> LibraryId:
    """Return the id that the store shares with artefacts and key."""
    return settle_library_id(
        store,
        find_belongings(settings),
        store_name=settings.store_name,
        new_id=environment.new_library_id(),
    )


def _app(
    settings: Settings,
    store: Store,
    library_id: LibraryId,
    *,
    profiles: Profiles,
    log: EventLog,
    scans: ScanControl,
) -> App:
    roots = RootMap(store, settings.roots)
    identity = Identity(store, roots, is_gone=environment.is_gone, new_id=environment.new_id)
    analyser = ProcessAnalyser(workers=settings.workers, silence_s=settings.decoder_silence_s)
    schemas = tuple(schema for sets in analyser.passes for schema in sets)
    snapshots = snapshots_of(store, settings)
    maker = LearningMaker(settings, store, library_id, snapshots)
    learning, imported = maker.from_audio(schemas), maker.from_imports()
    # What is imported into the store is folded once at the end, not with every batch.
    quiet_log = StoredLog(store) if log.is_folding else log
    return App(
        settings=settings,
        roots=roots,
        artefacts=learning.artefacts,
        services=_services(store, (learning, *imported), roots, profiles=profiles, log=log, scans=scans),
        library_sync=LibrarySync(
            store, LocalFileScanner(), analyser, roots=roots, identity=identity, clock=environment.now
        ),
        fma=FmaImporter(store, roots=roots, identity=identity, clock=environment.now),
        fma_remover=FmaRemover(store, clock=environment.now),
        snapshots=snapshots,
        recipes=learning.recipes,
        trainer=learning.trainer,
        updater=learning.updater,
        imported=imported,
        schemas=schemas,
        store=store,
        library_id=library_id,
        log=log,
        importer=ListenImporter(store, quiet_log, library_id=library_id, clock=environment.now),
    )


def _services(
    store: Store,
    learnings: Sequence[Learning],
    roots: RootMap,
    *,
    profiles: Profiles,
    log: EventLog,
    scans: ScanControl,
) -> Services:
    library = Library(store, roots)
    artefacts, *others = (each.artefacts for each in learnings)
    return Services(
        library=library,
        entries=Entries(store),
        media=Media(library, roots, LocalAudioFiles()),
        neighbours=NeighbourFinder(store, artefacts, library, others=others),
        profiles=profiles,
        listens=ListenIngest(store, log, clock=environment.now),
        recommender=Recommender(store, artefacts, library, profiles, clock=environment.local_now),
        accounts=_accounts(store),
        scans=scans,
        personal_data=PersonalData(store, log, profiles, clock=environment.now),
    )


def _accounts(store: Store) -> Accounts:
    return Accounts(
        store,
        store,
        Argon2Hasher(),
        clock=environment.now,
        new_secret=environment.new_secret,
        new_id=environment.new_id,
    )
