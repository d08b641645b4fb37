from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learning.libraries import make_table, tiny
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.extending import extend
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId


def make_artefact(vectors: FloatArray, *, k: int) -> Artefact:
    table = make_table(vectors)
    recipe = tiny(clip=3.0)
    space = fit_locally(recipe, table)
    coordinates = space.transform(table.summaries)
    return Artefact(
        version=ArtefactVersion("000001"),
        schemas=table.schemas,
        recipe=recipe,
        space=space,
        track_ids=table.track_ids,
        coordinates=coordinates,
        neighbours=exact_neighbours(coordinates, k),
        facts={"engine": "spark"},
        groups=space.group_vectors(table.schemas, table.summaries),
    )


vectors = arrays(
    np.float32, st.tuples(st.integers(2, 25), st.just(3)), elements=st.integers(-4, 4).map(float)
)


@settings(max_examples=60, deadline=None)
@given(vectors, st.integers(1, 24), st.integers(1, 12))
def test_extending_gives_the_same_as_finding_all_neighbours_again(
    whole: FloatArray, cut: int, k: int
) -> None:
    cut = min(cut, len(whole) - 1)
    artefact = make_artefact(whole[:cut], k=k)
    new = [TrackId(f"new{number}") for number in range(len(whole) - cut)]
    draft = extend(artefact, new, whole[cut:])
    anew = exact_neighbours(artefact.space.transform(whole), k)
    np.testing.assert_array_equal(draft.neighbours.rows, anew.rows)
    np.testing.assert_array_equal(draft.neighbours.distances, anew.distances)
    groups = artefact.space.group_vectors(artefact.schemas, whole)
    assert draft.groups is not None
    assert draft.groups.groups == groups.groups
    np.testing.assert_array_equal(draft.groups.values, groups.values)
    assert draft.track_ids == (*artefact.track_ids, *new)


def test_extending_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    artefact = make_artefact(whole[:40], k=4)
    monkeypatch.setattr("soundalike.domain.similarity.extending._BLOCK_ENTRIES", 3 * 20)
    draft = extend(artefact, [TrackId(f"new{n}") for n in range(20)], whole[40:])
    anew = exact_neighbours(artefact.space.transform(whole), 4)
    np.testing.assert_array_equal(draft.neighbours.rows, anew.rows)


def test_extending_does_not_change_the_old_artefact() -> None:
    artefact = make_artefact(np.array([[0, 0], [1, 3], [5, 5]], dtype=np.float32), k=2)
    before = artefact.neighbours.rows.copy()
    draft = extend(artefact, [TrackId("new")], np.array([[0, 0]], dtype=np.float32))
    np.testing.assert_array_equal(artefact.neighbours.rows, before)
    assert draft.space is artefact.space
    assert draft.neighbours.rows[0].tolist() == [3, 1]


def test_an_artefact_counts_the_tracks_added_since_it_was_built() -> None:
    artefact = make_artefact(np.array([[0, 0], [1, 3]], dtype=np.float32), k=2)
    point = np.array([[0, 0]], dtype=np.float32)
    draft = extend(artefact, [TrackId("new")], point)
    assert draft.facts == {"engine": "spark", "placed": "1"}
    again = replace(artefact, facts=draft.facts)
    assert extend(again, [TrackId("x")], point).facts["placed"] == "2"
    foreign = replace(artefact, facts={"placed": "²"})
    assert extend(foreign, [TrackId("x")], point).facts["placed"] == "1"
