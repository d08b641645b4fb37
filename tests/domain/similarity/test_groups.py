import numpy as np
import pytest

from artefact_store import plain_space
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.groups import GroupColumns, GroupVectors

TOY = FeatureSchema("toy", 1, ("a_mean", "b_mean", "a_var", "c_mean"), ("a", "b", "a", "c"))
OTHER = FeatureSchema("other", 1, ("a_mean",), ("a",))


def test_the_features_of_a_family_stand_side_by_side() -> None:
    vectors = plain_space(5).group_vectors([TOY, OTHER], np.arange(10, dtype=np.float32).reshape(2, 5))
    assert vectors.groups == (
        GroupColumns("toy", "a", 0, 2),
        GroupColumns("toy", "b", 2, 3),
        GroupColumns("toy", "c", 3, 4),
        GroupColumns("other", "a", 4, 5),
    )
    of = [vectors.of(group).tolist() for group in vectors.groups]
    assert of == [[[0, 2], [5, 7]], [[1], [6]], [[3], [8]], [[4], [9]]]


def test_they_are_read_only() -> None:
    vectors = GroupVectors((), np.zeros((1, 5), dtype=np.float32))
    with pytest.raises(ValueError, match="read-only"):
        vectors.values[0] = 1
