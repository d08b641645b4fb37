"""Tables of a simulation: what is printed."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from listening.simulation import AFTER, Judgement, Kind, Results
from soundalike.domain.recommendation.question import DEFAULT_ADVENTURE

Pick = Callable[[Judgement], float | None]


def select(results: Results, *, count: int) -> Results:
    """Return the listeners of one or two collections."""
    return {run: judgements for run, judgements in results.items() if len(run.liked) == count}


def of_kind(results: Results, kind: Kind) -> Results:
    """Return the listeners of one kind."""
    return {run: judgements for run, judgements in results.items() if run.kind == kind}


def values(results: Results, after: int, pick: Pick) -> list[float]:
    """Return one number for each run that has it."""
    found = (pick(judgements[after]) for judgements in results.values() if after in judgements)
    return [value for value in found if value is not None]


def print_one(results: Results) -> None:
    """Print what a listener of one collection is recommended."""
    default, plain, last = (of_kind(results, Kind(each)) for each in (DEFAULT_ADVENTURE, 0.0, None))
    heading("Likes one collection and begins with a track of it. R-precision of unplayed tracks")
    row(f"recommended, adventure {DEFAULT_ADVENTURE}", default, lambda one: one.recommended)
    row("recommended, adventure 0", plain, lambda one: one.recommended)
    row("similar to the last track, same history", default, lambda one: one.similar)
    row("... to the last finished, same history", default, lambda one: one.similar_to_finished)
    row("similar to the last track, its own", last, lambda one: one.similar)
    row("chance", default, lambda one: one.chance)
    for name, pick in (
        ("more than similar to the last track", lambda one: difference(one.recommended, one.similar)),
        (
            "... than similar to the last finished",
            lambda one: difference(one.recommended, one.similar_to_finished),
        ),
    ):
        row(f"{name}", default, pick, sign="+")
    by_collection(default)


def print_offered(results: Results) -> None:
    """Print the same for a listener who plays what is recommended from the start."""
    offered = of_kind(results, Kind(DEFAULT_ADVENTURE, picks_first=False))
    heading("The same listener, but plays what is recommended from the start")
    row(f"recommended, adventure {DEFAULT_ADVENTURE}", offered, lambda one: one.recommended)
    row("similar to the last track, same history", offered, lambda one: one.similar)
    row("chance", offered, lambda one: one.chance)


def print_two(results: Results) -> None:
    """Print what a listener of two collections is recommended."""
    for adventure in (DEFAULT_ADVENTURE, 0.0):
        runs = of_kind(results, Kind(adventure))
        heading(f"Likes two collections and begins with a track of each; adventure {adventure}")
        row("R-precision of both", runs, lambda one: one.recommended)
        row("similar to the last track, same history", runs, lambda one: one.similar)
        row("chance", runs, lambda one: one.chance)
        row("smaller share in the top 10", runs, lambda one: one.smaller)
        row("smaller share of a random ten", runs, lambda one: one.smaller_chance)
        ratio(runs)
        row("share of the smaller collection in all", runs, lambda one: one.smaller_part)


def heading(text: str) -> None:
    """Print the title of the next rows."""
    print(f"\n{text}\n{'after':42}" + "".join(f"{after:>11}" for after in AFTER))


def row(name: str, results: Results, pick: Pick, *, sign: str = "") -> None:
    """Print the mean of each column with its standard error over runs."""
    cells = []
    for after in AFTER:
        found = values(results, after, pick)
        cells.append(f"{np.mean(found):{sign}.3f}±{error(found):.3f}".replace("0.", ".") if found else "")
    print(f"{name:42}" + "".join(f"{cell:>11}" for cell in cells))


def ratio(results: Results) -> None:
    """Print the ratio of the smaller share to chance."""
    cells = []
    for after in AFTER:
        found, chances = (
            values(results, after, pick) for pick in (lambda one: one.smaller, lambda one: one.smaller_chance)
        )
        cells.append(f"{np.mean(found) / np.mean(chances):.1f}x" if found else "")
    print(f"{'... times chance':42}" + "".join(f"{cell:>11}" for cell in cells))


def by_collection(results: Results) -> None:
    """Print the gain after 10 tracks, with its standard error over collections."""
    gains: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for run, judgements in results.items():
        if AFTER[-1] in judgements:
            gain = difference(judgements[AFTER[-1]].recommended, judgements[AFTER[-1]].similar)
            gains[run.liked].extend([] if gain is None else [gain])
    means = [float(np.mean(each)) for each in gains.values() if each]
    print(
        f"after {AFTER[-1]}, by collection: {np.mean(means):+.3f} ± {error(means):.3f} "
        f"over {len(means)} collections, better in {sum(mean > 0 for mean in means)}"
    )


def difference(one: float | None, other: float | None) -> float | None:
    """Return the difference, if both are known."""
    return None if one is None or other is None else one - other


def error(found: Sequence[float]) -> float:
    """Return the standard error of a mean."""
    return float(np.std(found, ddof=1) / np.sqrt(len(found))) if len(found) > 1 else 0.0
