"""The Free Music Archive's data set: its feature sets, what its files say, and where its audio is.

The formats are those of https://github.com/mdeff/fma (Defferrard, Benzi, Vandergheynst and Bresson, 2017).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import Location
from soundalike.domain.similarity.recipe import Fitting, Ingredient, Recipe
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags
from soundalike.domain.types import DurationMs

ATTRIBUTION = (
    "Metadata of the Free Music Archive, from the FMA dataset by Defferrard, Benzi, Vandergheynst and "
    "Bresson, CC BY 4.0"
)
"""What the licence of the metadata asks for."""

FAMILIES = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": 20,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
"""How many numbers each has, before statistics."""

STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")


def feature_name(family: str, statistic: str, number: str) -> str:
    """Return the name of a column of ``features.csv`` by its three headers."""
    return f"{family}_{statistic}_{number}"


def _schema(name: str, families: Iterable[str]) -> FeatureSchema:
    columns = [
        (family, feature_name(family, statistic, f"{number:02}"))
        for family in families
        for statistic in STATISTICS
        for number in range(1, FAMILIES[family] + 1)
    ]
    return FeatureSchema(
        name, 1, features=tuple(one for _, one in columns), groups=tuple(family for family, _ in columns)
    )


FMA = _schema("fma", FAMILIES)
"""All 518 columns of ``features.csv``, in its order."""

FMA_MFCC = _schema("fma_mfcc", ["mfcc"])
"""Those of a file that has only the MFCCs."""

FMA_SETS = (FMA, FMA_MFCC)
"""The feature sets that an import brings, the richest first."""

_FITTING = Fitting(clip=3.0, is_unit_length=True)

FMA_RECIPES = (
    # Genres are told apart by these two nearly as well as by all 518 (the paper, on genre recognition).
    Recipe((Ingredient(feature_set="fma", groups=("mfcc", "spectral_contrast"), fitting=_FITTING),)),
    Recipe((Ingredient(feature_set="fma_mfcc", fitting=_FITTING),)),
)
"""One for each of `FMA_SETS`; a track has one vector, and so no parts to fit on."""

SUBSETS = ("small", "medium", "large", "full")

_AUDIO = re.compile(
    rf"(?:^|/)fma_(?:{'|'.join(SUBSETS)})(?:-[0-9]+)?/([0-9]{{3}})/(\1[0-9]{{3}})\.mp3\Z".encode()
)


@dataclass(frozen=True, slots=True)
class FmaTrack:
    """What FMA's files say of a track.

    Parameters
    ----------
    number : int
        FMA's id.
    tags : Tags
        With that id, licence, subset and split.
    duration_ms : DurationMs
        Of the whole track, not of its clip; 0 if unknown.
    """

    number: int
    tags: Tags
    duration_ms: DurationMs


class Trouble(StrEnum):
    """What is wrong with a row, or with the track that it is about; the values are part of ``--json``."""

    NO_ID = "no track id"
    OTHER_COLUMNS = "another number of columns than the header"
    TOO_LONG = "too long"
    TWICE = "a track that was there before"
    NO_FEATURES = "no features"
    BAD_FEATURES = "features that are not finite numbers"
    NO_TRACK = "features of a track that no file names"
    BAD_LIST = "a list that cannot be read"
    UNKNOWN_GENRE = "a genre that is not in genres.csv"
    NOT_UTF8 = "not UTF-8, read as Windows-1252"
    BAD_CLIP = "a clip that is known to be bad"

    @property
    def is_taken(self) -> bool:
        """Whether the rest of the row is imported all the same."""
        return self in {Trouble.BAD_LIST, Trouble.UNKNOWN_GENRE, Trouble.NOT_UTF8, Trouble.BAD_CLIP}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of FMA's files in which something is wrong.

    Parameters
    ----------
    file : str
        Its name; empty for what is known of a track wherever it stands.
    line : int
        The last line of the row, from 1.
    trouble : Trouble
        What is wrong.
    number : int or None
        FMA's id of its track, if it has one.
    """

    file: str
    line: int
    trouble: Trouble
    number: int | None = None

    @property
    def name(self) -> str:
        """Where it is, for people."""
        if not self.file:
            return f"track {self.number}"
        track = "" if self.number is None else f" (track {self.number})"
        return f"{self.file}, line {self.line}{track}"


def fma_id(number: int) -> ExternalId:
    """Return FMA's id of a track."""
    return ExternalId(ExternalIdKind.FMA, str(number))


def fma_id_at(location: Location) -> ExternalId | None:
    """Return FMA's id of the track whose audio is at a location by FMA's rule, or None.

    The rule is ``fma_small/000/000002.mp3``: the folder is named by the first three of the six digits.
    """
    found = _AUDIO.search(location.root.encode(errors="surrogateescape") + b"/" + location.path)
    return None if found is None else fma_id(int(found[2]))
