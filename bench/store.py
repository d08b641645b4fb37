"""Time searching, paging and writing in a synthetic store the size of FMA (106,574 tracks), and listens.

Run with ``python bench/store.py [TRACKS]``; a plain count over the table is the baseline; for
listens it is a plain table without ids or order, written by `executemany` and as durable.
"""

import random
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.domain.catalogue import own_entry
from soundalike.domain.entries import FIELDS, EntryField, EntryKind, EntryPage, EntrySort
from soundalike.domain.features import FeatureSchema, FeatureVectors, whole_and_halves
from soundalike.domain.files import FileStamp, Location, TrackFile
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.profiles import refold
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Position, Sort, Track, TrackFilter
from soundalike.domain.types import (
    AudioHash,
    DurationMs,
    EventId,
    RelativePath,
    RootName,
    TrackId,
    UserId,
)
from soundalike.domain.words import words
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.store.sqlite.store import SqliteStore

FMA_TRACKS = 106_574
REPEATS = 15
GENRES = 161
DEEP = 50_000
LISTENS, LISTENERS = 100_000, 100
SINGLES = 1_000
SCHEMA = FeatureSchema("bench", 1, tuple(f"f{i}" for i in range(44)), ("all",) * 44)
QUERIES = ["", "a", "s", "th", "love", "artist 77", "a b c", "the love of", "zzz", "album 5 s", "artist77 s"]
SORTS = ["title", "-artist", "year", "-year", "added"]


