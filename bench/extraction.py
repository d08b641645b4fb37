"""Time the analysis of one clip: decoding alone, the usual script with librosa, and soundalike.

All three run in turn on the same clips in the same process, one thread each; the ratio is of medians
over rounds, with the spread of the rounds.

    python bench/extraction.py [FOLDER OF AUDIO]
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import soundfile

from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.files import Analysis, FileStamp, FoundFile, Location
from soundalike.domain.types import RelativePath, RootName

MUSIC = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "music" / "audio"
CLIPS, ROUNDS = 12, 5


def decode(path: Path) -> None:
    """Decode at the clip's own rate, float32: the lower bound."""
    soundfile.read(path, dtype="float32")


def script(path: Path) -> None:
    """Do what tutorials do."""
    signal, rate = librosa.load(path)
    librosa.feature.mfcc(y=signal, sr=rate, n_mfcc=20).mean(axis=1)
    librosa.feature.spectral_centroid(y=signal, sr=rate).mean()
    librosa.feature.zero_crossing_rate(signal).mean()


def main() -> None:
    """Print CPU milliseconds per clip and the ratio."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    clips = sorted(folder.rglob("*.mp3"))[:CLIPS]
    if not clips:
        sys.exit(f"no MP3 files in {folder}; give a folder of music")
    extractor = Timbre()

    def soundalike(path: Path) -> None:
        status = path.stat()
        file = FoundFile(
            location=Location(RootName("music"), RelativePath(bytes(path.relative_to(folder)))),
            real_path=path,
            is_linked=False,
            stamp=FileStamp(status.st_size, status.st_mtime_ns),
        )
        if not isinstance(analyse_file(file, [extractor], {}), Analysis):
            sys.exit(f"{path} could not be analysed")

    ways: dict[str, Callable[[Path], None]] = {
        "decode": decode,
        "librosa script": script,
        "soundalike": soundalike,
    }
    for way in ways.values():
        way(clips[0])
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.process_time()
            for clip in clips:
                way(clip)
            times[name].append((time.process_time() - started) / len(clips) * 1000)
    for name, each in times.items():
        print(f"{name:15} {statistics.median(each):6.1f} ms CPU a clip  ({min(each):.1f} to {max(each):.1f})")
    ratios = [slow / fast for slow, fast in zip(times["librosa script"], times["soundalike"], strict=True)]
    print(
        f"soundalike (with tags, hash, checks and halves) is {statistics.median(ratios):.2f} times as fast "
        f"as the script ({min(ratios):.2f} to {max(ratios):.2f}, {ROUNDS} rounds of {len(clips)} clips)"
    )


if __name__ == "__main__":
    main()
