import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.domain.features import Patch, PatchRole
from soundalike.store.vectors import (
    joined_of_before,
    patches_from_lists,
    patches_of_before,
    patches_to_lists,
    values_from_bytes,
    values_to_bytes,
)


@pytest.mark.parametrize(
    ("duration_ms", "whole", "second_half"),
    [
        (200_001, (85_000, 30_000), (100_000, 15_000)),
        (30_000, (0, 30_000), (15_000, 15_000)),
        (10_001, (0, 10_001), (5_000, 5_001)),
        (0, (0, 0), (0, 0)),
        (-5, (0, 0), (0, 0)),  # a damaged length
    ],
)
def test_vectors_of_before_are_of_the_middle_30_s(
    duration_ms: int, whole: tuple[int, int], second_half: tuple[int, int]
) -> None:
    patches = patches_of_before(duration_ms)
    assert [patch.role for patch in patches] == ["whole", "half", "half"]
    assert (patches[0].start_ms, patches[0].length_ms) == whole
    assert (patches[2].start_ms, patches[2].length_ms) == second_half


def test_three_vectors_of_before_become_three_rows() -> None:
    rows = np.arange(12, dtype="<f4").reshape(3, 4)
    joined = joined_of_before([row.tobytes() for row in rows])
    assert joined is not None
    assert values_from_bytes(joined, dtype="float32", shape=(3, 4)).tolist() == rows.tolist()


@pytest.mark.parametrize(
    "damaged", [(b"1234", b"1234", b"12345678"), (b"", b"", b""), (b"12345",) * 3, (b"1234", "1234", None)]
)
def test_damaged_vectors_of_before_are_none(damaged: tuple[object, ...]) -> None:
    assert joined_of_before(damaged) is None


@given(st.lists(st.builds(Patch, st.sampled_from(PatchRole), st.integers(0), st.integers(0))))
def test_patches_are_read_as_they_were_written(patches: list[Patch]) -> None:
    assert patches_from_lists(patches_to_lists(patches)) == tuple(patches)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_values_are_little_endian(dtype: str) -> None:
    values = np.array([[1, 2], [3, -4]], dtype=dtype)
    assert values_to_bytes(values)[-2:] == {"float16": b"\x00\xc4", "float32": b"\x80\xc0"}[dtype]
    assert values_from_bytes(values_to_bytes(values), dtype=dtype, shape=(2, 2)).tolist() == values.tolist()
