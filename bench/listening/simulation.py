"""A simulated listener, who plays what the program recommends and judges it."""

import csv
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from clips import analyse, build, find, tabulate
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import Analysis, FoundFile, TrackFile
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.recommendation.question import Question
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE, Recipe
from soundalike.domain.similarity.space import Artefact, ArtefactDraft
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, EventId, TrackId, UserId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.store.sqlite.store import SqliteStore

AFTER = (0, 1, 3, 5, 10)
TOP = 10
LIKE_CHANCE = 0.3
CLIP_MS, SKIPPED_FROM_MS, SKIPPED_TO_MS = 30_000, 1_000, 15_000
FIRST_MS, STEP_MS, LATENESS_MS = 1_767_571_200_000, 60_000, 7 * 24 * 3600 * 1000

SOME_TIME = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Clip:
    """A track, its vectors, and its collection."""

    track: Track
    vectors: FeatureVectors
    collection: str


@dataclass(frozen=True)
class Kind:
    """A kind of listener.

    Parameters
    ----------
    adventure : float or None
        Their setting; None plays what is most similar to the last track.
    picks_first : bool
        Whether they begin with tracks that they like, or with what is recommended.
    """

    adventure: float | None
    picks_first: bool = True


@dataclass(frozen=True)
class Run:
    """One listener: the collections they like, their kind, and their seed."""

    liked: tuple[str, ...]
    kind: Kind
    seed: int


@dataclass(frozen=True)
class Judgement:
    """How good a slate is after some tracks; None if it cannot be measured.

    Parameters
    ----------
    recommended, similar : float or None
        R-precision of what is recommended, and of what is most similar to the last track.
    similar_to_finished : float or None
        The same for the last track that was finished, if there is one.
    chance : float
        The same for a random order.
    smaller, smaller_chance, smaller_part : float or None
        Of two collections that have tracks left: the smaller share in the top 10, its mean in a random
        order, and the share of the smaller collection in all unplayed tracks.
    """

    recommended: float | None
    similar: float | None
    similar_to_finished: float | None
    chance: float
    smaller: float | None
    smaller_chance: float | None
    smaller_part: float | None


Judgements = dict[int, Judgement]
Results = dict[Run, Judgements]


class World:
    """The program with the clips, in its own folder."""

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
        found = self.recommender.recommend(user, Question(limit=limit, adventure=adventure))
        return [each.track.id for each in found.recommendations]

    @cache  # noqa: B019 - a world exists as long as its process
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

    def old_recipe(self) -> Recipe | None:
        """Have nothing of an older format."""

    def publish(self, draft: ArtefactDraft, *, replacing: ArtefactVersion | None = None) -> ArtefactVersion:
        """Do not publish."""
        raise NotImplementedError


_worlds: list[World] = []


def set_up(clips: Sequence[Clip], place: Path) -> None:
    """Make this process's world."""
    folder = place / str(os.getpid())
    folder.mkdir()
    _worlds.append(World(clips, folder))


def listen(run: Run) -> Judgements:
    """Simulate one listener's first tracks."""
    world = _worlds[0]
    listener = Listener(world, run)
    judgements = {}
    for count in range(max(AFTER) + 1):
        if count in AFTER and listener.left():
            judgements[count] = listener.judge()
        if count < max(AFTER):
            listener.play(listener.choose())
    return judgements


