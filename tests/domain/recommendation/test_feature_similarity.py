import numpy as np
import pytest

from artefact_store import plain_space
from making import make_schema
from soundalike.domain.features import FeatureSchema
from soundalike.domain.recommendation.feature_similarity import FeatureSimilarity
from soundalike.domain.similarity.groups import GroupVectors
from soundalike.domain.similarity.space import AffineMap, SimilaritySpace
from soundalike.domain.types import FloatArray

TIMBRE = FeatureSchema("tiny", 1, ("m1", "m2", "c", "z"), ("mfcc", "mfcc", "centroid", "zcr"))


@pytest.fixture
def similarity() -> FeatureSimilarity:
    vectors = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    return fit(vectors)


def fit(
    vectors: FloatArray, schema: FeatureSchema = TIMBRE, space: SimilaritySpace | None = None
) -> FeatureSimilarity:
    return FeatureSimilarity.fit(scaled(vectors, schema, space))


def scaled(
    vectors: FloatArray, schema: FeatureSchema = TIMBRE, space: SimilaritySpace | None = None
) -> GroupVectors:
    return (space or plain_space(len(schema))).group_vectors([schema], vectors)


def alike(similarity: FeatureSimilarity, *other: float) -> tuple[str, ...]:
    return similarity.similar_groups(np.zeros(4, dtype=np.float32), np.array(other, dtype=np.float32))


def test_groups_are_similar_if_nearer_than_three_in_four_random_pairs(similarity: FeatureSimilarity) -> None:
    assert alike(similarity, 0.0, 0.1, 0.1, -0.1) == ("timbre", "brightness", "noisiness")
    assert alike(similarity, 0.1, 0.1, 3.0, 0.0) == ("timbre", "noisiness")
    assert alike(similarity, 2.0, 0.0, 0.1, 3.0) == ("brightness",)
    assert alike(similarity, 3.0, 3.0, 3.0, 3.0) == ()


def test_a_quarter_of_random_pairs_is_similar() -> None:
    rng = np.random.default_rng(1)
    one, other, taught = rng.normal(size=(3, 800, 4)).astype(np.float32)
    similarity = fit(taught[:300])
    share = np.mean(
        ["brightness" in similarity.similar_groups(a, b) for a, b in zip(one, other, strict=True)]
    )
    assert share == pytest.approx(0.25, abs=0.05)


def test_a_feature_that_is_the_same_for_all_tracks_is_never_similar() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    vectors[:, 2] = 7.0
    assert "brightness" not in fit(vectors).similar_groups(vectors[0], vectors[0])


def test_features_are_compared_on_the_scale_of_the_library() -> None:
    fitted = AffineMap(
        columns=np.arange(4),
        mean=np.zeros(4, dtype=np.float32),
        scale=np.array([1, 1, 1000, 1], dtype=np.float32),
        clip=3.0,
        weights=np.eye(4, dtype=np.float32),
        offset=np.zeros(4, dtype=np.float32),
        is_unit_length=True,
    )
    space = SimilaritySpace((fitted,))
    vectors = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32) * fitted.scale
    nothing, other = scaled(np.array([[0, 0, 0, 0], [3, 3, 100, 3]], dtype=np.float32), TIMBRE, space).values
    assert fit(vectors, TIMBRE, space).similar_groups(nothing, other) == ("brightness",)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_tracks_give_no_similarity(count: int) -> None:
    similarity = fit(np.zeros((count, 4), dtype=np.float32))
    assert alike(similarity, 0.0, 0.0, 0.0, 0.0) == ()


def test_groups_without_a_plain_name_keep_their_own() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    assert fit(vectors, make_schema(4)).similar_groups(vectors[0], vectors[0]) == ("even", "odd")
