"""Commands that serve: up and serve."""

from pathlib import Path

import click

from soundalike.app import App, open_app
from soundalike.cli import learning, library, options, show
from soundalike.services.placing import Freshness
from soundalike.web.app import create_app
from soundalike.web.server import check_address
from soundalike.web.server import serve as serve_forever


@click.command(short_help="Do everything, then serve the player.")
@click.argument("directory", type=options.place, metavar="DIR")
@options.address
@options.engine
@options.workers
@options.common
def up(directory: Path) -> None:
    """Do everything: listen to DIR, learn what sounds alike, serve the web player.

    What has been done before is not done again, so the second start is immediate.
    """
    settings = options.settings()
    check_address(settings.host, settings.port)
    with open_app(settings) as app:
        library.print_report(app, library.run_extract(app, directory))
        _learn(app)
        _serve(app)


@click.command(short_help="Serve the player.")
@options.address
@options.common
def serve() -> None:
    """Serve the web player on what has been extracted and built."""
    settings = options.settings()
    check_address(settings.host, settings.port)
    with open_app(settings) as app:
        _serve(app)


def _learn(app: App) -> None:
    """Bring the artefact up to date, by as little work as will do."""
    freshness = app.placing.freshness()
    if freshness is Freshness.CURRENT:
        return
    if freshness is Freshness.BEHIND:
        placed = app.placing.place(app.local_engine())
        show.say(f"{placed:,} tracks placed in the similarity space in use.")
    elif freshness is Freshness.EMPTY:
        show.say("Nothing to learn from yet: no track could be analysed.")
    else:
        learning.print_tuning(learning.run_tune(app))
        learning.print_build(learning.run_build(app))


def _serve(app: App) -> None:
    web = create_app(app.services, allowed_hosts=app.settings.allowed_hosts)
    serve_forever(web, host=app.settings.host, port=app.settings.port, on_ready=_announce)


def _announce(url: str) -> None:
    show.announce(f"Listening at {url} (Ctrl-C stops)")
