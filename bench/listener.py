"""Measure how fast recommendations learn what a listener likes, and draw the curve.

A simulated listener likes one collection of real clips, or two, and nothing else. They begin with a track
of each collection that they like, then always play the first recommendation: tracks that they like are
finished, and liked with a probability of 0.3; all others are skipped after 1 to 15 s. The seed draws the
first tracks, the likes and the skips. After 0, 1, 3, 5 and 10 tracks, R-precision is the share of liked
tracks among the first R recommendations, where R is the number of liked tracks that are not played yet; a
listener who has played all of them is left out. Everything uses the program's own store, profiles and
recommender.

For comparison, the same is measured for the unplayed tracks most similar to the last track: on the same
history, and for a listener who always plays those. The similarity space is the default; no label is used.

    python bench/listener.py [FOLDER WITH audio/ AND tracks.csv]
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import itertools
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from clips import MUSIC
from listening.curve import draw
from listening.simulation import Kind, Run, listen, read_clips, set_up
from listening.tables import print_offered, print_one, print_two, select
from soundalike.domain.recommendation.question import DEFAULT_ADVENTURE

SEEDS = 20


def main() -> None:
    """Measure, print the tables and draw the curve."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    if not (folder / "tracks.csv").is_file():
        sys.exit(f"{folder / 'tracks.csv'} does not exist; give a folder with audio/ and tracks.csv")
    clips = read_clips(folder)
    collections = sorted({clip.collection for clip in clips})
    ones = [(name,) for name in collections]
    twos = list(itertools.combinations(collections, 2))
    kinds = [Kind(DEFAULT_ADVENTURE), Kind(0.0), Kind(None)]
    runs = [
        *(Run(liked, kind, seed) for kind in kinds for liked in (*ones, *twos) for seed in range(SEEDS)),
        *(
            Run(liked, Kind(DEFAULT_ADVENTURE, picks_first=False), seed)
            for liked in ones
            for seed in range(SEEDS)
        ),
    ]
    with (
        tempfile.TemporaryDirectory(prefix="listener-") as place,
        ProcessPoolExecutor(initializer=set_up, initargs=(clips, Path(place))) as pool,
    ):
        results = dict(zip(runs, pool.map(listen, runs, chunksize=20), strict=True))
    print(
        f"{len(clips)} tracks in {len(collections)} collections; {SEEDS} seeds; ± one standard error of runs"
    )
    print_one(select(results, count=1))
    print_offered(select(results, count=1))
    print_two(select(results, count=2))
    draw(results)


if __name__ == "__main__":
    main()