def synthetic_tracks(number_of_tracks: int, rng: np.random.Generator) -> list[Track]:
    """Titles of Zipf-distributed words, 16 tracks an artist, 10 % without album or year.

    Each artist has one of 161 genres (a third of them the commonest, as in FMA) and sometimes a second;
    one track in twenty is there twice.
    """
    syllables = [a + b for a in "bcdfghjklmnprstvw" for b in "aeiou"]
    vocabulary = [
        "the",
        "of",
        "love",
        *("".join(rng.choice(syllables, rng.integers(1, 5))) for _ in range(20_000)),
    ]
    ranks = 1 / np.arange(1, len(vocabulary) + 1)
    picked = iter(rng.choice(vocabulary, p=ranks / ranks.sum(), size=number_of_tracks * 4))
    tracks: list[Track] = []
    shares = 1 / np.arange(1, GENRES + 1)
    genres = rng.choice(GENRES, p=shares / shares.sum(), size=(number_of_tracks // 16 + 1, 2))
    for number in range(number_of_tracks):
        if number % 20 == 19:  # noqa: PLR2004 - one in twenty
            tracks.append(copy_of(tracks[-1], number))
            continue
        artist = f"Artist{number // 16} {vocabulary[number // 16 % 20_000]}"
        title = " ".join(next(picked) for _ in range(4)).title()
        tags = Tags(
            title=title,
            artists=(artist,),
            album=None if number % 10 == 0 else f"Album {number // 12} of {artist}",
            genres=tuple(f"Genre {genre}" for genre in genres[number // 16][: 1 + number // 48 % 2]),
            year=None if number % 10 == 0 else 1960 + number % 60,
            track_number=number % 12 + 1,
        )
        tracks.append(
            Track(
                id=TrackId(f"{rng.integers(2**60):015x}{number}"),
                file=TrackFile(
                    location=Location(
                        RootName("music"), RelativePath(b"%03d/%06d.mp3" % (number // 1000, number))
                    ),
                    stamp=FileStamp(1_000_000 + number, 1_700_000_000_000_000_000 + number),
                    audio_hash=AudioHash(f"{number:032x}"),
                    media_type="audio/mpeg",
                ),
                tags=tags,
                entry=own_entry(tags),
                title=title,
                duration_ms=DurationMs(200_000),
                added_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number // 4),
            )
        )
    return tracks


def copy_of(track: Track, number: int) -> Track:
    """Return the same recording in another file."""
    location = Location(RootName("music"), RelativePath(b"copies/%06d.flac" % number))
    file = track.file and replace(track.file, location=location, media_type="audio/flac")
    return replace(track, id=TrackId(f"{track.id}c"), file=file)


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return median and worst time in ms."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times)), max(times)


def synthetic_batches(size: int, count: int) -> list[list[Listen]]:
    """Return listens in batches of one user each, as browsers send them: random ids, in order of time."""
    rng = random.Random(size)  # noqa: S311 - the same ids at every run, no secrets
    kinds = list(ListenKind)
    users = [UserId(f"{rng.getrandbits(80):020x}") for _ in range(LISTENERS)]
    batches = []
    for first in range(0, count, size):
        user_id = rng.choice(users)
        batches.append(
            [
                Listen(
                    id=EventId(str(uuid.UUID(int=rng.getrandbits(128)))),
                    user_id=user_id,
                    track_id=TrackId(f"{rng.getrandbits(64):016x}"),
                    kind=rng.choice(kinds),
                    position_ms=rng.randrange(300_000),
                    at_ms=1_700_000_000_000 + 60_000 * number,
                )
                for number in range(first, min(first + size, count))
            ]
        )
    return batches


class BareTable:
    """The least cost of adding listens: rows with the same columns at the end of a table."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("CREATE TABLE bare (user, at_ms, id, track, kind, position_ms)")

    def add(self, listens: Sequence[Listen]) -> None:
        """Write rows at the end, as durably as the store does."""
        rows = [(one.user_id, one.at_ms, one.id, one.track_id, one.kind, one.position_ms) for one in listens]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def read(self) -> int:
        """Read all rows at once."""
        return len(self.connection.execute("SELECT * FROM bare").fetchall())


def rate(act: Callable[[], int]) -> tuple[float, float]:
    """Return listens per second, and per second of this process's CPU (without waiting for the disk)."""
    start, start_cpu = time.perf_counter(), time.process_time()
    count = act()
    return count / (time.perf_counter() - start), count / (time.process_time() - start_cpu)


def add_all(add: Callable[[Sequence[Listen]], object], batches: list[list[Listen]]) -> int:
    """Add listens batch by batch; return how many."""
    for batch in batches:
        add(batch)
    return sum(map(len, batches))


def each_ms(add: Callable[[Sequence[Listen]], object], batches: list[list[Listen]]) -> tuple[float, float]:
    """Return median and 99th percentile of one call, in ms."""
    times = []
    for batch in batches:
        start = time.perf_counter()
        add(batch)
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times)), float(np.percentile(times, 99))


def time_listens(folder: Path) -> None:
    """Time adding and reading listens, compared with a plain table, and the reads of every request."""
    batches = synthetic_batches(500, LISTENS)
    singles = synthetic_batches(1, SINGLES)
    bare = BareTable(folder / "bare.sqlite")
    with closing(SqliteStore(folder / "listens.sqlite")) as store, closing(bare.connection):
        users = sorted({batch[0].user_id for batch in batches})

        def read() -> int:
            return sum(1 for user_id in users for _ in store.listens_of(user_id))

        print(
            f"\n{'listens, durable where written':44} {'a second':>9} {'of CPU':>9} {'bare':>9} {'ratio':>6}"
        )
        add, add_bare = partial(add_all, store.add_listens, batches), partial(add_all, bare.add, batches)
        for what, act, baseline in (
            ("added by 500", add, add_bare),
            ("added by 500, all known already", add, add_bare),
            ("listens_of every user", read, bare.read),
        ):
            bare_rate, _ = rate(baseline)
            wall, cpu = rate(act)
            print(f"{what:44} {wall:9,.0f} {cpu:9,.0f} {bare_rate:9,.0f} {bare_rate / wall:6.1f}")
        bare_ms, bare_worst_ms = each_ms(bare.add, singles)
        median_ms, worst_ms = each_ms(store.add_listens, singles)
        print(
            f"added one by one: {median_ms:.2f} ms, p99 {worst_ms:.2f}; "
            f"bare {bare_ms:.2f} ms, p99 {bare_worst_ms:.2f}"
        )
        profile = refold(users[0], [batch[0] for batch in batches][:200])
        store.save_profile(profile, replacing=None)
        for asked, answer in (
            ("has_users", store.has_users),
            ("profile_version", lambda: store.profile_version(users[0])),
            ("profile of 200 listens", lambda: store.profile(users[0])),
            ("save_profile", lambda: store.save_profile(profile, replacing=profile.version)),
        ):
            median, worst = timed(answer)
            print(f"{asked}: {median * 1000:.0f} us, worst {worst * 1000:.0f}")


def time_pages(store: SqliteStore, show: Callable[[str, Callable[[], object]], None]) -> None:
    """Time pages of 50 with their totals: of albums, artists and genres, and of their tracks."""
    start = time.perf_counter()
    groups = settle_catalogue(store)
    print(f"{groups} groups settled, {groups / (time.perf_counter() - start):.0f}/s")
    finders: dict[EntryKind, Callable[..., EntryPage[Any]]] = {
        EntryKind.ALBUM: store.find_albums,
        EntryKind.ARTIST: store.find_artists,
        EntryKind.GENRE: store.find_genres,
    }
    for kind, find in finders.items():
        for sort in (
            EntrySort(field, is_descending=down) for field in FIELDS[kind] for down in (False, True)
        ):
            total = find(sort=sort, limit=1).total
            show(f"{total} {kind}s by {sort}", partial(find, sort=sort, limit=50))
            show(f"  from {total * 2 // 3} on", partial(find, sort=sort, limit=50, offset=total * 2 // 3))
    by_count = EntrySort(EntryField.TRACKS, is_descending=True)
    genres = store.find_genres(sort=by_count, limit=200).entries
    artist = store.find_artists(sort=by_count, limit=1).entries[0]
    album = store.find_albums(sort=EntrySort(), limit=1).entries[0]
    filters = {
        "without copies": TrackFilter(hides_duplicates=True),
        f"of one album, {album.track_count}": TrackFilter(album=album.id),
        f"of one artist, {artist.track_count}": TrackFilter(artist=artist.id),
        **{
            f"of a genre, {genres[place].track_count}": TrackFilter(
                genre=genres[place].id, hides_duplicates=True
            )
            for place in (0, 1, 4, 12, 40, 100)
            if place < len(genres)
        },
    }
    for what, only in filters.items():
        for order in map(Sort.parse, ("title", "-artist", "album", "-year", "added")):
            total = store.find_tracks([], sort=order, limit=1, only=only).total
            show(f"{what} by {order}", partial(store.find_tracks, [], sort=order, limit=50, only=only))
            if total > DEEP:
                deep = partial(store.find_tracks, [], sort=order, limit=50, only=only, offset=DEEP)
                show(f"  from {DEEP} on", deep)
    show("one album", lambda: store.album(album.id))
    show("albums of one artist", lambda: store.find_albums(sort=EntrySort(), limit=50, artist=artist.id))


def main() -> None:
    """Fill a store, then time the queries of the web player."""
    number_of_tracks = int(sys.argv[1]) if len(sys.argv) > 1 else FMA_TRACKS
    rng = np.random.default_rng(0)
    tracks = synthetic_tracks(number_of_tracks, rng)
    rows = rng.normal(size=(3, 44)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.sqlite"
        store = SqliteStore(path)
        start = time.perf_counter()
        for track in tracks:
            store.save_track(track, FeatureVectors(SCHEMA, whole_and_halves(0, 30_000), rows))
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
        time_pages(store, show)
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
        time_listens(Path(folder))


if __name__ == "__main__":
    main()
