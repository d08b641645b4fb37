"""Commands on the library: extract, pairs, similar, export, demo."""

import os
from pathlib import Path
from typing import Any

import click

from soundalike.app import App, open_app
from soundalike.app.places import check_music, is_file
from soundalike.app.scanning import open_runner
from soundalike.cli import learning, options, show
from soundalike.cli.turns import wait_for_turn
from soundalike.demo import write_demo_library
from soundalike.domain.counts import counted
from soundalike.domain.errors import RootMissingError
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.recipe import Ingredient, Recipe, schemas_of
from soundalike.services.learning.updating import Freshness
from soundalike.services.library import feature_sets
from soundalike.services.library.browse import DEFAULT_LIMIT
from soundalike.services.library.scans import ScanOutcome
from soundalike.services.library.sync import SyncReport
from soundalike.wire import pair_body, similar_body

_SHOWN_PROBLEMS = 10
_COUNTS = ("found", "analysed", "added", "moved", "returned", "unchanged", "vanished")


@click.command(short_help="Analyse every audio file below DIR.")
@click.argument("directory", type=options.path, metavar="DIR", required=False)
@click.option(
    "--again",
    is_flag=True,
    help="Read all files below DIR anew, or one file; without DIR those of the whole library.",
)
@click.option("--emptied", is_flag=True, help="Accept that DIR, which had tracks, has none any more.")
@click.option("--forget-set", metavar="NAME", help="Instead of DIR: remove a feature set that doctor shows.")
@options.workers
@options.json_output
@options.common
def extract(
    directory: Path | None, *, again: bool, emptied: bool, forget_set: str | None, as_json: bool
) -> None:
    """Analyse every audio file below DIR and store tracks and features.

    Unchanged files are not read again; moved, renamed or retagged files keep their track; vanished
    tracks are marked and come back with their history. Of a track longer than 30 s the middle 30 s are
    analysed. The command may be interrupted: the next run continues where this one stopped.
    """
    if directory is None and forget_set is None and not again:
        msg = "Missing argument 'DIR'."
        raise click.UsageError(msg)
    if forget_set is not None and (directory is not None or again):
        msg = "Give DIR or --forget-set, not both."
        raise click.UsageError(msg)
    settings = options.settings()
    if directory is not None and not again:
        check_music(options.folder(str(directory)), settings)
    with open_app(settings, needs_library=directory is None or again) as app:
        if forget_set is not None:
            _forget_set(app, forget_set, as_json=as_json)
            return
        places = _outermost(app) if directory is None else [directory]
        reports = [run_extract(app, place, is_emptying_allowed=emptied, is_again=again) for place in places]
        placed = app.updater.update()
        if as_json:
            bodies = [report_body(app, report, placed) for report in reports]
            show.document({"directories": bodies} if directory is None else bodies[0])
            return
        for report in reports:
            print_report(app, report)
        if placed:
            show.say(f"{counted(placed, 'track')} added to the similarity space in use.")
        if app.services.neighbours.artefact_version() is None:
            is_empty = app.updater.freshness() is Freshness.EMPTY
            next_step = "Next: soundalike tune, then soundalike build."
            show.say(learning.NOTHING_TO_LEARN if is_empty else next_step)


def _outermost(app: App) -> list[Path]:
    """Return the folders of the library that are in no other of them."""
    places = [root.location for root in app.roots.roots()]
    return [place for place in places if not any(other in place.parents for other in places)]


def _forget_set(app: App, name: str, *, as_json: bool) -> None:
    """Remove a feature set, and say what follows."""
    forgotten = feature_sets.forget_set(app.store, name)
    if as_json:
        body = [{"feature_set": one.key, "tracks": one.track_count} for one in forgotten]
        show.document({"forgotten": body})
        return
    artefact = app.recipes.artefact()
    used = {schema.key for schema in artefact.schemas} if artefact else set[str]()
    for one in forgotten:
        show.say(f"{one.key} is removed: {counted(one.track_count, 'track')} had it.")
        if one.key in used:
            show.say(
                "Recommendations go on with what was learned from it, but new tracks are not among them, and "
                "'soundalike build' has nothing to learn from, until it is computed again."
            )
        if one.key in {schema.key for schema in app.schemas}:
            show.say(f"The next 'soundalike extract DIR' or 'soundalike up DIR' computes {one.key} again.")