class Listener:
    """Plays, reacts, and judges what is recommended."""

    def __init__(self, world: World, run: Run) -> None:
        self._world = world
        self._run = run
        self._rng = np.random.default_rng([run.seed, *map(ord, "".join(run.liked))])
        self._user = UserId(f"{'-'.join(run.liked)}-{run.kind}-{run.seed}".replace(" ", ""))
        self._played: list[TrackId] = []
        self._events = itertools.count()
        self._first = self._pick_first() if run.kind.picks_first else []

    def left(self, name: str | None = None) -> list[TrackId]:
        """Return the unplayed tracks of all liked collections, or of one."""
        return [
            track_id
            for track_id, clip in self._world.clips.items()
            if track_id not in self._played and clip.collection in ((name,) if name else self._run.liked)
        ]

    def choose(self) -> TrackId:
        """Return what they play next."""
        if len(self._played) < len(self._first):
            return self._first[len(self._played)]
        adventure = self._run.kind.adventure
        if adventure is None:
            return self._similar(self._played[-1])[0]
        return self._world.recommended(self._user, 20, adventure)[0]

    def play(self, track_id: TrackId) -> None:
        """Finish a track of a liked collection, and perhaps like it; skip others early."""
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
        self._played.append(track_id)

    def judge(self) -> Judgement:
        """Measure what would be recommended now."""
        liked = set(self.left())
        count = len(liked)
        unplayed = len(self._world.clips) - len(self._played)
        recommended = None
        if self._run.kind.adventure is not None:
            recommended = self._world.recommended(self._user, max(count, TOP), self._run.kind.adventure)
        finished = [track_id for track_id in self._played if self._is_liked(track_id)]
        smaller, smaller_chance, smaller_part = self._smaller_share(recommended)
        return Judgement(
            recommended=share(recommended, liked),
            similar=share(self._similar(self._played[-1]), liked) if self._played else None,
            similar_to_finished=share(self._similar(finished[-1]), liked) if finished else None,
            chance=count / unplayed,
            smaller=smaller,
            smaller_chance=smaller_chance,
            smaller_part=smaller_part,
        )

    def _pick_first(self) -> list[TrackId]:
        names = [self._run.liked[place] for place in self._rng.permutation(len(self._run.liked))]
        return [TrackId(str(self._rng.choice(self.left(name)))) for name in names]

    def _is_liked(self, track_id: TrackId) -> bool:
        return self._world.clips[track_id].collection in self._run.liked

    def _similar(self, track_id: TrackId) -> list[TrackId]:
        return [each for each in self._world.similar(track_id) if each not in self._played]

    def _smaller_share(self, recommended: list[TrackId] | None) -> tuple[float | None, ...]:
        counts = [len(self.left(name)) for name in self._run.liked]
        if recommended is None or len(counts) == 1 or not all(counts):
            return None, None, None
        shares = [share(recommended[:TOP], set(self.left(name)), TOP) for name in self._run.liked]
        unplayed = len(self._world.clips) - len(self._played)
        smaller = min(one for one in shares if one is not None)
        return smaller, chance_of_smaller(*counts, unplayed), min(counts) / unplayed

    def _listen(self, track_id: TrackId, kind: ListenKind, position_ms: int | None) -> Listen:
        number = next(self._events)
        return Listen(
            id=EventId(f"00000000-0000-4000-8000-{number:012x}"),
            user_id=self._user,
            track_id=track_id,
            kind=kind,
            position_ms=position_ms,
            at_ms=FIRST_MS + len(self._played) * STEP_MS + number,
        )


def share(found: Sequence[TrackId] | None, liked: set[TrackId], count: int | None = None) -> float | None:
    """Return the share of liked tracks among the first `count`, by default as many as are liked."""
    if found is None:
        return None
    first = found[: count or len(liked)]
    return sum(track_id in liked for track_id in first) / (count or len(liked))


@cache
def chance_of_smaller(one: int, other: int, unplayed: int) -> float:
    """Return the smaller of two collections' shares in the top 10 of any order, on average."""
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric([one, other, unplayed - one - other], TOP, size=20_000)
    return float(drawn[:, :2].min(axis=1).mean() / TOP)


def read_clips(folder: Path) -> list[Clip]:
    """Analyse every clip; its number is its id."""
    clips = []
    with (folder / "tracks.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = find(folder, row["file"])
            analysed = analyse(found)
            if analysed is not None:
                clips.append(Clip(as_track(row, found, analysed[0]), analysed[1], row["collection"]))
    return clips


def as_track(row: dict[str, str], found: FoundFile, analysis: Analysis) -> Track:
    """Make the track that a scan would make."""
    return Track(
        id=TrackId(row["track_id"]),
        file=TrackFile(
            location=found.location,
            stamp=found.stamp,
            audio_hash=analysis.audio_hash,
            media_type=analysis.media_type,
        ),
        tags=Tags(
            title=row["title"],
            artists=(row["artist"],) if row["artist"] else (),
            album=row["album"] or None,
        ),
        title=row["title"],
        duration_ms=analysis.duration_ms,
        added_at=SOME_TIME,
    )
