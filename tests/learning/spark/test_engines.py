"""What the user sees about an engine on Spark before it starts."""

import pytest

from conftest import skip_where
from servers.spark import missing_spark
from soundalike.learning.engines import choose_engine
from soundalike.learning.spark.mongo import MongoSource

pytestmark = pytest.mark.spark

CLUSTER = "spark://far.example:7077"
SOURCE = MongoSource(url="mongodb://me:hidden@host", database="music", collection="feature")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "master local[*]"),
        ({"master": "local[2]", "source": SOURCE}, "master local[2]"),
        ({"master": CLUSTER}, f"master {CLUSTER}, executors are sent the snapshot"),
        ({"master": CLUSTER, "source": SOURCE}, f"master {CLUSTER}, executors read music.feature in MongoDB"),
        (
            {"master": CLUSTER, "snapshots_url": "s3a://bucket/x"},
            f"master {CLUSTER}, executors read the snapshot below s3a://bucket/x",
        ),
    ],
)
def test_the_sentence_says_where_and_how_it_learns(given: dict[str, object], told: str) -> None:
    skip_where(missing_spark())
    engine, sentence = choose_engine("spark", **given)  # type: ignore[arg-type] # each by its name
    assert engine.name == "spark"
    assert sentence.endswith(f", {told}")


def test_under_spark_submit_the_master_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_where(missing_spark())
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert choose_engine("spark")[1].endswith(", master as spark-submit set it")
