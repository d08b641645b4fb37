from typing import Any

import numpy as np
import pytest

from making import make_schema, make_vectors
from soundalike.domain.errors import SchemaMismatchError
from soundalike.domain.features import FeatureSchema, FeatureVectors


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


def test_vectors_are_of_their_schema_s_size_and_kind() -> None:
    good = np.zeros(4, dtype=np.float32)
    bads: list[Any] = [np.zeros(3, dtype=np.float32), np.zeros(4)]
    for bad in bads:
        with pytest.raises(ValueError, match="float32 of shape"):
            FeatureVectors(make_schema(), good.copy(), bad, good.copy())


def test_vectors_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_vectors().whole[0] = 1
