"""Toy libraries, listens and candidates for tests of recommendation."""

from collections.abc import Iterable

import numpy as np

from artefact_store import MemoryArtefactStore, make_draft
from making import make_listen, make_track
from soundalike.domain.recommendation.attribution import Attribution
from soundalike.domain.recommendation.library_index import LibraryIndex, index_library
from soundalike.domain.recommendation.results import Role
from soundalike.domain.recommendation.scoring import Scoring, score_library
from soundalike.domain.recommendation.slate import Candidate
from soundalike.domain.recommendation.weighted_tracks import profile_taste
from soundalike.domain.taste import NO_TASTE, Taste, fold_taste
from soundalike.domain.types import FloatArray, TrackId

DAY_MS = 24 * 3600 * 1000

Points = dict[str, list[float]]


def build_index(points: Points, *, k: int = 5) -> LibraryIndex:
    """Index an artefact with tracks at given points."""
    artefacts = MemoryArtefactStore()
    artefacts.publish(make_draft(points, k=k))
    return index_library(artefacts.current())


def scatter(count: int, *, size: int = 3, seed: int = 0, prefix: str = "t") -> Points:
    """Points around the origin."""
    rng = np.random.default_rng(seed)
    return {f"{prefix}{number:03}": rng.normal(size=size).tolist() for number in range(count)}


def blob(prefix: str, count: int, *middle: float, seed: int = 0, width: float = 0.5) -> Points:
    """Points around a centre."""
    rng = np.random.default_rng(seed)
    return {
        f"{prefix}{number:02}": (np.array(middle) + rng.normal(size=len(middle)) * width).tolist()
        for number in range(count)
    }


def taste_of(*listened: str | tuple[str, int]) -> Taste:
    """Fold listens such as ``"finished a"`` or ``("skipped b", 5000)``, a minute after each other."""
    listens = []
    for number, one in enumerate(listened):
        text, position_ms = (one, 0) if isinstance(one, str) else one
        kind, track_id = text.split()
        listens.append(
            make_listen(
                number, kind=kind, track_id=track_id, position_ms=position_ms, at_ms=DAY_MS + number * 60_000
            )
        )
    return fold_taste(NO_TASTE, listens)


def score(index: LibraryIndex, *listened: str | tuple[str, int], seed: list[float] | None = None) -> Scoring:
    """Score a library for a listener, and perhaps for a seed."""
    point: FloatArray | None = None if seed is None else np.array(seed, dtype=np.float32)
    return score_library(index, profile_taste(taste_of(*listened), index), point)


def best(scoring: Scoring, taste: int = 0) -> list[str]:
    """The ids of the candidates of a taste, best first."""
    return [scoring.index.artefact.track_ids[row] for row in scoring.candidate_lists[taste].rows]


def ids(index: LibraryIndex, rows: Iterable[int]) -> list[TrackId]:
    """The ids of rows."""
    return [index.artefact.track_ids[row] for row in rows]


def candidate(
    row: int,
    *,
    artist: str | None = None,
    title: str | None = None,
    audio_hash: str | None = None,
    role: Role = Role.TASTE,
) -> Candidate:
    """A candidate, with an artist and a title of its own by default."""
    track = make_track(
        f"t{row}", artist=artist or f"artist {row}", title=title or f"title {row}", audio_hash=audio_hash
    )
    attribution = Attribution(role=role, distance=0.0)
    return Candidate(row=row, track=track, score=-float(row), attribution=attribution)
