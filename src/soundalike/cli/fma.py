"""Commands on the Free Music Archive's data set."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from soundalike.app import App, open_app
from soundalike.cli import library, options, show
from soundalike.domain.counts import counted
from soundalike.domain.errors import FmaError, RootMissingError
from soundalike.domain.files import Location
from soundalike.domain.fma import ATTRIBUTION, BadRow, Trouble
from soundalike.fma.folder import FmaFolder
from soundalike.fma.resuming import ResumingDownloader
from soundalike.fma.unpacking import unpack
from soundalike.services.fma.importing import MOST_NAMED, FmaReport
from soundalike.services.fma.removing import FmaRemoval

_SHOWN_ROWS = 5


@click.group(short_help="The Free Music Archive's data set.")
def fma() -> None:
    """Bring in the Free Music Archive's data set: 106,574 tracks with metadata and features.

    Its metadata is by Defferrard, Benzi, Vandergheynst and Bresson, under CC BY 4.0; each track has the
    licence that its artist chose.
    """


@fma.command(short_help="Download FMA's metadata or audio.")
@click.argument("what", type=click.Choice(["small", "medium", "large", "full", "metadata"]))
@click.option(
    "--to", "folder", type=options.folder, metavar="DIR", default="fma", show_default=True, help="Where to."
)
@click.option("--mirror", metavar="URL", help="Where the archives are, if not at their authors'.")
@options.json_output
@options.common
def download(what: str, folder: Path, mirror: str | None, *, as_json: bool) -> None:
    """Download an archive of FMA, check its sum, and unpack it.

    metadata has 0.4 GB (1.5 unpacked), small 8,000 clips of 30 s (7.7 GB), medium 25,000 (24 GB), large
    106,574 (100 GB), full the whole tracks (944 GB); until you remove the archive it takes about twice as
    much. The command may be interrupted: the next run continues where this one stopped.
    """
    from soundalike.fma import download as fma_download  # noqa: PLC0415 - pooch is slow to import

    archive = fma_download.ARCHIVES[what]
    with show.progress("Downloading (MB)") as progress:
        path = fma_download.fetch(
            archive,
            folder,
            downloading=ResumingDownloader(
                progress=progress, pause=time.sleep, extra_bytes=archive.unpacked_bytes
            ),
            base_url=mirror or fma_download.BASE_URL,
        )
    with show.progress("Unpacking") as progress:
        found = unpack(path, folder, progress=progress)
    if as_json:
        show.document({"archive": archive.file, "sha1": archive.sha1, "directory": str(found)})
        return
    show.say(f"{archive.name} is in {found}; {folder / archive.file} can be removed.")
    show.say(f"Next: soundalike fma import {folder}")


@fma.command("import", short_help="Import FMA's metadata and features.")
@click.argument("directory", type=options.folder, metavar="DIR")
@click.option("--no-audio", is_flag=True, help="Leave out audio that is there, which may take hours.")
@options.workers
@options.json_output
@options.common
def import_(directory: Path, *, no_audio: bool, as_json: bool) -> None:
    """Import what FMA's files in DIR, or in DIR/fma_metadata, say of tracks.

    Read are tracks.csv, raw_tracks.csv, genres.csv and features.csv; what is missing is said, what is there
    is taken. Features become a feature set of their own. Audio that is there by FMA's rule, such as
    DIR/fma_small/000/000002.mp3, is then analysed. Run twice, it changes nothing.
    """
    settings = options.settings()
    folder = FmaFolder(Path(os.path.realpath(directory)))
    with open_app(settings) as app:
        with show.progress("Importing") as progress:
            report = app.fma.take(folder, progress=progress)
        if not as_json:
            _print(report)
        missing = {} if no_audio else folder.missing_audio(report.subsets)
        audio = [] if no_audio else [library.run_extract(app, each) for each in folder.audio_folders]
        placed = app.updater.update() if audio else 0
        if report.refeatured:
            for each in app.imported:
                each.updater.update()
        if as_json:
            bodies = [library.report_body(app, found, placed) for found in audio]
            lacking = {
                name: {"count": len(numbers), "tracks": numbers[:MOST_NAMED]}
                for name, numbers in missing.items()
            }
            show.document(_body(report) | {"audio": bodies, "missing_audio": lacking})
            return
        for name, numbers in missing.items():
            _print_missing(name, numbers)
        for found in audio:
            library.print_report(app, found)
        if report.featured and all(each.recipes.artefact() is None for each in app.imported):
            show.say("Next: soundalike tune, then soundalike build.")
        show.say(f"{ATTRIBUTION}.")


@fma.command(short_help="Take out what an import gave.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.json_output
@options.common
def remove(*, yes: bool, as_json: bool) -> None:
    """Say what is taken out of what FMA's files gave, ask, and take it out.

    Tracks whose audio is here stay, with the tags of their files. Tracks without audio that somebody heard,
    liked or disliked are hidden, and come back with the next import; others are removed. No listen is
    deleted.
    """
    with open_app(options.settings(), needs_library=True) as app:
        plan = app.fma_remover.plan()
        if not (plan.removed or plan.vanished or plan.kept or plan.feature_sets):
            show.document(_removal_body(plan)) if as_json else show.say("Nothing here is from FMA.")
            return
        show.say(f"To be taken out: {_summary(plan)}.")
        if not yes:
            _confirm()
        with show.progress("Removing") as progress:
            done = app.fma_remover.remove(progress=progress)
        for learning in app.imported:
            learning.forget()
        for folder in done.folders:
            _read_tags(app, folder)
    if as_json:
        show.document(_removal_body(done))
    else:
        show.say(f"Taken out: {_summary(done)}.")


def _confirm() -> None:
    if not sys.stdin.isatty():
        msg = "nothing was taken out: add --yes to do so without being asked"
        raise FmaError(msg)
    if not click.confirm("Take it out?", err=True):
        msg = "nothing was taken out"
        raise FmaError(msg)


def _read_tags(app: App, folder: Location) -> None:
    """Read again the tags of files of which FMA's metadata was forgotten."""
    path = app.roots.path_of(folder)
    try:
        if path is not None:
            library.run_extract(app, path)
    except RootMissingError as error:
        show.say(f"The tags of its files are read by the next 'soundalike extract': {error}")


