"""Measure how far apart encodings of the same recording are, compared with different recordings.

Every third clip is encoded again in several ways and analysed again. Distances are in units of the
duplicate threshold: up to 1, `soundalike` takes two tracks for the same recording. Different clips
should all be farther apart, encodings of the same clip nearer.

    python bench/same_recording.py [FOLDER WITH audio/ AND tracks.csv]
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr

from clips import MUSIC, analyse, build, find, tabulate
from soundalike.domain.features import FeatureVectors
from soundalike.domain.recommendation.library_index import LibraryIndex, index_library
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE, Fitting, Scaling
from soundalike.domain.types import FloatArray, TrackId

OPUS_RATE = 48_000
EVERY = 3


@dataclass(frozen=True)
class Encoding:
    """A way to encode a clip again."""

    name: str
    format: str
    subtype: str | None = None
    compression: float | None = None
    change: Callable[[FloatArray, int], FloatArray] = lambda signal, _: signal


def main() -> None:
    """Print how far apart the same and different recordings are."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    paths = sorted((folder / "audio").rglob("*.mp3"))
    if not paths:
        sys.exit(f"{folder / 'audio'} has no clips; give a folder with audio/")
    with ProcessPoolExecutor() as pool:
        originals = list(pool.map(analyse_whole, paths))
        again = {
            number: list(pool.map(partial(encode_and_analyse, number), paths[::EVERY]))
            for number in range(len(ENCODINGS))
        }
    table = tabulate([TrackId(str(number)) for number in range(len(originals))], originals)
    for recipe in (DEFAULT_RECIPE, DEFAULT_RECIPE.fitted_by(Fitting(scaling=Scaling.MIN_MAX))):
        index = index_library(build(table, recipe))
        nearest = index.artefact.neighbours.distances[:, 0] / index.duplicate_thresholds
        print(f"\n{len(paths)} clips, {recipe.title}: distances in duplicate thresholds")
        print(f"{'':34}{'median':>8}{'19 of 20':>10}{'most':>8}{'within':>9}")
        print(
            f"{'nearest different clip':34}{np.median(nearest):8.2f}{'':10}{'':8}{(nearest <= 1).mean():9.0%}"
        )
        print(f"{'... the nearest of all':34}{nearest.min():8.2f}")
        for number, encoding in enumerate(ENCODINGS):
            away = distances(index, again[number])
            print(
                f"{encoding.name:34}{np.median(away):8.2f}{np.quantile(away, 0.95):10.2f}{away.max():8.2f}"
                f"{(away <= 1).mean():9.0%}"
            )


def distances(index: LibraryIndex, vectors: list[FeatureVectors]) -> FloatArray:
    """Return how far each is from its original, in duplicate thresholds."""
    places = index.artefact.space.transform(np.stack([each.summary for each in vectors]))
    away: FloatArray = (
        np.linalg.norm(places - index.coordinates[::EVERY], axis=1) / index.duplicate_thresholds[::EVERY]
    )
    return away


def encode_and_analyse(number: int, path: Path) -> FeatureVectors:
    """Encode a clip again and analyse the result."""
    encoding = ENCODINGS[number]
    signal, rate = soundfile.read(path, dtype="float32", always_2d=True)
    signal = encoding.change(signal, rate)
    if encoding.subtype == "OPUS":
        signal, rate = soxr.resample(signal, rate, OPUS_RATE), OPUS_RATE
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / f"clip.{encoding.format.lower()}"
        soundfile.write(
            written,
            np.clip(signal, -1, 1),
            rate,
            format=encoding.format,
            subtype=encoding.subtype,
            compression_level=encoding.compression,
        )
        return analyse_whole(written)


def analyse_whole(path: Path) -> FeatureVectors:
    """Return a file's vectors."""
    analysed = analyse(find(path.parent, path.name))
    if analysed is None:
        sys.exit(f"{path} cannot be analysed")
    return analysed[1]


def mix_down(signal: FloatArray, _rate: int) -> FloatArray:
    """Mix to mono."""
    mono: FloatArray = signal.mean(axis=1, keepdims=True)
    return mono


def halve(signal: FloatArray, _rate: int) -> FloatArray:
    """Lower the level by 6 dB."""
    return signal * np.float32(0.5)


def cut(signal: FloatArray, rate: int) -> FloatArray:
    """Begin a second later."""
    return signal[rate:]


ENCODINGS = (
    Encoding("FLAC", "FLAC"),
    Encoding("MP3, high rate", "MP3", compression=0.1),
    Encoding("MP3, lowest rate", "MP3", compression=0.9),
    Encoding("Vorbis, medium quality", "OGG", "VORBIS", 0.6),
    Encoding("Vorbis, lowest quality", "OGG", "VORBIS", 0.95),
    Encoding("Opus", "OGG", "OPUS"),
    Encoding("mono", "FLAC", change=mix_down),
    Encoding("half as loud", "FLAC", change=halve),
    Encoding("a second cut off", "FLAC", change=cut),
)


if __name__ == "__main__":
    main()
