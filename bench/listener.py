"""Measure how fast recommendations learn what somebody likes, and draw the curve.

A simulated listener likes one collection of real clips, or two, and nothing else. They put on a track of
each collection that they like, then play whatever is recommended first, again and again: what they like is
finished, and liked with a chance of 0.3; all else is skipped after 1 to 15 s. The seed draws what they put
on, the likes and the skips. After 0, 1, 3, 5 and 10 tracks, R-precision is the share of what they like
among the first R that are recommended, R being what is left of it unheard; a listener who has heard all of
it by then is left out. Everything goes through the program's own store, profiles and recommender.

Beside it stands what is most similar to the last track, of what is unheard: on the same history, and for a
listener who always plays that. The space is the default; nothing sees a label.

    python bench/listener.py [FOLDER WITH audio/ AND tracks.csv]
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import csv
import itertools
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.style import context as style_context

from clips import MUSIC, build, find, hear, tabulate
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import Analysis, FoundFile
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.similarity.space import DEFAULT_RECIPE, Artefact, ArtefactDraft
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, EventId, TrackId, UserId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import DEFAULT_ADVENTURE, Recommender
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.store.sqlite.store import SqliteStore

CURVE = Path(__file__).resolve().parent.parent / "docs" / "learning.svg"
SEEDS = 20
AFTER = (0, 1, 3, 5, 10)
TOP = 10
LIKE_CHANCE = 0.3
CLIP_MS, SKIPPED_FROM_MS, SKIPPED_TO_MS = 30_000, 1_000, 15_000
FIRST_MS, STEP_MS, LATENESS_MS = 1_767_571_200_000, 60_000, 7 * 24 * 3600 * 1000

SOME_TIME = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Clip:
    """A track, what was heard of it, and the collection it is of."""

    track: Track
    vectors: FeatureVectors
    collection: str


@dataclass(frozen=True)
class Kind:
    """A kind of listener.

    Parameters
    ----------
    adventure : float or None
        What they set; None plays what is most similar to the last track.
    puts_on : bool
        Whether they begin with tracks that they like, or with whatever is offered.
    """

    adventure: float | None
    puts_on: bool = True


@dataclass(frozen=True)
class Run:
    """One listener: which collections they like, of what kind they are, and their seed."""

    liked: tuple[str, ...]
    kind: Kind
    seed: int


@dataclass(frozen=True)
class Reading:
    """What a list is worth after so many tracks; None where it cannot be told.

    Parameters
    ----------
    recommended, similar : float or None
        R-precision of what is recommended, and of what is most similar to the last track.
    similar_to_finished : float or None
        The same to the last track that was finished, where there is one.
    chance : float
        The same of any order.
    smaller, smaller_chance, smaller_part : float or None
        Of two collections that have tracks left, the smaller share in the top 10, what that is in
        any order on average, and the part of all that is unheard that the smaller collection is.
    """

    recommended: float | None
    similar: float | None
    similar_to_finished: float | None
    chance: float
    smaller: float | None
    smaller_chance: float | None
    smaller_part: float | None


Readings = dict[int, Reading]
Results = dict[Run, Readings]


def main() -> None:
    """Measure, print the tables and draw the curve."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    if not (folder / "tracks.csv").is_file():
        sys.exit(f"{folder / 'tracks.csv'} is not there; give a folder with audio/ and tracks.csv")
    clips = read_clips(folder)
    collections = sorted({clip.collection for clip in clips})
    ones = [(name,) for name in collections]
    twos = list(itertools.combinations(collections, 2))
    kinds = [Kind(DEFAULT_ADVENTURE), Kind(0.0), Kind(None)]
    runs = [
        *(Run(liked, kind, seed) for kind in kinds for liked in (*ones, *twos) for seed in range(SEEDS)),
        *(
            Run(liked, Kind(DEFAULT_ADVENTURE, puts_on=False), seed)
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


# A listener


class World:
    """The program with the clips in it, in a folder of its own."""

    def __init__(self, clips: Sequence[Clip], folder: Path) -> None:
        self.clips = {clip.track.id: clip for clip in clips}
        self.store = SqliteStore(folder / "library.sqlite")
        for clip in clips:
            self.store.save_track(clip.track, clip.vectors)
        table = tabulate([clip.track.id for clip in clips], [clip.vectors for clip in clips])
        artefacts = OneArtefact(build(table, DEFAULT_RECIPE))
        library = Library(self.store, RootMap(self.store, {}))
        self.profiles = Profiles(self.store, lateness_ms=LATENESS_MS)
        self.neighbours = NeighbourFinder(self.store, artefacts, library)
        self.recommender = Recommender(self.store, artefacts, library, self.profiles, clock=lambda: SOME_TIME)

    def recommended(self, user: UserId, limit: int, adventure: float) -> list[TrackId]:
        """Ask the recommender."""
        found = self.recommender.recommend(user, limit=limit, adventure=adventure)
        return [each.track.id for each in found.recommendations]

    @cache  # noqa: B019 - a world lives as long as its process
    def similar(self, track_id: TrackId) -> list[TrackId]:
        """Ask what is most similar to a track."""
        return [each.track.id for each in self.neighbours.similar(track_id, limit=100).neighbours]


@dataclass(frozen=True)
class OneArtefact:
    """An artefact store of one artefact."""

    artefact: Artefact

    def current(self) -> Artefact:
        """Return it."""
        return self.artefact

    def publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        """Refuse another."""
        raise NotImplementedError


_worlds: list[World] = []


def set_up(clips: Sequence[Clip], place: Path) -> None:
    """Make this process's world."""
    folder = place / str(os.getpid())
    folder.mkdir()
    _worlds.append(World(clips, folder))


def listen(run: Run) -> Readings:
    """Live through one listener's first tracks."""
    world = _worlds[0]
    listener = Listener(world, run)
    readings = {}
    for count in range(max(AFTER) + 1):
        if count in AFTER and listener.left():
            readings[count] = listener.judge()
        if count < max(AFTER):
            listener.play(listener.choose())
    return readings


class Listener:
    """Plays, reacts, and judges what is recommended."""

    def __init__(self, world: World, run: Run) -> None:
        self._world = world
        self._run = run
        self._rng = np.random.default_rng([run.seed, *map(ord, "".join(run.liked))])
        self._user = UserId(f"{'-'.join(run.liked)}-{run.kind}-{run.seed}".replace(" ", ""))
        self._heard: list[TrackId] = []
        self._events = itertools.count()
        self._first = self._put_on() if run.kind.puts_on else []

    def left(self, name: str | None = None) -> list[TrackId]:
        """Return what is unheard of all liked collections, or of one."""
        return [
            track_id
            for track_id, clip in self._world.clips.items()
            if track_id not in self._heard and clip.collection in ((name,) if name else self._run.liked)
        ]

    def choose(self) -> TrackId:
        """Return what they play next."""
        if len(self._heard) < len(self._first):
            return self._first[len(self._heard)]
        adventure = self._run.kind.adventure
        if adventure is None:
            return self._similar(self._heard[-1])[0]
        return self._world.recommended(self._user, 20, adventure)[0]

    def play(self, track_id: TrackId) -> None:
        """Finish what is liked, perhaps like it; skip all else early."""
        listens = [self._listen(track_id, ListenKind.STARTED, 0)]
        likes, skipped_ms = (
            self._rng.random() < LIKE_CHANCE,
            self._rng.uniform(SKIPPED_FROM_MS, SKIPPED_TO_MS),
        )
        if not self._is_liked(track_id):
            listens.append(self._listen(track_id, ListenKind.SKIPPED, int(skipped_ms)))
        else:
            listens.append(self._listen(track_id, ListenKind.FINISHED, CLIP_MS))
            if likes:
                listens.append(self._listen(track_id, ListenKind.LIKED, None))
        self._world.store.add_listens(listens)
        self._world.profiles.fold(listens)
        self._heard.append(track_id)

    def judge(self) -> Reading:
        """Judge what they would be played now."""
        liked = set(self.left())
        count = len(liked)
        unheard = len(self._world.clips) - len(self._heard)
        recommended = None
        if self._run.kind.adventure is not None:
            recommended = self._world.recommended(self._user, max(count, TOP), self._run.kind.adventure)
        finished = [track_id for track_id in self._heard if self._is_liked(track_id)]
        smaller, smaller_chance, smaller_part = self._smaller_share(recommended)
        return Reading(
            recommended=share(recommended, liked),
            similar=share(self._similar(self._heard[-1]), liked) if self._heard else None,
            similar_to_finished=share(self._similar(finished[-1]), liked) if finished else None,
            chance=count / unheard,
            smaller=smaller,
            smaller_chance=smaller_chance,
            smaller_part=smaller_part,
        )

    def _put_on(self) -> list[TrackId]:
        names = [self._run.liked[place] for place in self._rng.permutation(len(self._run.liked))]
        return [TrackId(str(self._rng.choice(self.left(name)))) for name in names]

    def _is_liked(self, track_id: TrackId) -> bool:
        return self._world.clips[track_id].collection in self._run.liked

    def _similar(self, track_id: TrackId) -> list[TrackId]:
        return [each for each in self._world.similar(track_id) if each not in self._heard]

    def _smaller_share(self, recommended: list[TrackId] | None) -> tuple[float | None, ...]:
        counts = [len(self.left(name)) for name in self._run.liked]
        if recommended is None or len(counts) == 1 or not all(counts):
            return None, None, None
        shares = [share(recommended[:TOP], set(self.left(name)), TOP) for name in self._run.liked]
        unheard = len(self._world.clips) - len(self._heard)
        smaller = min(one for one in shares if one is not None)
        return smaller, chance_of_smaller(*counts, unheard), min(counts) / unheard

    def _listen(self, track_id: TrackId, kind: ListenKind, position_ms: int | None) -> Listen:
        number = next(self._events)
        return Listen(
            id=EventId(f"00000000-0000-4000-8000-{number:012x}"),
            user_id=self._user,
            track_id=track_id,
            kind=kind,
            position_ms=position_ms,
            at_ms=FIRST_MS + len(self._heard) * STEP_MS + number,
        )


def share(found: Sequence[TrackId] | None, liked: set[TrackId], count: int | None = None) -> float | None:
    """Return the share of the first so many, as many as are liked by default, that are liked."""
    if found is None:
        return None
    first = found[: count or len(liked)]
    return sum(track_id in liked for track_id in first) / (count or len(liked))


@cache
def chance_of_smaller(one: int, other: int, unheard: int) -> float:
    """Return the smaller of two collections' shares in the top 10 of any order, on average."""
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric([one, other, unheard - one - other], TOP, size=20_000)
    return float(drawn[:, :2].min(axis=1).mean() / TOP)


# The clips


def read_clips(folder: Path) -> list[Clip]:
    """Extract every clip's vectors, with its number for an id."""
    clips = []
    with (folder / "tracks.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = find(folder, row["file"])
            heard = hear(found)
            if heard is not None:
                clips.append(Clip(as_track(row, found, heard[0]), heard[1], row["collection"]))
    return clips


def as_track(row: dict[str, str], found: FoundFile, heard: Analysis) -> Track:
    """Make the track that a scan would make."""
    return Track(
        id=TrackId(row["track_id"]),
        location=found.location,
        target=None,
        stamp=found.stamp,
        audio_hash=heard.audio_hash,
        title=row["title"],
        artist=row["artist"] or None,
        album=row["album"] or None,
        genre=None,
        year=None,
        duration_ms=heard.duration_ms,
        media_type=heard.media_type,
        added_at=SOME_TIME,
    )


# The tables

Pick = Callable[[Reading], float | None]


def select(results: Results, *, count: int) -> Results:
    """Keep the listeners of so many collections."""
    return {run: readings for run, readings in results.items() if len(run.liked) == count}


def of_kind(results: Results, kind: Kind) -> Results:
    """Keep one kind of listener."""
    return {run: readings for run, readings in results.items() if run.kind == kind}


def values(results: Results, after: int, pick: Pick) -> list[float]:
    """Return one number for each run that has it."""
    found = (pick(readings[after]) for readings in results.values() if after in readings)
    return [value for value in found if value is not None]


def print_one(results: Results) -> None:
    """Print what a listener of one collection is recommended."""
    default, plain, last = (of_kind(results, Kind(each)) for each in (DEFAULT_ADVENTURE, 0.0, None))
    heading("Likes one collection, puts on a track of it. R-precision of what is unheard")
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
    """Print the same for who plays what the start offers."""
    offered = of_kind(results, Kind(DEFAULT_ADVENTURE, puts_on=False))
    heading("The same listener, who puts nothing on and plays what is offered from the start")
    row(f"recommended, adventure {DEFAULT_ADVENTURE}", offered, lambda one: one.recommended)
    row("similar to the last track, same history", offered, lambda one: one.similar)
    row("chance", offered, lambda one: one.chance)


def print_two(results: Results) -> None:
    """Print what a listener of two collections is recommended."""
    for adventure in (DEFAULT_ADVENTURE, 0.0):
        runs = of_kind(results, Kind(adventure))
        heading(f"Likes two collections, puts on a track of each; adventure {adventure}")
        row("R-precision of both", runs, lambda one: one.recommended)
        row("similar to the last track, same history", runs, lambda one: one.similar)
        row("chance", runs, lambda one: one.chance)
        row("smaller share in the top 10", runs, lambda one: one.smaller)
        row("smaller share of a random ten", runs, lambda one: one.smaller_chance)
        ratio(runs)
        row("part of all that the smaller collection is", runs, lambda one: one.smaller_part)


def heading(text: str) -> None:
    """Print what the next rows are about."""
    print(f"\n{text}\n{'after':42}" + "".join(f"{after:>11}" for after in AFTER))


def row(name: str, results: Results, pick: Pick, *, sign: str = "") -> None:
    """Print the mean of each column with its standard error over runs."""
    cells = []
    for after in AFTER:
        found = values(results, after, pick)
        cells.append(f"{np.mean(found):{sign}.3f}±{error(found):.3f}".replace("0.", ".") if found else "")
    print(f"{name:42}" + "".join(f"{cell:>11}" for cell in cells))


def ratio(results: Results) -> None:
    """Print how many times chance the smaller share is."""
    cells = []
    for after in AFTER:
        found, chances = (
            values(results, after, pick) for pick in (lambda one: one.smaller, lambda one: one.smaller_chance)
        )
        cells.append(f"{np.mean(found) / np.mean(chances):.1f}x" if found else "")
    print(f"{'... times chance':42}" + "".join(f"{cell:>11}" for cell in cells))


def by_collection(results: Results) -> None:
    """Print the gain after 10 tracks, with its standard error over collections rather than runs."""
    gains: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for run, readings in results.items():
        if AFTER[-1] in readings:
            gain = difference(readings[AFTER[-1]].recommended, readings[AFTER[-1]].similar)
            gains[run.liked].extend([] if gain is None else [gain])
    means = [float(np.mean(each)) for each in gains.values() if each]
    print(
        f"after {AFTER[-1]}, by collection: {np.mean(means):+.3f} ± {error(means):.3f} "
        f"over {len(means)} collections, better in {sum(mean > 0 for mean in means)}"
    )


def difference(one: float | None, other: float | None) -> float | None:
    """Return how much more one is, where both are known."""
    return None if one is None or other is None else one - other


def error(found: Sequence[float]) -> float:
    """Return the standard error of a mean."""
    return float(np.std(found, ddof=1) / np.sqrt(len(found))) if len(found) > 1 else 0.0


# The curve

INK = "#7d8590"  # readable on white and on black
LINES: tuple[tuple[str, str, float | None, Pick], ...] = (
    ("recommended", "#2f81f7", DEFAULT_ADVENTURE, lambda one: one.recommended),
    ("similar to the last track", "#db6d28", DEFAULT_ADVENTURE, lambda one: one.similar),
    ("chance", INK, DEFAULT_ADVENTURE, lambda one: one.chance),
)


def draw(results: Results) -> None:
    """Draw R-precision against tracks heard; the same numbers give the same file."""
    mpl.use("svg")
    style = {
        "svg.hashsalt": "soundalike", "svg.fonttype": "path", "font.size": 10,
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK,
        "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    }  # fmt: skip
    panels = (
        ("likes one collection", of_kind(select(results, count=1), Kind(DEFAULT_ADVENTURE))),
        ("... and plays what is offered", of_kind(results, Kind(DEFAULT_ADVENTURE, puts_on=False))),
        ("likes two collections", of_kind(select(results, count=2), Kind(DEFAULT_ADVENTURE))),
    )
    with style_context(style):
        figure, axes = plt.subplots(1, len(panels), figsize=(10, 3.4), sharey=True, layout="constrained")
        for axis, (title, runs) in zip(axes, panels, strict=True):
            draw_panel(axis, title, runs)
        axes[0].set_ylabel("R-precision of what is unheard")
        axes[-1].legend(frameon=False, labelcolor=INK, loc="lower left")
        CURVE.parent.mkdir(exist_ok=True)
        figure.savefig(CURVE, transparent=True, metadata={"Date": None, "Creator": None})
    print(f"\nthe curve is in {CURVE.relative_to(CURVE.parent.parent)}")


def draw_panel(axis: Axes, title: str, runs: Results) -> None:
    """Draw one kind of listener, with a band of two standard errors."""
    for name, colour, _, pick in LINES:
        found = {after: values(runs, after, pick) for after in AFTER}
        places = [after for after in AFTER if found[after]]
        means = np.array([np.mean(found[after]) for after in places])
        errors = np.array([2 * error(found[after]) for after in places])
        style = "--" if name == "chance" else "-"
        axis.plot(places, means, style, color=colour, marker=None if style == "--" else "o", label=name, lw=2)
        if style == "-":
            axis.fill_between(places, means - errors, means + errors, color=colour, alpha=0.18, lw=0)
    axis.set_title(title, color=INK, fontsize=10)
    axis.set_xlabel("tracks heard")
    axis.set_xticks(AFTER)
    axis.set_ylim(0, None)
    axis.grid(axis="y", color=INK, alpha=0.2)


if __name__ == "__main__":
    main()
