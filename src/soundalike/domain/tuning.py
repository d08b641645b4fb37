"""What `tune` measured and chose."""

from dataclasses import dataclass
from enum import StrEnum

from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import LshParameters


class Objective(StrEnum):
    """What a similarity space is judged by."""

    GENRE = "precision at 10 by genre, own artist left out"
    HALVES = "halves of a track that find each other"
    NONE = "too few tracks to measure"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceScore:
    """Measurements of one recipe.

    Parameters
    ----------
    recipe : Recipe
        What was fitted.
    score : float
        By the objective, 0 to 1; more is better.
    standard_error : float
        Of `score`, over the queries.
    hubness : float
        Skewness of how often tracks are neighbours; less is better.
    """

    recipe: Recipe
    score: float
    standard_error: float
    hubness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceTuning:
    """Every recipe that was measured, and the one chosen."""

    objective: Objective
    scores: tuple[SpaceScore, ...]
    chosen: Recipe
    track_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LshTrial:
    """Measurements of one choice of LSH parameters.

    Parameters
    ----------
    parameters : LshParameters
        Bucket length and tables.
    recall : float
        Share of the 10 exact neighbours that the join found, mean over tracks.
    candidates : float
        Tracks that share a bucket with a track, mean; what the join has to compare.
    seconds : float
        Wall time of the join.
    """

    parameters: LshParameters
    recall: float
    candidates: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LshTuning:
    """Every trial on a sample of the library, and the knee that was chosen.

    Bucket lengths are in units of one space, so they are valid for `recipe` alone.
    """

    recipe: Recipe
    trials: tuple[LshTrial, ...]
    chosen: LshParameters
    track_count: int
