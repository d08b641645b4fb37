"""Commands that learn: tune and build."""

from dataclasses import asdict
from typing import Any

import click

from soundalike.app import App, open_app
from soundalike.cli import options, show
from soundalike.domain.counts import counted
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.tuning import LshTuning, SpaceTuning
from soundalike.services.learning.catching_up import Learned
from soundalike.services.learning.training import BuildReport, Method, Trainer
from soundalike.services.learning.updating import Freshness

NOTHING_TO_LEARN = "Nothing to learn from yet: no track could be analysed."


@click.command(short_help="Choose the similarity space by measurement.")
@click.option("--lsh", is_flag=True, help="Choose LSH parameters too (needs Spark; some minutes).")
@options.engine
@options.json_output
@options.common
def tune(*, lsh: bool, as_json: bool) -> None:
    """Choose the similarity space by measurement, and print the measurements.

    With genre tags: precision at 10, without the query's own artist. Without genre tags: whether the
    two halves of a track find each other in the whole library. The next build uses the choice.
    """
    bodies = []
    with open_app(options.settings(), needs_library=True) as app:
        for trainer in _trainers(app):
            tuning = run_tune(trainer)
            if not as_json:
                print_tuning(tuning)
            lsh_tuning = _tune_lsh(app, trainer) if lsh else None
            if lsh_tuning and not as_json:
                _print_lsh(lsh_tuning)
            body: dict[str, Any] = {"space": _space_body(tuning)}
            bodies.append(body | ({"lsh": _lsh_body(lsh_tuning)} if lsh_tuning else {}))
    if as_json:
        show.document(_first_with_others(bodies))


@click.command(short_help="Find every track's neighbours.")
@click.option(
    "--method",
    type=click.Choice([method.value for method in Method]),
    default=Method.EXACT.value,
    show_default=True,
    help="exact: all distances; lsh: MLlib's approxSimilarityJoin.",
)
@options.engine
@options.json_output
@options.common
def build(method: str, *, as_json: bool) -> None:
    """Fit the similarity space, find every track's neighbours, write a new artefact version.

    A running player uses it at once. Imported features have an artefact of their own, from which tracks
    without audio have their similar ones.
    """
    reports = []
    with open_app(options.settings(), needs_library=True) as app:
        for trainer in _trainers(app):
            reports.append(run_build(app, Method(method), trainer=trainer))
            if not as_json:
                print_build(reports[-1])
    if as_json:
        show.document(_first_with_others([_build_body(report) for report in reports]))


def _trainers(app: App) -> list[Trainer]:
    """Return what has something to learn from: the audio, and imported features; else that of the audio."""
    stored = {one.key for one in app.store.feature_sets()}
    found = [
        each.trainer for each in app.imported if stored.issuperset(schema.key for schema in each.schemas)
    ]
    has_audio = not found or any(schema.key in stored for schema in app.schemas)
    return [app.trainer, *found] if has_audio else found


