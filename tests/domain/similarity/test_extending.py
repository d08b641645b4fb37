from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learning.libraries import make_table, tiny
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.extending import revise
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.space import Artefact, Neighbours
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


PLACES = st.integers(-4, 4).map(float)
vectors = arrays(np.float32, st.tuples(st.integers(2, 25), st.just(3)), elements=PLACES)


@st.composite
def changes(draw: st.DrawFn) -> tuple[FloatArray, FloatArray, list[int], list[int]]:
    """An artefact's vectors, then those of the rows that move followed by new ones, and rows to drop."""
    before = draw(vectors)
    rows = draw(st.lists(st.integers(0, len(before) - 1), unique=True, max_size=len(before)))
    cut = draw(st.integers(0, len(rows)))
    after = draw(arrays(np.float32, (len(rows) - cut + draw(st.integers(0, 8)), 3), elements=PLACES))
    return before, after, rows[cut:], rows[:cut]


@settings(max_examples=150, deadline=None)
@given(changes(), st.integers(1, 12))
def test_revising_gives_the_same_as_finding_all_neighbours_again(
    change: tuple[FloatArray, FloatArray, list[int], list[int]], k: int
) -> None:
    before, after, moved, dropped = change
    artefact = make_artefact(before, k=k)
    ids = list(artefact.track_ids)
    new = [TrackId(f"new{number}") for number in range(len(after) - len(moved))]
    draft = revise(
        artefact, [*(ids[row] for row in moved), *new], after, dropped=[ids[row] for row in dropped]
    )
    expected = before.copy()
    expected[moved] = after[: len(moved)]
    expected = np.concatenate([np.delete(expected, dropped, axis=0), after[len(moved) :]])
    anew = exact_neighbours(artefact.space.transform(expected), k)
    assert draft.track_ids == (*(ids[row] for row in range(len(ids)) if row not in dropped), *new)
    np.testing.assert_array_equal(draft.coordinates, artefact.space.transform(expected))
    np.testing.assert_array_equal(draft.neighbours.rows, anew.rows)
    np.testing.assert_array_equal(draft.neighbours.distances, anew.distances)
    groups = artefact.space.group_vectors(artefact.schemas, expected)
    assert draft.groups is not None
    assert draft.groups.groups == groups.groups
    np.testing.assert_array_equal(draft.groups.values, groups.values)


def test_revising_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    artefact = make_artefact(whole[:40], k=4)
    monkeypatch.setattr("soundalike.domain.similarity.extending._BLOCK_ENTRIES", 3 * 20)
    draft = revise(artefact, [TrackId(f"new{n}") for n in range(20)], whole[40:])
    anew = exact_neighbours(artefact.space.transform(whole), 4)
    np.testing.assert_array_equal(draft.neighbours.rows, anew.rows)


def test_only_rows_with_a_neighbour_that_moved_or_left_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a line each point's two neighbours are those beside it."""
    line = np.arange(20, dtype=np.float32)[:, None] * np.ones(3, dtype=np.float32)
    artefact = make_artefact(line, k=2)
    searched: list[int] = []

    def counted(coordinates: FloatArray, k: int, *, queries: np.ndarray) -> Neighbours:
        searched.extend(queries.tolist())
        return exact_neighbours(coordinates, k, queries=queries)

    monkeypatch.setattr("soundalike.domain.similarity.extending.exact_neighbours", counted)
    ids = artefact.track_ids
    revise(artefact, [ids[5], TrackId("new")], line[[16, 18]], dropped=[ids[10]])
    # The rows after the tenth have moved up by one.
    assert searched == [4, 5, 6, 9, 10, 19]


def test_revising_does_not_change_the_old_artefact() -> None:
    artefact = make_artefact(np.array([[0, 0], [1, 3], [5, 5]], dtype=np.float32), k=2)
    before = artefact.neighbours.rows.copy()
    draft = revise(artefact, [TrackId("new")], np.array([[0, 0]], dtype=np.float32))
    np.testing.assert_array_equal(artefact.neighbours.rows, before)
    assert draft.space is artefact.space
    assert draft.neighbours.rows[0].tolist() == [3, 1]


def test_an_artefact_counts_the_tracks_added_since_it_was_built() -> None:
    artefact = make_artefact(np.array([[0, 0], [1, 3]], dtype=np.float32), k=2)
    point = np.array([[0, 0]], dtype=np.float32)
    draft = revise(artefact, [TrackId("new")], point)
    assert draft.facts == {"engine": "spark", "placed": "1"}
    again = replace(artefact, facts=draft.facts)
    assert revise(again, [TrackId("x")], point).facts["placed"] == "2"
    foreign = replace(artefact, facts={"placed": "²"})
    assert revise(foreign, [TrackId("x")], point).facts["placed"] == "1"