def _summary(removal: FmaRemoval) -> str:
    parts = [
        f"{counted(removal.removed, 'track')} without audio",
        f"{removal.vanished:,} more, which somebody heard or liked, are hidden and keep their id",
        f"FMA's metadata of {counted(removal.kept, 'track')} whose audio is here",
    ]
    return "; ".join(parts + [f"features {key}" for key in removal.feature_sets])


def _removal_body(removal: FmaRemoval) -> dict[str, Any]:
    return {
        "removed": removal.removed,
        "vanished": removal.vanished,
        "kept": removal.kept,
        "feature_sets": list(removal.feature_sets),
    }


def _print(report: FmaReport) -> None:
    show.say(f"Read {', '.join(report.files)}.")
    if report.missing:
        show.say(f"Not there: {', '.join(report.missing)}.")
    counts = {"new": report.added, "changed": report.changed, "unchanged": report.unchanged}
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    show.say(f"{counted(report.tracks, 'track')}: {parts or 'none'}.")
    if report.feature_set:
        show.say(
            f"{counted(report.featured, 'track')} with features {report.feature_set}, "
            f"{report.refeatured:,} of them new."
        )
    if report.troubles:
        show.table(
            [("rows", "number"), ("what is wrong", "fixed"), ("taken anyway", "fixed")],
            [
                (f"{count:,}", trouble.value, "yes" if trouble.is_taken else "no")
                for trouble, count in sorted(report.troubles.items())
            ],
            title="Not imported, or not as it was meant",
        )
    for trouble, rows in sorted(report.named.items()):
        _print_rows(trouble, rows, report.troubles[trouble])


def _print_missing(folder: str, numbers: list[int]) -> None:
    shown = ", ".join(f"{number:06}" for number in numbers[:_SHOWN_ROWS])
    more = len(numbers) - _SHOWN_ROWS
    show.say(
        f"{folder} lacks the audio of {counted(len(numbers), 'track')}: {shown}"
        f"{f' and {more:,} more' if more > 0 else ''}"
    )


def _print_rows(trouble: Trouble, rows: list[BadRow], count: int) -> None:
    names = "; ".join(row.name for row in rows[:_SHOWN_ROWS])
    more = count - _SHOWN_ROWS
    show.say(f"  {trouble}: {names}{f'; and {more:,} more (--json names them)' if more > 0 else ''}")


def _body(report: FmaReport) -> dict[str, Any]:
    return {
        "files": list(report.files),
        "missing": list(report.missing),
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "feature_set": report.feature_set,
        "featured": report.featured,
        "refeatured": report.refeatured,
        "troubles": [
            {
                "trouble": trouble.value,
                "count": report.troubles[trouble],
                "is_taken": trouble.is_taken,
                "rows": [
                    {"file": row.file or None, "line": row.line or None, "track": row.number} for row in rows
                ],
            }
            for trouble, rows in sorted(report.named.items())
        ],
        "attribution": ATTRIBUTION,
    }
