import json

import pytest

from soundalike.learning.spark.mongo import MongoSource


def make_source(url: str) -> MongoSource:
    return MongoSource(url=url, database="music", collection="feature")


def test_only_vectors_of_the_feature_set_and_the_tracks_are_read() -> None:
    options = make_source("mongodb://host/music").options("timbre-v3", "a", "k")
    match, project = json.loads(options["aggregation.pipeline"])
    assert match["$match"] == {"set": "timbre-v3", "track": {"$gte": "a", "$lte": "k"}}
    assert project["$project"] == {"_id": "$track", "roles": "$roles", "vectors": "$vectors"}
    assert (options["database"], options["collection"]) == ("music", "feature")


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("mongodb://host", "mongodb://host/?serverSelectionTimeoutMS=10000"),
        ("mongodb://host/music", "mongodb://host/music?serverSelectionTimeoutMS=10000"),
        ("mongodb://a:1,b:2?tls=true", "mongodb://a:1,b:2/?tls=true&serverSelectionTimeoutMS=10000"),
        ("mongodb://host/?serverselectiontimeoutms=7", "mongodb://host/?serverselectiontimeoutms=7"),
        (
            "mongodb+srv://host/m?readPreference=secondary&w=1&readPreferenceTags=a:b&maxStalenessSeconds=90",
            "mongodb+srv://host/m?w=1&serverSelectionTimeoutMS=10000",
        ),
    ],
)
def test_executors_read_the_primary_and_do_not_wait_long(url: str, used: str) -> None:
    assert make_source(url).options("timbre-v3", "a", "z")["connection.uri"] == used


def test_a_source_does_not_show_how_to_connect() -> None:
    source = make_source("mongodb://me:p%40ss-word@host/music")
    assert "word" not in repr(source)
    assert {"p%40ss-word", "p@ss-word", source.url} < set(source.secrets)
    assert source.options("timbre-v3", "a", "z")["connection.uri"] in source.secrets


def test_the_longest_secret_is_left_out_first() -> None:
    lengths = [len(secret) for secret in make_source("mongodb://me:p%40ss-word@host/music").secrets]
    assert lengths == sorted(lengths, reverse=True)


def test_without_a_password_the_connection_string_alone_is_secret() -> None:
    source = make_source("mongodb://host/music?serverSelectionTimeoutMS=5")
    assert source.secrets == (source.url,)
