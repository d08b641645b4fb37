"""Commands that serve: up and serve."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from soundalike.app import App, environment, open_app
from soundalike.app.backends import has_library
from soundalike.app.consumer import consumer_beside
from soundalike.app.places import check_music
from soundalike.cli import learning, library, options, show
from soundalike.domain.counts import counted
from soundalike.domain.errors import LogUnreachableError
from soundalike.services.learning.updating import Freshness
from soundalike.settings import Settings
from soundalike.web.app import create_app
from soundalike.web.security.client_address import Proxies
from soundalike.web.server.address import check_address, is_exposed
from soundalike.web.server.serve import serve as serve_forever


@click.command(short_help="Do everything, then serve the player.")
@click.argument("directory", type=options.folder, metavar="DIR")
@options.address
@options.engine
@options.workers
@click.option("--verbose", is_flag=True, help="Show all that was measured to choose the similarity space.")
@options.common
def up(directory: Path, *, verbose: bool) -> None:
    """Do everything: analyse DIR, learn what sounds alike, serve the web player.

    What was done before is not done again, so the second start is immediate.
    """
    settings = options.settings()
    check_music(directory, settings)
    with _opened(settings) as app:
        library.print_report(app, library.run_extract(app, directory))
        _learn(app, is_verbose=verbose)
    with open_app(settings, is_serving=True) as app, consumer_beside(app):
        _serve(app)


@click.command(short_help="Serve the player.")
@options.address
@options.common
def serve() -> None:
    """Serve the web player on what has been extracted and built.

    If the event log is in Kafka, 'soundalike consume' folds the listens; 'up' does so itself.
    """
    settings = options.settings()
    is_new = not has_library(settings.store or settings.database)
    with _opened(settings, is_serving=True) as app:
        if is_new:
            show.say(
                f"No library was at {settings.store_name}: a new one is made, without any music yet. To fill "
                "it, run 'soundalike extract DIR'; to serve another one, name it with --data."
            )
        _serve(app)


@contextmanager
def _opened(settings: Settings, *, is_serving: bool = False) -> Iterator[App]:
    """Open what the settings name, if it may be served at their address."""
    # Check the address first, so that nothing is created for one that cannot be used.
    check_address(settings.host, settings.port, has_users=True)
    with open_app(settings, is_serving=is_serving) as app:
        check_address(settings.host, settings.port, has_users=app.services.accounts.has_users())
        _prepare_log(app)
        yield app


def _prepare_log(app: App) -> None:
    """Reject a log that cannot be used; an unreachable one may come back, and music plays meanwhile."""
    try:
        app.log.prepare()
    except LogUnreachableError as error:
        show.say(f"{error}; browsers keep listens until it answers")


def _learn(app: App, *, is_verbose: bool) -> None:
    """Bring the artefact up to date with as little work as possible."""
    wanted = app.recipes.wanted()
    freshness = app.updater.freshness(wanted)
    if freshness is Freshness.CURRENT:
        return
    if freshness is Freshness.BEHIND:
        placed = app.updater.update(app.local_engine())
        show.say(f"{counted(placed, 'track')} added to the similarity space in use.")
    elif freshness is Freshness.EMPTY:
        show.say(library.NOTHING_TO_LEARN)
    elif freshness is Freshness.OLD_FORMAT:
        show.say("What an older version learned is learned again, in the same way.")
        learning.print_build(learning.run_build(app, recipe=app.artefacts.old_recipe()))
    else:
        if wanted == app.recipes.default:
            tuning = learning.run_tune(app.trainer)
            (learning.print_tuning if is_verbose else learning.sum_up_tuning)(tuning)
        learning.print_build(learning.run_build(app, recipe=app.trainer.as_tuned(wanted)))


def _serve(app: App) -> None:
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
    serve_forever(
        web,
        host=settings.host,
        port=settings.port,
        on_ready=_announce,
        has_users=app.services.accounts.has_users(),
        proxies=proxies,
    )


def _announce(url: str) -> None:
    show.announce(f"The player is at {url} (Ctrl-C stops)")
