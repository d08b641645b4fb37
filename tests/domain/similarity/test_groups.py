import numpy as np
import pytest

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.groups import GroupColumns, group_vectors

SCHEMA = FeatureSchema("toy", 1, ("a_mean", "b_mean", "a_var", "c_mean", "b_var"), ("a", "b", "a", "c", "b"))


def test_the_features_of_a_family_stand_side_by_side() -> None:
    scaled = np.arange(10.0).reshape(2, 5)
    vectors = group_vectors(SCHEMA, scaled)
    assert vectors.groups == (
        GroupColumns("toy", "a", 0, 2),
        GroupColumns("toy", "b", 2, 4),
        GroupColumns("toy", "c", 4, 5),
    )
    a, b, c = (vectors.of(group).tolist() for group in vectors.groups)
    assert (a, b, c) == ([[0, 2], [5, 7]], [[1, 4], [6, 9]], [[3], [8]])


def test_they_are_single_precision_and_read_only() -> None:
    vectors = group_vectors(SCHEMA, np.zeros((1, 5)))
    assert vectors.values.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        vectors.values[0] = 1
