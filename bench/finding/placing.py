"""A handful of tracks in a library of full size: how long until they are in the similarity space in use."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from finding import made
from soundalike.app.backends import open_store
from soundalike.domain.features import FeatureVectors, whole_and_halves
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import Store
from soundalike.domain.similarity.recipe import Ingredient, Recipe
from soundalike.domain.similarity.space import ArtefactDraft
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.types import FloatArray
from soundalike.learning.artefacts.store import FolderArtefactStore
from soundalike.learning.numpy_engine import find_neighbours
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.updating import ArtefactUpdater
from synthetic import made_track

K, BATCH = 50, 1_000
NEW, MOVED, GONE = 10, 3, 2


def report(coordinates: FloatArray, folder: Path) -> Iterator[str]:
    """Yield the seconds of each step; stop if the result is not that of finding all neighbours again."""
    count, width = coordinates.shape
    schema = made.schema_of(width)
    recipe = Recipe((Ingredient(feature_set=schema.name),))
    with open_store(str(folder / "library.sqlite")) as store:
        fill(store, coordinates)
        library = LibrarySnapshots(store, ParquetSnapshots(), workspace=_no_workspace)
        artefacts = FolderArtefactStore(folder / "artefacts", schemas=[schema], clock=_now)
        draft = ArtefactDraft(
            schemas=(schema,),
            recipe=recipe,
            space=made.space_of(width),
            track_ids=tuple(made.track_id(number) for number in range(count)),
            coordinates=coordinates,
            neighbours=find_neighbours(coordinates, K),
            library_change=library.latest_change(),
        )
        artefacts.publish(draft)
        artefacts.current()
        chooser = RecipeChooser(store, artefacts, schemas=[schema], recipes=[recipe])
        updater = ArtefactUpdater(store, artefacts, library=library, recipes=chooser)
        change(store, count, width)
        start = time.perf_counter()
        freshness = updater.freshness()
        compared = time.perf_counter()
        placed = updater.update()
        done = time.perf_counter()
        yield from check(artefacts)
        yield (
            f"{count:,} tracks in SQLite, then {NEW} new, {MOVED} with other audio and {GONE} that can no"
            f" longer be analysed: compared with the library ({freshness}) in {compared - start:.2f} s,"
            f" {placed} placed and published in {done - compared:.2f} s."
        )


def check(artefacts: ArtefactStore) -> Iterator[str]:
    """Compare the artefact with all neighbours found again."""
    artefact = artefacts.current()
    start = time.perf_counter()
    anew = find_neighbours(artefact.coordinates, K)
    seconds = time.perf_counter() - start
    is_same = np.array_equal(artefact.neighbours.rows, anew.rows) and np.array_equal(
        artefact.neighbours.distances, anew.distances
    )
    if not is_same:
        msg = "placing gave other neighbours than finding all again"
        raise SystemExit(msg)
    yield f"All neighbours found again: the same, in {seconds:.1f} s."


def fill(store: Store, coordinates: FloatArray) -> None:
    """Store a track for each row."""
    for first in range(0, len(coordinates), BATCH):
        numbers = range(first, min(first + BATCH, len(coordinates)))
        store.save_stored_tracks([made_track(number, made.track_id(number)) for number in numbers])
        store.save_stored_vectors([_vectors(number, coordinates[number]) for number in numbers])


def change(store: Store, count: int, width: int) -> None:
    """Add some tracks, give others another place, and take the vectors of others away."""
    places = made.points(1_000, width)
    for number in (*range(count, count + NEW), *range(MOVED)):
        store.save_track(made_track(number, made.track_id(number)))
        store.save_stored_vectors([_vectors(number, places[number % 1_000])])
    for number in range(MOVED, MOVED + GONE):
        store.drop_vectors(made.track_id(number))


def _vectors(number: int, place: FloatArray) -> StoredVectors:
    values = np.tile(place, (3, 1))
    vectors = FeatureVectors(made.schema_of(len(place)), whole_and_halves(0, 30_000), values)
    return StoredVectors.of(made.track_id(number), vectors)


@contextmanager
def _no_workspace() -> Iterator[Path]:
    yield Path()


def _now() -> datetime:
    return datetime.now(UTC)
