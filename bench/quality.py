"""Measure what sounds alike on real clips with trustworthy labels: precision at 10 and 1 by collection.

Three spaces on the same clips: the recipe of the tutorials (13 MFCC means, centroid and zero-crossing
rate, min-max, Euclid), the default, and what `soundalike tune` chooses without seeing a label. A track
is never its own neighbour; one of a small collection is judged by what it could find.

    python bench/quality.py [FOLDER WITH audio/ AND tracks.csv]
"""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from clips import MUSIC, analyse, find, tabulate
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.similarity.evaluation import Estimate, hubness, precision_at_k
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE, Fitting, Ingredient, Recipe, Scaling
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.types import FloatArray, TrackId
from soundalike.services.learning.tuning import tune_space

NAIVE_FEATURES = (*(f"mfcc_{number}_mean" for number in range(1, 14)), "centroid_mean", "zcr_mean")
NAIVE_RECIPE = Recipe((Ingredient(feature_set="tutorial", fitting=Fitting(scaling=Scaling.MIN_MAX)),))


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    if not (folder / "tracks.csv").is_file():
        sys.exit(f"{folder / 'tracks.csv'} is not there; give a folder with audio/ and tracks.csv")
    table = listen(folder)
    tuning = tune_space(DEFAULT_RECIPE, replace(table, genres=(None,) * len(table)), progress=lambda *_: None)
    spaces = {
        "the recipe of the tutorials": (NAIVE_RECIPE, narrowed(table)),
        "default": (DEFAULT_RECIPE, table),
        "tuned without labels": (tuning.chosen, table),
    }
    print(f"{len(table)} tracks in {len(set(table.genres))} collections")
    print(f"{'':28} {'P@10':>13} {'P@1':>6} {'hubness':>8}  space")
    at_10: dict[str, Estimate] = {}
    for name, (recipe, part) in spaces.items():
        coordinates = fit_locally(recipe, part).transform(part.summaries)
        at_10[name] = judge(coordinates, part, 10)
        print(
            f"{name:28} {at_10[name].value:.3f} ± {at_10[name].standard_error:.3f} "
            f"{judge(coordinates, part, 1).value:6.3f} "
            f"{hubness(exact_neighbours(coordinates, 10).rows):8.2f}  {recipe.title}"
        )
    naive = at_10["the recipe of the tutorials"]
    gain = Estimate(at_10["tuned without labels"].scores - naive.scores)
    share = gain.value / naive.value
    print(f"tuned is better by {gain.value:+.3f} ± {gain.standard_error:.3f} at 10 ({share:+.0%}), by track")


def judge(coordinates: FloatArray, table: LibraryTable, k: int) -> Estimate:
    """Precision at k by collection."""
    return precision_at_k(coordinates, table.genres, k=k, rng=np.random.default_rng(0))


def listen(folder: Path) -> LibraryTable:
    """Analyse every clip; its collection is used as its genre."""
    analysed: list[tuple[dict[str, str], FeatureVectors]] = []
    with (folder / "tracks.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            result = analyse(find(folder, row["file"]))
            if result is not None:
                analysed.append((row, result[1]))
    return tabulate(
        [TrackId(row["track_id"]) for row, _ in analysed],
        [vectors for _, vectors in analysed],
        genres=[row["collection"] for row, _ in analysed],
        artists=[row["artist"] for row, _ in analysed],
    )


def narrowed(table: LibraryTable) -> LibraryTable:
    """Keep the tutorials' features alone."""
    (timbre,) = table.schemas
    columns = np.array([timbre.features.index(name) for name in NAIVE_FEATURES])
    schema = FeatureSchema("tutorial", 1, NAIVE_FEATURES, tuple(timbre.groups[i] for i in columns))
    return replace(
        table,
        schemas=(schema,),
        summaries=table.summaries[:, columns],
        parts=tuple(each.select(columns) for each in table.parts),
    )


if __name__ == "__main__":
    main()
