from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from making import make_schema
from soundalike.domain.errors import SchemaMismatchError
from soundalike.domain.features import FeatureSchema, FeatureVectors, Patch, PatchRole, whole_and_halves


def test_a_schema_accepts_itself() -> None:
    make_schema().require(make_schema(), whose="the artefact")


@pytest.mark.parametrize(
    "other",
    [
        make_schema(5),
        make_schema(name="other"),
        make_schema(version=2),
        FeatureSchema("tiny", 1, ("b", "a", "c", "d"), ("g",) * 4),
    ],
)
def test_a_schema_rejects_any_other(other: FeatureSchema) -> None:
    with pytest.raises(SchemaMismatchError, match=f"the artefact has feature set {other.key}"):
        make_schema().require(other, whose="the artefact")


def test_features_have_unique_names_and_a_group_each() -> None:
    with pytest.raises(ValueError, match="'x'"):
        FeatureSchema("x", 1, ("a", "a"), ("g", "g"))
    with pytest.raises(ValueError, match="'x'"):
        FeatureSchema("x", 1, ("a", "b"), ("g",))


def test_a_schema_is_of_one_dtype() -> None:
    half = replace(make_schema(), dtype="float16")
    with pytest.raises(SchemaMismatchError, match="tiny-v1"):
        make_schema().require(half, whose="the artefact")
    with pytest.raises(ValueError, match="float16 or float32, not float64"):
        replace(make_schema(), dtype="float64")


def of_roles(*roles: str, dtype: str = "float32", values: npt.ArrayLike | None = None) -> FeatureVectors:
    """Return vectors of two features, a patch of one second for each role."""
    patches = tuple(Patch(PatchRole(role), 1_000 * place, 1_000) for place, role in enumerate(roles))
    rows = np.arange(2 * len(roles)).reshape(-1, 2) if values is None else values
    return FeatureVectors(replace(make_schema(2), dtype=dtype), patches, np.array(rows, dtype=dtype))


@pytest.mark.parametrize(
    "bad", [np.zeros(shape, np.float32) for shape in ((1, 2), (2,), (2, 3))] + [np.zeros((2, 2))]
)
def test_there_is_one_row_of_the_set_s_size_and_dtype_for_each_patch(bad: Any) -> None:
    two = of_roles("part", "part")
    with pytest.raises(ValueError, match=r"2 patches of tiny-v1 are float32 of \(2, 2\)"):
        FeatureVectors(two.schema, two.patches, bad)


def test_a_track_has_at_least_one_patch_and_at_most_one_whole() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FeatureVectors(make_schema(2), (), np.zeros((0, 2), np.float32))
    with pytest.raises(ValueError, match="one whole at most"):
        of_roles("whole", "half", "whole")


@pytest.mark.parametrize(("start_ms", "length_ms"), [(-1, 5), (5, -1)])
def test_a_patch_is_inside_its_track(start_ms: int, length_ms: int) -> None:
    with pytest.raises(ValueError, match="a patch cannot start at"):
        Patch(PatchRole.PART, start_ms, length_ms)


@pytest.mark.parametrize("length_ms", [0, 1, 30_000, 12_345])
def test_halves_cover_the_whole(length_ms: int) -> None:
    whole, first, second = whole_and_halves(2_000, length_ms)
    assert (whole.role, first.role, second.role) == ("whole", "half", "half")
    assert (whole.start_ms, whole.length_ms) == (2_000, length_ms)
    assert first.start_ms == 2_000
    assert first.start_ms + first.length_ms == second.start_ms
    assert second.start_ms + second.length_ms == 2_000 + length_ms
    assert abs(first.length_ms - second.length_ms) <= 1


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_summary_is_the_whole_s_row_else_the_mean_of_the_parts(dtype: str) -> None:
    assert of_roles("half", "whole", "half", "part", dtype=dtype).summary.tolist() == [2, 3]
    assert of_roles("part", "part", "half", dtype=dtype).summary.tolist() == [1, 2]
    assert of_roles("half", "half", dtype=dtype).summary.tolist() == [1, 2]


def test_the_mean_of_many_large_halves_does_not_overflow() -> None:
    large = of_roles(*["part"] * 40, dtype="float16", values=np.full((40, 2), 60_000))
    assert large.summary.tolist() == [np.float16(60_000)] * 2


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_parts_are_the_parts_else_the_halves_and_never_the_whole(dtype: str) -> None:
    assert of_roles("whole", "half", "half", "part", dtype=dtype).parts.tolist() == [[6, 7]]
    assert of_roles("whole", "half", "half", dtype=dtype).parts.tolist() == [[2, 3], [4, 5]]
    assert of_roles("whole", dtype=dtype).parts.shape == (0, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_what_vectors_give_is_float32_and_read_only(dtype: str) -> None:
    vectors = of_roles("whole", "half", "half", dtype=dtype)
    assert not vectors.values.flags.writeable
    for given in (vectors.summary, vectors.parts, of_roles("part", dtype=dtype).summary):
        assert given.dtype == np.float32
        assert not given.flags.writeable