@click.command(short_help="Show the closest pairs of the library.")
@click.option("--limit", type=options.LIMIT, default=DEFAULT_LIMIT, show_default=True, help="How many.")
@options.json_output
@options.common
def pairs(limit: int, *, as_json: bool) -> None:
    """Show the closest pairs of the library with their distances."""
    with open_app(options.settings(), needs_library=True) as app:
        neighbours = app.services.neighbours
        found = neighbours.pairs(limit=limit)
        if as_json:
            body = [pair_body(pair) for pair in found]
            show.document({"artefact": neighbours.artefact_version(), "pairs": body})
            return
        show.table(
            [
                ("distance", "number"),
                ("title", "text"),
                ("artist", "text"),
                ("title", "text"),
                ("artist", "text"),
            ],
            [
                (
                    f"{pair.distance:.4f}",
                    pair.first.title,
                    pair.first.artist or "",
                    pair.second.title,
                    pair.second.artist or "",
                )
                for pair in found
            ],
        )


@click.command(short_help="Show what sounds like a track.")
@click.argument("track")
@click.option("--limit", type=options.LIMIT, default=DEFAULT_LIMIT, show_default=True, help="How many.")
@options.json_output
@options.common
def similar(track: str, limit: int, *, as_json: bool) -> None:
    """Show what sounds like TRACK, nearest first: an id, a path, or words that match one title."""
    with open_app(options.settings(), needs_library=True) as app:
        services = app.services
        found = services.neighbours.similar(services.library.match(track).id, limit=limit)
        if as_json:
            show.document(similar_body(found))
            return
        show.table(
            [
                ("distance", "number"),
                ("title", "text"),
                ("artist", "text"),
                ("album", "text"),
                ("id", "fixed"),
            ],
            [
                (
                    f"{neighbour.distance:.4f}",
                    neighbour.track.title,
                    neighbour.track.artist or "",
                    neighbour.track.album or "",
                    neighbour.track.id,
                )
                for neighbour in found.neighbours
            ],
            title=f"Sounds like {found.track.title} by {found.track.artist or 'an unknown artist'}",
        )


@click.command(short_help="Write tracks and vectors as Parquet.")
@click.argument("file", type=options.file_of("parquet", "pq"), metavar="FILE.parquet")
@click.option(
    "--set",
    "names",
    multiple=True,
    metavar="NAME",
    help="Feature set to write, several by repeating it; by default those of the artefact in use.",
)
@options.json_output
@options.common
def export(file: Path, names: tuple[str, ...], *, as_json: bool) -> None:
    """Write tracks and vectors to FILE.parquet, for Spark, pandas and others.

    No other format is written: a vector is a list, for which CSV has no place. Tracks that lack one of the
    feature sets are left out.
    """
    with open_app(options.settings(), needs_library=True) as app:
        chosen = tuple(Ingredient(feature_set=name) for name in dict.fromkeys(names))
        known = (*app.schemas, *(schema for each in app.imported for schema in each.schemas))
        schemas = schemas_of(Recipe(chosen) if chosen else app.recipes.wanted(), known)
        snapshot = app.snapshots.export(str(file), schemas)
    keys = [schema.key for schema in snapshot.schemas]
    if as_json:
        body = {"file": str(file), "tracks": snapshot.track_count, "feature_set": "+".join(keys)}
        show.document(body | {"feature_sets": keys})
    else:
        show.say(f"{counted(snapshot.track_count, 'track')} with {snapshot.width} features each in {file}.")


@click.command(short_help="Write a small library of synthesised music.")
@click.argument("directory", type=options.folder, metavar="DIR")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed makes other music."
)
@options.json_output
@options.common
def demo(directory: Path, seed: int, *, as_json: bool) -> None:
    """Write a small library of synthesised music to DIR, to try soundalike with."""
    with show.progress("Composing") as progress:
        made = write_demo_library(directory, seed=seed, progress=progress)
    if as_json:
        show.document({"directory": str(made.directory), "tracks": made.track_count, "seed": seed})
    else:
        show.say(f"{made.track_count} tracks in {made.directory}. Next: soundalike up {made.directory}")


def run_extract(
    app: App, directory: Path, *, is_emptying_allowed: bool = False, is_again: bool = False
) -> SyncReport:
    """Extract with a progress bar, once no other process scans.

    Parameters
    ----------
    app : App
        Has the library.
    directory : Path
        The folder of music; with `is_again` it may be a file in a folder of the library.
    is_emptying_allowed : bool
        Accept that a folder which had tracks has none any more.
    is_again : bool
        Read everything anew.

    Raises
    ------
    RootMissingError
        If there is no such folder, or what is to be read anew is in none of the library.
    """
    place = again = real_path(directory)
    if is_again:
        place, again = _read_anew(app, directory)
    reports = []

    def work(step: OnProgress) -> ScanOutcome:
        reports.append(
            app.library_sync.sync(
                place,
                progress=step,
                is_emptying_allowed=is_emptying_allowed,
                again=again if is_again else None,
            )
        )
        return ScanOutcome(tuple(reports))

    with show.progress("Analysing") as progress:
        runner = open_runner(
            app, on_outcome=lambda _: None, on_progress=lambda one: progress(one.done, one.total)
        )
        wait_for_turn(app, lambda: runner.try_other(work))
    return reports[0]


