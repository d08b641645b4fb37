from dataclasses import replace

import numpy as np
import pytest

from making import make_schema
from soundalike.domain.errors import ModelError
from soundalike.domain.similarity.recipe import (
    Fitting,
    Ingredient,
    Recipe,
    Rotation,
    Scaling,
    columns_of,
    schemas_of,
)

TINY, OTHER = make_schema(4), make_schema(3, name="other")
OF_OTHER = Ingredient(feature_set="other")
EVEN = Ingredient(feature_set="tiny", groups=("even",), weight=0.5)


def test_how_it_is_fitted_has_a_title_for_tables() -> None:
    fitting = Fitting(
        scaling=Scaling.STANDARD, clip=3, rotation=Rotation.WITHIN, strength=0.5, is_unit_length=True
    )
    assert fitting.title == "standard, clip 3, within 0.5, cosine"
    assert Fitting(scaling=Scaling.MIN_MAX).title == "min-max, Euclid"


def test_a_recipe_of_one_plain_ingredient_is_called_by_how_it_is_fitted() -> None:
    assert Recipe((Ingredient(feature_set="tiny", fitting=Fitting()),)).title == "standard, Euclid"
    mixed = Recipe((EVEN, Ingredient(feature_set="other", fitting=Fitting()))).fitted_by(Fitting())
    assert mixed.title == "0.5 of tiny/even (standard, Euclid) + 1 of other (standard, Euclid)"


def test_its_key_tells_what_it_is_made_of_and_not_how_it_is_fitted() -> None:
    one = Recipe((Ingredient(feature_set="tiny"),))
    assert (
        one.key
        == one.fitted_by(Fitting(clip=1.0)).key
        == Recipe((replace(one.ingredients[0], weight=1),)).key
    )
    others = [Recipe((EVEN,)), Recipe((OF_OTHER,)), Recipe((*one.ingredients, OF_OTHER))]
    assert len({recipe.key for recipe in (one, *others)}) == 4
    assert Recipe((Ingredient(feature_set="../Ünï" * 50),)).key.startswith("____n_")
    assert len(Recipe((Ingredient(feature_set="long" * 50),)).key) < 80


@pytest.mark.parametrize(
    "ingredients",
    [
        (),
        (OF_OTHER, OF_OTHER),
        (EVEN, EVEN),
        (EVEN, Ingredient(feature_set="tiny")),
        (Ingredient(feature_set="tiny"), EVEN),
    ],
)
def test_no_feature_is_in_a_recipe_twice(ingredients: tuple[Ingredient, ...]) -> None:
    with pytest.raises(ValueError, match="ingredients"):
        Recipe(ingredients)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan")])
def test_an_ingredient_adds_something(weight: float) -> None:
    with pytest.raises(ValueError, match="weight above 0"):
        Ingredient(feature_set="tiny", weight=weight)
    with pytest.raises(ValueError, match="at least one group"):
        Ingredient(feature_set="tiny", groups=())


def test_an_ingredient_reads_the_columns_of_its_groups() -> None:
    recipe = Recipe((OF_OTHER, EVEN, Ingredient(feature_set="tiny", groups=("odd",))))
    schemas = schemas_of(recipe, [TINY, OTHER])
    assert schemas == (OTHER, TINY)
    columns = [columns_of(ingredient, schemas) for ingredient in recipe.ingredients]
    assert [each.set_number for each in columns] == [0, 1, 1]
    assert [each.own.tolist() for each in columns] == [[0, 1, 2], [0, 2], [1, 3]]
    assert [each.side_by_side.tolist() for each in columns] == [[0, 1, 2], [3, 5], [4, 6]]
    assert all(each.own.dtype == np.int64 for each in columns)


def test_sets_and_groups_that_are_not_known_are_named() -> None:
    with pytest.raises(ModelError, match="'other'"):
        schemas_of(Recipe((OF_OTHER,)), [TINY])
    with pytest.raises(ModelError, match="'tiny' has no group 'loud'"):
        schemas_of(Recipe((Ingredient(feature_set="tiny", groups=("even", "loud")),)), [TINY])
