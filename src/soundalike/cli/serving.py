"""Commands that serve: up and serve."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from soundalike.app import App, environment, open_app
from soundalike.app.backends import has_library
from soundalike.app.consumer import consumer_beside
from soundalike.app.library_worker import LibraryWorker, WorkerJob
from soundalike.app.places import check_music
from soundalike.cli import library, options, show
from soundalike.domain.errors import LogUnreachableError
from soundalike.settings import Settings
from soundalike.web.app import create_app
from soundalike.web.security.client_address import Proxies
from soundalike.web.server.address import check_address, is_exposed
from soundalike.web.server.serve import serve as serve_forever

WORKER = "soundalike.cli.worker"
"""The program of the process that scans, analyses and learns."""


@click.command(short_help="Do everything, then serve the player.")
@click.argument("directory", type=options.folder, metavar="DIR")
@options.address
@options.engine
@options.workers
@click.option("--verbose", is_flag=True, help="Show all that was measured to choose the similarity space.")
@options.common
def up(directory: Path, *, verbose: bool) -> None:
    """Do everything: serve the web player, analyse DIR, learn what sounds alike, notice what changes.

    The player is up at once and plays what is stored. What was done before is not done again.
    """
    settings = options.settings()
    check_music(directory, settings)
    with _opened(settings) as app:
        app.library_sync.adopt(library.real_path(directory))
    with open_app(settings, is_serving=True) as app, consumer_beside(app):
        _serve(app, worker_job=WorkerJob(settings=settings, is_verbose=verbose))


@click.command(short_help="Serve the player.")
@click.option("--watch", is_flag=True, help="Notice what changes in the library's folders, as 'up' does.")
@options.address
@options.workers
@options.common
def serve(*, watch: bool) -> None:
    """Serve the web player on what has been extracted and built.

    If the event log is in Kafka, 'soundalike consume' folds the listens; 'up' does so itself.
    """
    settings = options.settings()
    is_new = not has_library(settings.store or settings.database)
    single = LibraryWorker(WORKER, WorkerJob(settings=settings, is_single=True), say=show.say)
    with _opened(settings, is_serving=True, on_scan_wanted=None if watch else single.start) as app:
        if is_new:
            show.say(
                f"No library was at {settings.store_name}: a new one is made, without any music yet. To fill "
                "it, run 'soundalike extract DIR'; to serve another one, name it with --data."
            )
        try:
            _serve(app, worker_job=WorkerJob(settings=settings) if watch else None)
        finally:
            single.stop()


@contextmanager
def _opened(
    settings: Settings, *, is_serving: bool = False, on_scan_wanted: Callable[[], None] | None = None
) -> Iterator[App]:
    """Open what the settings name, if it may be served at their address."""
    # Check the address first, so that nothing is created for one that cannot be used.
    check_address(settings.host, settings.port, has_users=True)
    with open_app(settings, is_serving=is_serving, on_scan_wanted=on_scan_wanted or (lambda: None)) as app:
        check_address(settings.host, settings.port, has_users=app.services.accounts.has_users())
        _prepare_log(app)
        yield app


def _prepare_log(app: App) -> None:
    """Reject a log that cannot be used; an unreachable one may come back, and music plays meanwhile."""
    try:
        app.log.prepare()
    except LogUnreachableError as error:
        show.say(f"{error}; browsers keep listens until it answers")


def _serve(app: App, *, worker_job: WorkerJob | None) -> None:
    """Serve the player; a worker, if it has a job, begins once the player's address was announced."""
    settings = app.settings
    if environment.is_root():
        show.say("Running as root: whoever breaks into it has the machine. Run it as a user of its own.")
    app.services.personal_data.lower_marks()
    # Listens that were stored but not folded when the process was killed.
    app.services.profiles.catch_up()
    app.services.recommender.prepare()
    if app.recipes.artefact() is None and app.artefacts.old_recipe() is not None:
        show.say(
            "Recommendations wait: what an older version learned has to be learned again; "
            "run 'soundalike build' or 'soundalike up DIR'."
        )
    proxies = Proxies(settings.proxies)
    web = create_app(
        app.services,
        session_key=app.session_key(),
        allowed_hosts=settings.allowed_hosts | {settings.host.lower()},
        is_exposed=is_exposed(settings.host),
        proxies=proxies,
    )
    worker = None if worker_job is None else LibraryWorker(WORKER, worker_job, say=show.say)

    def announce(url: str) -> None:
        show.announce(f"The player is at {url} (Ctrl-C stops)")
        if worker is not None:
            worker.start()

    try:
        serve_forever(
            web,
            host=settings.host,
            port=settings.port,
            on_ready=announce,
            has_users=app.services.accounts.has_users(),
            proxies=proxies,
        )
    finally:
        if worker is not None:
            worker.stop()
