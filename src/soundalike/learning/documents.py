"""Recipes and feature sets as JSON has them, in artefacts, snapshots and the tuning file."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE, Fitting, Ingredient, Recipe, Rotation, Scaling

_STRONGEST = 4.0


def recipe_from(document: Mapping[str, Any]) -> Recipe:
    """Read a recipe as `dataclasses.asdict` wrote it.

    The first artefacts and tunings tell only how timbre, the one feature set of then, is fitted.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is not a recipe.
    """
    if "ingredients" not in document:
        return DEFAULT_RECIPE.fitted_by(_fitting(document))
    return Recipe(tuple(_ingredient(each) for each in document["ingredients"]))


def schema_from(document: Mapping[str, Any]) -> FeatureSchema:
    """Read a feature set as `dataclasses.asdict` wrote it.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is not one.
    """
    return FeatureSchema(
        name=str(document["name"]),
        version=int(document["version"]),
        features=tuple(map(str, document["features"])),
        groups=tuple(map(str, document["groups"])),
        dtype=str(document.get("dtype", "float32")),
    )


def _ingredient(document: Mapping[str, Any]) -> Ingredient:
    groups = document["groups"]
    return Ingredient(
        feature_set=str(document["feature_set"]),
        groups=None if groups is None else tuple(map(str, groups)),
        weight=float(document["weight"]),
        fitting=_fitting(document["fitting"]),
    )


def _fitting(document: Mapping[str, Any]) -> Fitting:
    values = {field.name: document[field.name] for field in fields(Fitting)}
    values["scaling"] = Scaling(values["scaling"])
    values["rotation"] = Rotation(values["rotation"])
    values["strength"] = float(values["strength"])
    values["clip"] = None if values["clip"] is None else float(values["clip"])
    values["is_unit_length"] = bool(values["is_unit_length"])
    if not (0 <= values["strength"] <= _STRONGEST and (values["clip"] is None or values["clip"] > 0)):
        msg = f"its recipe is out of range: {dict(document)}"
        raise ValueError(msg)
    return Fitting(**values)
