"""Commands for listens: rebuild profiles, export and import the event log."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from soundalike.app import App, open_app
from soundalike.app.places import is_file
from soundalike.cli import options, show
from soundalike.domain.counts import counted, counted_in_all, counted_listens
from soundalike.domain.errors import EventLogError, ListenError
from soundalike.domain.listens import Erasure, ErasureRecord, ListenKind
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.types import UserId
from soundalike.learning.artefacts.durable import written_atomically
from soundalike.services.listeners.import_listens import MAX_LINE_BYTES, ImportReport, LeftOut
from soundalike.services.listeners.profiles import FoldReport
from soundalike.services.listeners.replay_log import restore_listens
from soundalike.wire.listens import exported_body

_STEP = 1_000
_STANDARD = Path("-")


@click.group(short_help="Rebuild profiles, export and import listens.")
def events() -> None:
    """Rebuild profiles from the event log, or export and import the log as JSON lines."""


@events.command(short_help="Rebuild every profile from the event log.")
@options.json_output
@options.common
def replay(*, as_json: bool) -> None:
    """Rebuild every listener's profile from all their listens.

    Profiles are kept up to date as listens arrive; this is for when one may be wrong. If the event log is not
    the store itself, listens that are missing in the store are read from the log first.
    """
    settings = options.settings()
    # A log beside the store can fill an empty one.
    with open_app(settings, needs_library=settings.events is None) as app:
        start = time.monotonic()
        app.services.personal_data.lower_marks()
        if not app.log.is_folding:
            with show.progress("Reading the log") as progress:
                restore_listens(app.log, app.store, progress)
        with show.progress("Folding") as progress:
            folded = app.services.profiles.replay(progress)
        seconds = time.monotonic() - start
    if as_json:
        show.document(asdict(folded) | {"seconds": round(seconds, 3)})
    else:
        rate = f", {folded.listens / seconds:,.0f} listens/s" if folded.listens else ""
        show.say(f"{_profiles(folded)} rebuilt in {seconds:.1f} s{rate}.")


@events.command("export", short_help="Write the event log as JSON lines.")
@click.argument(
    "file",
    type=options.file_of("jsonl", "ndjson", "json", "txt"),
    metavar="[FILE|-]",
    default=str(_STANDARD),
)
@options.common
def export_events(file: Path) -> None:
    """Write the listens of every user as JSON lines to FILE, or to stdout.

    FILE is replaced once it is complete, and only you may read it.
    """
    written = _Written()
    with open_app(options.settings(), needs_library=True) as app:
        if file == _STANDARD:
            _write(app, sys.stdout, written, lambda _done, _total: None)
            sys.stdout.flush()
        else:
            with show.progress("Writing") as progress, _new_file(file) as lines:
                _write(app, lines, written, progress)
    if not written.users:
        show.say("There are no listens to export; what was written is empty.")
        return
    erasures = [counted(written.erasures, "erasure")] if written.erasures else []
    listens = [counted_listens(written.listens)] if written.listens else []
    show.say(f"{', '.join(listens + erasures)} of {counted(len(written.users), 'user')} written.")


@events.command("import", short_help="Import what export wrote.")
@click.argument("file", type=options.file, metavar="FILE|-")
@options.json_output
@options.common
def import_events(file: Path, *, as_json: bool) -> None:
    """Append the listens and erasures in the JSON lines of FILE, or of stdin, to the event log.

    A listen that is already there counts once, so an interrupted import is simply run again. Listens of
    tracks that are not in the library are stored, and count once the tracks are. Those that are dated ahead
    of the clock are left out, and the command fails once the rest is imported.
    """
    if file != _STANDARD and not is_file(file):
        msg = f"{file} cannot be read: there is no such file"
        raise EventLogError(msg)
    with open_app(options.settings()) as app:
        app.services.personal_data.lower_marks()
        try:
            with show.progress("Importing") as progress, _lines_of(file) as lines:
                report = app.importer.import_lines(lines, progress)
        except ListenError:
            _catch_up(app)
            raise
        folded = _catch_up(app)
        is_folding = app.log.is_folding
    if as_json:
        show.document(asdict(report) | {"profiles": folded.profiles})
    else:
        _print_import(report, folded if is_folding else None)
    if report.left_out is not None:
        _print_left_out(report.left_out)
        click.get_current_context().exit(1)


def _print_import(report: ImportReport, folded: FoldReport | None) -> None:
    hidden = f", {report.hidden:,} from before an erasure" if report.hidden else ""
    erasures = f", {counted(report.erasures, 'erasure')} applied" if report.erasures else ""
    next_step = "the consumer of the log folds them" if folded is None else f"{_profiles(folded)} folded"
    show.say(
        f"{counted_in_all(report.accepted)} imported, {report.duplicates:,} already known"
        f"{hidden}{erasures}; {next_step}."
    )
    if report.unknown_tracks:
        show.say(
            f"{counted_in_all(report.unknown_listens)} of {counted(report.unknown_tracks, 'track')} "
            "that are not in the library; they count once the tracks are."
        )


def _print_left_out(left_out: LeftOut) -> None:
    show.say(
        f"{counted_in_all(left_out.listens)} left out, the first in line {left_out.first_line:,}: they "
        f"are dated up to {left_out.until}, and the clock of this machine says {left_out.now}. "
        "If it is right, keep the file and run the import again after that date; if not, set it first. "
        "What is stored already counts once."
    )


def _catch_up(app: App) -> FoldReport:
    with show.progress("Folding") as progress:
        return app.services.profiles.catch_up(progress)


@dataclass(slots=True)
class _Written:
    """How much was exported so far."""

    listens: Counter[ListenKind] = field(default_factory=Counter)
    erasures: int = 0
    users: set[UserId] = field(default_factory=set)


def _write(app: App, lines: TextIO, written: _Written, progress: OnProgress) -> None:
    for entry in app.log.entries():
        body = entry.erasure if isinstance(entry, ErasureRecord) else entry
        lines.write(json.dumps(exported_body(body, app.library_id)) + "\n")
        written.users.add(body.user_id)
        if isinstance(body, Erasure):
            written.erasures += 1
        else:
            written.listens[body.kind] += 1
            if (done := written.listens.total()) % _STEP == 0:
                progress(done, 0)


@contextmanager
def _new_file(file: Path) -> Iterator[TextIO]:
    """Open a file that is replaced once it is complete; nobody else may read it.

    A link is followed. What is not a regular file, such as a pipe, is written to directly.
    """
    try:
        place = file.resolve()
        if place.exists() and not place.is_file():
            with place.open("w", encoding="utf-8") as lines:
                yield lines
            return
        with written_atomically(place) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as lines:
                yield lines
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror or error}"
        raise EventLogError(msg) from error


@contextmanager
def _lines_of(file: Path) -> Iterator[Iterator[bytes]]:
    """Read lines as bytes; of one that is too long only a part, so that it can be refused."""
    if file == _STANDARD:
        yield _read_lines(sys.stdin.buffer)
        return
    try:
        with file.open("rb") as opened:
            yield _read_lines(opened)
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror or error}"
        raise EventLogError(msg) from error


def _read_lines(opened: BinaryIO) -> Iterator[bytes]:
    while line := opened.readline(MAX_LINE_BYTES + 1):
        yield line


def _profiles(folded: FoldReport) -> str:
    return f"{counted(folded.profiles, 'profile')} of {counted_in_all(folded.listens)}"