def _read_anew(app: App, path: Path) -> tuple[Path, Path]:
    """Return the folder to scan, and the file or folder in it that is read anew."""
    place = again = real_path(path)
    if is_file(path):
        place = real_path(path.parent)
        again = place / path.name
        is_known = app.roots.holds(place)
    elif not os.path.lexists(path) and app.roots.holds(real_path(path.parent)):
        msg = f"{str(path)!r} does not exist; give a file or a folder of the library"
        raise RootMissingError(msg)
    else:
        is_known = bool(app.roots.scope(place))
    if not is_known:
        msg = f"{str(path)!r} is in no folder of the library; give the folder with the music"
        raise RootMissingError(msg)
    return place, again


def real_path(directory: Path) -> Path:
    """Return the path of a folder without links."""
    return Path(os.path.realpath(directory))  # pathlib raises if links loop


def print_report(app: App, report: SyncReport) -> None:
    """Print the result of an extraction, and a table of the files that could not be used."""
    show.say(_summary(report))
    if report.left_out:
        show.say(_left_out(report))
    if not report.problems:
        return
    show.table(
        [("files", "number"), ("reason", "fixed"), ("used anyway", "number")],
        [
            (f"{count:,}", str(reason), f"{_used(report, reason):,}")
            for reason, count in report.counts().items()
        ],
        title="Not used, or only in part",
    )
    for problem in report.problems[:_SHOWN_PROBLEMS]:
        show.say(f"  {_path(app, problem)}: {problem.reason}{_more(problem)}")
    if len(report.problems) > _SHOWN_PROBLEMS:
        show.say(f"  and {len(report.problems) - _SHOWN_PROBLEMS:,} more; extract --json lists them all.")


def _summary(report: SyncReport) -> str:
    """Return how many files there are and how each fared, which adds up; then what became of their tracks."""
    files = {
        "analysed": report.analysed_files,
        "unchanged": report.found - report.unusable - report.analysed_files,
        "unusable": report.unusable,
    }
    tracks = {
        "new": report.added if report.added != report.analysed_files else 0,
        "moved": report.moved,
        "returned": report.returned,
        "vanished": report.vanished,
    }
    parts = [
        ", ".join(f"{count:,} {name}" for name, count in counts.items() if count > 0)
        for counts in (files, tracks)
    ]
    return f"{counted(report.found, 'file')}: {'; '.join(filter(None, parts)) or 'no audio'}."


def _left_out(report: SyncReport) -> str:
    counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report.left_out.items()))
    gone = report.vanished_left_out
    more = f"; {counted(gone, 'track')} in them vanished, and come back when they are not" if gone else ""
    return f"Left out, files or folders: {counts}{more}."


def _used(report: SyncReport, reason: ProblemReason) -> int:
    of_reason = (problem for problem in report.problems if problem.reason is reason)
    return sum(problem.is_used or reason.is_listed for problem in of_reason)


def _more(problem: FileProblem) -> str:
    parts = [f"the part from {problem.part.start_ms / 1000:.1f} s"] if problem.part else []
    parts += [f"{problem.analysed_ms / 1000:.1f} s decoded"] if problem.analysed_ms else []
    parts += [problem.detail] if problem.detail else []
    return f" ({'; '.join(parts)})" if parts else ""


def _path(app: App, problem: FileProblem) -> str:
    path = app.roots.path_of(problem.location)
    raw = bytes(path) if path else problem.location.path
    return raw.decode(errors="backslashreplace")


def report_body(app: App, report: SyncReport, placed: int) -> dict[str, Any]:
    """Return the result of an extraction as JSON values.

    Parameters
    ----------
    app : App
        Whose library it was.
    report : SyncReport
        The result.
    placed : int
        How many tracks were added to the artefact after it.
    """
    return {
        "directory": bytes(report.directory).decode(errors="backslashreplace"),
        **{name: getattr(report, name) for name in _COUNTS},
        "placed": placed,
        "artefact": app.services.neighbours.artefact_version(),
        "left_out": {str(reason): count for reason, count in report.left_out.items()},
        "vanished_left_out": report.vanished_left_out,
        "counts": {str(reason): count for reason, count in report.counts().items()},
        "problems": [
            {
                "path": _path(app, problem),
                "reason": str(problem.reason),
                "heard_ms": problem.analysed_ms,
                "is_used": problem.is_used,
                "detail": problem.detail,
            }
            for problem in report.problems
        ],
    }
