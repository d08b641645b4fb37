"""Time searching, paging and writing in a synthetic store the size of FMA (106,574 tracks).

Run with ``python bench/store.py [TRACKS]``; a plain count over the table is timed beside as the baseline.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.files import FileStamp, Location
from soundalike.domain.tracks import Position, Sort, Track
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, RootName, TrackId
from soundalike.domain.words import words
from soundalike.store.sqlite import SqliteStore

FMA_TRACKS = 106_574
REPEATS = 15
SCHEMA = FeatureSchema("bench", 1, tuple(f"f{i}" for i in range(44)), ("all",) * 44)
QUERIES = ["", "a", "s", "th", "love", "artist 77", "a b c", "the love of", "zzz", "album 5 s", "artist77 s"]
SORTS = ["title", "-artist", "year", "-year", "added"]


def synthetic_tracks(number_of_tracks: int, rng: np.random.Generator) -> list[Track]:
    """Titles of Zipf-distributed words, 16 tracks an artist, 10 % without album or year."""
    syllables = [a + b for a in "bcdfghjklmnprstvw" for b in "aeiou"]
    vocabulary = [
        "the",
        "of",
        "love",
        *("".join(rng.choice(syllables, rng.integers(1, 5))) for _ in range(20_000)),
    ]
    ranks = 1 / np.arange(1, len(vocabulary) + 1)
    picked = iter(rng.choice(vocabulary, p=ranks / ranks.sum(), size=number_of_tracks * 4))
    tracks = []
    for number in range(number_of_tracks):
        artist = f"Artist{number // 16} {vocabulary[number // 16 % 20_000]}"
        tracks.append(
            Track(
                id=TrackId(f"{rng.integers(2**60):015x}{number}"),
                location=Location(
                    RootName("music"), RelativePath(b"%03d/%06d.mp3" % (number // 1000, number))
                ),
                target=None,
                stamp=FileStamp(1_000_000 + number, 1_700_000_000_000_000_000 + number),
                audio_hash=AudioHash(f"{number:032x}"),
                title=" ".join(next(picked) for _ in range(4)).title(),
                artist=artist,
                album=None if number % 10 == 0 else f"Album {number // 12} of {artist}",
                genre="Rock",
                year=None if number % 10 == 0 else 1960 + number % 60,
                duration_ms=DurationMs(200_000),
                media_type="audio/mpeg",
                added_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number // 4),
            )
        )
    return tracks


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return median and worst time in ms."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times)), max(times)


def main() -> None:
    """Fill a store, then time what the web player asks of it."""
    number_of_tracks = int(sys.argv[1]) if len(sys.argv) > 1 else FMA_TRACKS
    rng = np.random.default_rng(0)
    tracks = synthetic_tracks(number_of_tracks, rng)
    rows = rng.normal(size=(3, 44)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.sqlite"
        store = SqliteStore(path)
        start = time.perf_counter()
        for track in tracks:
            store.save_track(track, FeatureVectors(SCHEMA, *rows))
        seconds = time.perf_counter() - start
        megabytes = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
        print(f"{len(tracks)} tracks written, {len(tracks) / seconds:.0f}/s; {megabytes:.0f} MB")

        baseline, _ = timed(store.count_tracks)
        print(f"baseline: counting the tracks takes {baseline:.1f} ms")
        print(f"{'what':44} {'median ms':>9} {'worst':>7} {'ratio':>6}")

        def show(what: str, act: Callable[[], object]) -> None:
            median, worst = timed(act)
            print(f"{what:44} {median:9.1f} {worst:7.1f} {median / baseline:6.1f}")

        for query in QUERIES:
            asked = words(query)
            for order in map(Sort.parse, SORTS if query in {"", "a", "s"} else ["title"]):
                page = store.find_tracks(asked, sort=order, limit=100)
                show(
                    f"{query!r} by {order}, {page.total} match",
                    partial(store.find_tracks, asked, sort=order, limit=20),
                )
        middle = sorted(tracks, key=lambda track: track.title)[len(tracks) // 2]
        for sort, key in (("title", middle.title.lower()), ("-year", 1990), ("-artist", "artist3")):
            asked_sort, after = Sort.parse(sort), Position(key, middle.id)
            show(
                f"100 tracks from the middle by {sort}",
                partial(store.find_tracks, [], sort=asked_sort, limit=100, after=after),
            )
        ids = [track.id for track in tracks]
        picks = iter(rng.permutation(ids))
        show("one track by id", lambda: store.track(TrackId(str(next(picks)))))
        show("50 tracks by id", lambda: store.tracks(ids[:50]))
        show("vectors of one track", lambda: store.vectors_of(ids[500], SCHEMA))
        start = time.perf_counter()
        total = sum(1 for _ in store.track_vectors(SCHEMA))
        print(f"every vector read: {total / (time.perf_counter() - start):.0f}/s")
        start = time.perf_counter()
        total = sum(1 for _ in store.tracks_under(RootName("music"), RelativePath(b"")))
        print(f"every track read by path: {total / (time.perf_counter() - start):.0f}/s")
        store.close()


if __name__ == "__main__":
    main()
