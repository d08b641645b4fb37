"""Which recipe is followed: the richest whose feature sets the library has."""

from collections.abc import Iterator, Sequence

from soundalike.domain.errors import DamagedArtefactError, NoArtefactError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.recipe import RECIPES, Recipe, schemas_of
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import TrackId

READY_SHARE = 0.95
"""A richer recipe is followed once this share of the tracks whose audio can be read have its sets."""


class RecipeChooser:
    """Chooses among the recipes that the program knows.

    Parameters
    ----------
    store, artefacts
        The ports it uses.
    schemas : sequence of FeatureSchema
        The feature sets that the program computes.
    recipes : sequence of Recipe
        The richest last.
    """

    def __init__(
        self,
        store: LibraryStore,
        artefacts: ArtefactStore,
        *,
        schemas: Sequence[FeatureSchema],
        recipes: Sequence[Recipe] = RECIPES,
    ) -> None:
        self._store = store
        self._artefacts = artefacts
        self._schemas = tuple(schemas)
        self._recipes = tuple(recipes)

    @property
    def default(self) -> Recipe:
        """The recipe of a library that has no other sets yet; the one that `tune` fits."""
        return self._recipes[0]

    def schemas_of(self, recipe: Recipe) -> tuple[FeatureSchema, ...]:
        """Return the feature sets of a recipe, in its order."""
        return schemas_of(recipe, self._schemas)

    def artefact(self) -> Artefact | None:
        """Return the artefact in use, if there is an intact one."""
        try:
            return self._artefacts.current()
        except (NoArtefactError, DamagedArtefactError):
            return None

    def wanted(self) -> Recipe:
        """Return the recipe to follow now: that of the artefact in use, or a richer one that is ready.

        If the sets of the one in use were forgotten, it is left. Where the program knows richer recipes, all
        ids and the vectors of the default one are read: ask once.
        """
        artefact = self.artefact()
        keys = [recipe.key for recipe in self._recipes]
        place = keys.index(artefact.recipe.key) if artefact and artefact.recipe.key in keys else 0
        if place and not all(map(self._store.ids_with_vectors, self.schemas_of(self._recipes[place]))):
            place = 0
        richer = self._recipes[place + 1 :]
        return next(self._ready(richer[::-1]), self._recipes[place]) if richer else self._recipes[place]

    def _ready(self, recipes: Sequence[Recipe]) -> Iterator[Recipe]:
        """Yield those whose sets nearly all tracks have; the store is read once for all of them."""
        with_vectors = {schema.key: self._store.ids_with_vectors(schema) for schema in self._schemas}
        # These have vanished tracks, too; the vectors of the default recipe, which are few, have not.
        (first, *_) = self.schemas_of(self.default)
        heard = {each.track_id for each in self._store.track_vectors(first)}
        others = self._store.tracks(frozenset[TrackId]().union(*with_vectors.values()) - heard)
        heard |= {track.id for track in others.values() if not track.is_vanished}
        for recipe in recipes:
            ready = heard.intersection(*(with_vectors[schema.key] for schema in self.schemas_of(recipe)))
            if len(ready) >= READY_SHARE * len(heard) > 0:
                yield recipe
