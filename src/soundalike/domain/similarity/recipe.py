"""Recipes: which feature sets a similarity space is made of, and how each is fitted."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import ModelError
from soundalike.domain.features import FeatureSchema

_LONGEST_KEY = 60


class Scaling(StrEnum):
    """How each feature is brought to a common scale."""

    MIN_MAX = "min-max"
    STANDARD = "standard"


class Rotation(StrEnum):
    """How the scaled features are combined.

    ``WHITEN`` divides each principal axis by its standard deviation to the power of `strength`;
    ``WITHIN`` does so by the spread *between the parts of the same track*, which is noise for
    similarity: label-free linear discriminant analysis with each track as its own class.
    """

    NONE = "none"
    WHITEN = "whiten"
    WITHIN = "within"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How to fit an ingredient; what `tune` chooses and `build` follows.

    Parameters
    ----------
    scaling : Scaling
        Min-max over the library, or mean 0 and variance 1 (n - 1).
    clip : float or None
        Scaled values are limited to [-clip, clip]; None leaves them.
    rotation : Rotation
        How the scaled features are combined.
    strength : float
        0 leaves the axes as they are, 1 whitens fully.
    is_unit_length : bool
        Scale every vector to length 1, so that Euclidean distance orders like cosine.
    """

    scaling: Scaling = Scaling.STANDARD
    clip: float | None = None
    rotation: Rotation = Rotation.NONE
    strength: float = 0.0
    is_unit_length: bool = False

    @property
    def title(self) -> str:
        """Return a short name for tables, such as ``"standard, clip 3, within 0.5, cosine"``."""
        words = [str(self.scaling)]
        if self.clip is not None:
            words.append(f"clip {self.clip:g}")
        if self.rotation is not Rotation.NONE:
            words.append(f"{self.rotation} {self.strength:g}")
        words.append("cosine" if self.is_unit_length else "Euclid")
        return ", ".join(words)


DEFAULT_FITTING = Fitting(clip=3.0, rotation=Rotation.WITHIN, strength=0.5, is_unit_length=True)
"""Used if nothing has been tuned: what tuning chooses for most libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A feature set in a recipe.

    Parameters
    ----------
    feature_set : str
        Its name, such as ``"timbre"``.
    groups : tuple of str or None
        The families that are used; None is all.
    weight : float
        Above 0; its points are multiplied by it, and so are distances.
    fitting : Fitting
        How it is fitted.
    """

    feature_set: str
    groups: tuple[str, ...] | None = None
    weight: float = 1.0
    fitting: Fitting = DEFAULT_FITTING

    def __post_init__(self) -> None:
        """Check that it adds something."""
        if not 0 < self.weight < float("inf") or self.groups == ():
            msg = f"an ingredient of {self.feature_set!r} needs a weight above 0, and at least one group"
            raise ValueError(msg)

    @property
    def title(self) -> str:
        """Return a short name, such as ``"0.5 of timbre/mfcc (standard, Euclid)"``."""
        groups = "" if self.groups is None else f"/{'+'.join(self.groups)}"
        return f"{self.weight:g} of {self.feature_set}{groups} ({self.fitting.title})"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a similarity space is made of: the points of its ingredients stand side by side.

    Parameters
    ----------
    ingredients : tuple of Ingredient
        At least one; no family of a feature set twice.
    """

    ingredients: tuple[Ingredient, ...]

    def __post_init__(self) -> None:
        """Check that there is something, and nothing twice."""
        named = [(each.feature_set, group) for each in self.ingredients for group in each.groups or (None,)]
        entire = [feature_set for feature_set, group in named if group is None]
        of_entire = sum(feature_set in entire for feature_set, _ in named)
        if not named or len(set(named)) < len(named) or of_entire > len(entire):
            msg = f"a recipe needs ingredients, and none of their features twice: {named}"
            raise ValueError(msg)

    @property
    def feature_sets(self) -> tuple[str, ...]:
        """The names of its feature sets, each once."""
        return tuple(dict.fromkeys(each.feature_set for each in self.ingredients))

    @property
    def key(self) -> str:
        """A name for a folder; the same however the ingredients are fitted."""
        contents = [[each.feature_set, each.groups, float(each.weight)] for each in self.ingredients]
        digest = hashlib.blake2b(json.dumps(contents).encode(), digest_size=4).hexdigest()
        names = re.sub(r"[^a-z0-9+-]", "_", "+".join(self.feature_sets).lower())
        return f"{names[:_LONGEST_KEY]}-{digest}"

    @property
    def title(self) -> str:
        """Return a short name for tables; of a single plain ingredient only how it is fitted."""
        first = self.ingredients[0]
        if self == Recipe((Ingredient(feature_set=first.feature_set, fitting=first.fitting),)):
            return first.fitting.title
        return " + ".join(each.title for each in self.ingredients)

    def fitted_by(self, fitting: Fitting) -> "Recipe":
        """Return the recipe with all its ingredients fitted in one way."""
        return Recipe(tuple(replace(each, fitting=fitting) for each in self.ingredients))


DEFAULT_RECIPE = Recipe((Ingredient(feature_set="timbre"),))

RECIPES = (DEFAULT_RECIPE,)
"""The recipes that `up` knows, the richest last; it moves on as soon as the library has their sets."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which features an ingredient reads.

    Parameters
    ----------
    set_number : int
        Place of its feature set among those of the recipe.
    own : array of int
        Columns of the set itself.
    side_by_side : array of int
        The same columns where the features of all sets stand side by side.
    """

    set_number: int
    own: npt.NDArray[np.int64]
    side_by_side: npt.NDArray[np.int64]


def schemas_of(recipe: Recipe, known: Sequence[FeatureSchema]) -> tuple[FeatureSchema, ...]:
    """Return the feature sets of a recipe, in its order.

    Parameters
    ----------
    recipe : Recipe
        Names them.
    known : sequence of FeatureSchema
        Those that this program computes.

    Raises
    ------
    ModelError
        If one is not known, or has not the groups that the recipe names.
    """
    of_name = {schema.name: schema for schema in known}
    missing = [name for name in recipe.feature_sets if name not in of_name]
    if missing:
        msg = f"this program does not compute the feature set {missing[0]!r} that a recipe names"
        raise ModelError(msg)
    for each in recipe.ingredients:
        unknown = set(each.groups or ()) - set(of_name[each.feature_set].groups)
        if unknown:
            msg = f"the feature set {each.feature_set!r} has no group {min(unknown)!r}"
            raise ModelError(msg)
    return tuple(of_name[name] for name in recipe.feature_sets)


def columns_of(ingredient: Ingredient, schemas: Sequence[FeatureSchema]) -> Columns:
    """Return the columns of an ingredient.

    Parameters
    ----------
    ingredient : Ingredient
        Of a recipe.
    schemas : sequence of FeatureSchema
        The feature sets of the recipe, in its order.
    """
    number = [schema.name for schema in schemas].index(ingredient.feature_set)
    groups = ingredient.groups
    own = np.array(
        [at for at, group in enumerate(schemas[number].groups) if groups is None or group in groups], np.int64
    )
    return Columns(number, own, own + sum(len(schema) for schema in schemas[:number]))
