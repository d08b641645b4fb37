"""Batches have every item once, in order, and are read no further than asked for."""

import pytest

from soundalike.domain.batches import batched


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (2, [2]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])]
)
def test_batches_are_full_but_for_the_last(count: int, sizes: list[int]) -> None:
    found = list(batched(range(count), 3))
    assert [len(batch) for batch in found] == sizes
    assert [item for batch in found for item in batch] == list(range(count))


def test_no_more_is_read_than_one_batch() -> None:
    items = iter(range(10))
    next(batched(items, 3))
    assert next(items) == 3
