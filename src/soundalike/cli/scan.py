"""The command scan: bring the library in step with its folders now, or steer whoever does."""

import click

from soundalike.app import App, open_app
from soundalike.app.scanning import open_runner
from soundalike.cli import learning, library, options, show
from soundalike.cli.turns import status_line, wait_for_turn
from soundalike.services.library.scans import ScanOutcome
from soundalike.wire.scans import scan_body


@click.command(short_help="Bring the library in step with its folders now.")
@click.option("--pause", "action", flag_value="pause", help="Let scans wait, wherever they run.")
@click.option("--resume", "action", flag_value="resume", help="Let them go on.")
@click.option("--status", "action", flag_value="status", help="Print how far they are.")
@options.engine
@options.workers
@options.json_output
@options.common
def scan(*, action: str | None, as_json: bool) -> None:
    """Bring the library in step with all its folders that are here, and learn from what is new.

    'up' and 'serve --watch' do so by themselves. One scan runs at a time, in whichever process: this one
    waits for its turn.
    """
    with open_app(options.settings(), needs_library=True) as app:
        if action == "pause":
            record = app.services.scans.pause(is_paused=True)
        elif action == "resume":
            record = app.services.scans.pause(is_paused=False)
        else:
            if action is None:
                _scan(app, is_quiet=as_json)
            record = app.services.scans.current()
    if as_json:
        show.document(scan_body(record))
    elif action is not None:
        click.echo(status_line(record))


def _scan(app: App, *, is_quiet: bool) -> None:
    with show.progress("Scanning") as progress:
        runner = open_runner(
            app,
            on_outcome=(lambda _: None) if is_quiet else (lambda outcome: print_outcome(app, outcome)),
            on_progress=lambda one: progress(one.done, one.total),
        )
        wait_for_turn(app, runner.try_all)


def print_outcome(app: App, outcome: ScanOutcome, *, is_verbose: bool = False) -> None:
    """Print what became of a scan.

    Parameters
    ----------
    app : App
        Knows where files are.
    outcome : ScanOutcome
        Of it.
    is_verbose : bool
        Whether to print all that was measured.
    """
    for report in outcome.reports:
        library.print_report(app, report)
    for problem in outcome.problems:
        show.say(f"Left as it was: {problem}.")
    if outcome.learned is not None:
        learning.print_learned(outcome.learned, is_verbose=is_verbose)