def _first_with_others(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first; others, as of features that were imported, as a member of it."""
    first, *others = bodies
    return first | ({"imported": others} if others else {})


def run_tune(trainer: Trainer) -> SpaceTuning:
    """Tune with a progress bar."""
    with show.progress("Tuning") as progress:
        return trainer.tune_space(progress=progress)


def run_build(
    app: App,
    method: Method = Method.EXACT,
    *,
    recipe: Recipe | None = None,
    trainer: Trainer | None = None,
) -> BuildReport:
    """Build with the engine of the settings, and say which it is.

    Parameters
    ----------
    app : App
        Has the engine.
    method : Method
        How to find neighbours.
    recipe : Recipe, optional
        What to build; by default what the library is ready for, as it was tuned.
    trainer : Trainer, optional
        What learns; by default that of the audio.
    """
    with app.engine(trainer, needs_lsh=method is Method.LSH) as (engine, reason):
        show.say(reason)
        with show.progress("Building") as progress:
            return (trainer or app.trainer).build(engine, recipe=recipe, method=method, progress=progress)


def print_learned(learned: Learned, *, is_verbose: bool = False) -> None:
    """Print what was done to bring the artefact up to date; nothing if nothing was.

    Parameters
    ----------
    learned : Learned
        What was done.
    is_verbose : bool
        Whether to print all that was measured.
    """
    if learned.freshness is Freshness.EMPTY:
        show.say(NOTHING_TO_LEARN)
    elif learned.freshness is Freshness.OLD_FORMAT:
        show.say("What an older version learned was learned again, in the same way.")
    if learned.placed:
        show.say(f"{counted(learned.placed, 'track')} added to the similarity space in use.")
    if learned.tuning is not None:
        (print_tuning if is_verbose else sum_up_tuning)(learned.tuning)
    if learned.build is not None:
        show.say(learned.engine)
        print_build(learned.build)


def sum_up_tuning(tuning: SpaceTuning) -> None:
    """Print what a tuning chose, in one line."""
    if tuning.scores:
        show.say(f"Similarity space: {tuning.chosen.title} (chosen from {len(tuning.scores)}).")
    else:
        few = counted(tuning.track_count, "track")
        show.say(f"Too few to measure: {few}; chosen: {tuning.chosen.title}.")


def print_tuning(tuning: SpaceTuning) -> None:
    """Print the measurements of a tuning."""
    if not tuning.scores:
        sum_up_tuning(tuning)
        return
    show.table(
        [
            ("", "fixed"),
            ("similarity space", "text"),
            ("score", "number"),
            ("± s.e.", "number"),
            ("hubness", "number"),
        ],
        [
            (
                "→" if score.recipe == tuning.chosen else "",
                score.recipe.title,
                f"{score.score:.3f}",
                f"{score.standard_error:.3f}",
                f"{score.hubness:.2f}",
            )
            for score in tuning.scores
        ],
        title=f"{tuning.objective}, {counted(tuning.track_count, 'track')}",
    )


def print_build(report: BuildReport) -> None:
    """Print the result of a build."""
    recall = "" if report.recall is None else f", recall at 10 against exact {report.recall:.3f}"
    show.say(
        f"Artefact {report.version}: {counted(report.track_count, 'track')}, {report.recipe.title}, "
        f"{report.method} by {report.engine}{recall}, {report.seconds:.1f} s."
    )


def _tune_lsh(app: App, trainer: Trainer) -> LshTuning:
    with app.engine(needs_lsh=True) as (engine, reason):
        show.say(reason)
        with show.progress("Tuning LSH") as progress:
            return trainer.tune_lsh(engine, progress=progress)


def _print_lsh(tuning: LshTuning) -> None:
    columns = [("", "fixed")]
    columns += [
        (name, "number") for name in ("bucket length", "tables", "recall at 10", "candidates", "seconds")
    ]
    show.table(
        columns,
        [
            (
                "→" if trial.parameters == tuning.chosen else "",
                f"{trial.parameters.bucket_length:.3g}",
                str(trial.parameters.tables),
                f"{trial.recall:.3f}",
                f"{trial.candidates:,.0f}",
                f"{trial.seconds:.1f}",
            )
            for trial in tuning.trials
        ],
        title=f"LSH on a sample of {counted(tuning.track_count, 'track')}",
    )


def _recipe_body(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe; of a single ingredient also how it is fitted, as it always was."""
    first, *others = recipe.ingredients
    fitting = {} if others else asdict(first.fitting)
    return {"title": recipe.title, **fitting, **asdict(recipe)}


def _space_body(tuning: SpaceTuning) -> dict[str, Any]:
    return {
        "objective": str(tuning.objective),
        "tracks": tuning.track_count,
        "chosen": _recipe_body(tuning.chosen),
        "scores": [
            {
                "recipe": _recipe_body(score.recipe),
                "score": score.score,
                "standard_error": score.standard_error,
                "hubness": score.hubness,
            }
            for score in tuning.scores
        ],
    }


def _lsh_body(tuning: LshTuning) -> dict[str, Any]:
    return {
        "tracks": tuning.track_count,
        "chosen": asdict(tuning.chosen),
        "trials": [
            asdict(trial.parameters)
            | {"recall": trial.recall, "candidates": trial.candidates, "seconds": trial.seconds}
            for trial in tuning.trials
        ],
    }


def _build_body(report: BuildReport) -> dict[str, Any]:
    return {
        "artefact": report.version,
        "engine": report.engine,
        "method": report.method.value,
        "recipe": _recipe_body(report.recipe),
        "tracks": report.track_count,
        "recall": report.recall,
        "seconds": round(report.seconds, 3),
    }
