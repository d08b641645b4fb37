"""What may be shown of a connection string of MongoDB's, and whether two name the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from soundalike.store.mongo.address import MongoAddress

TEXTS = st.text(st.sampled_from("ab1:@/?,&=%.-2"), max_size=8)
URLS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "u@", "u:p@", "u:p%40@", "u:a@b@"]),
    st.sampled_from(["h", "h:1", "h,i:2", "h.example:27017,i"]),
    st.sampled_from(["", "/", "/music", "/a%20b", "/a.b", "/a@b", "/a/b", "/%2f"]),
    st.sampled_from(["", "?w=1", "?appName=a@b", "?appName=a/b&w=1"]),
)


@pytest.mark.parametrize(
    ("url", "hosts", "database"),
    [
        ("mongodb://h", "h", "soundalike"),
        ("mongodb://h/", "h", "soundalike"),
        ("mongodb://h:1/music", "h:1", "music"),
        ("mongodb://u:p@h,i:2/music?w=1", "h,i:2", "music"),
        ("mongodb://h?appName=a@b", "h", "soundalike"),
        ("mongodb://h/music?appName=a@b/c", "h", "music"),
        ("mongodb://u:p@h/a%20b", "h", "a b"),
        ("mongodb+srv://u@h.example/music", "h.example", "music"),
        ("mongodb://[::1]:27017/music", "[::1]:27017", "music"),
    ],
)
def test_servers_and_database_are_parsed_without_credentials(url: str, hosts: str, database: str) -> None:
    address = MongoAddress.parse(url)
    assert address is not None
    assert (address.hosts, address.database) == (hosts, database)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "mongodb:///music",
        "mongodb://u:p@/music",
        "mongodb://u:27018/word@h/music",
        "mongodb://u:27018/wo/rd",
        "mongodb://?",
    ],
)
def test_what_is_malformed_is_not_shown(url: str) -> None:
    assert MongoAddress.parse(url) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mongodb://a,b/music", "mongodb://b,a/music"),
        ("mongodb://HOST:27017/music", "mongodb://u:p@host/music?w=1"),
        ("mongodb://host", "mongodb://host/soundalike"),
        ("mongodb://host/a%62", "mongodb://host/ab"),
    ],
)
def test_the_same_servers_and_database_have_one_name(one: str, other: str) -> None:
    first, second = MongoAddress.parse(one), MongoAddress.parse(other)
    assert first is not None
    assert second is not None
    assert first.name == second.name


@pytest.mark.parametrize(
    "other", ["mongodb://host/Music", "mongodb://host:27018/music", "mongodb://host2/music"]
)
def test_other_feature_sets_have_other_fields(other: str) -> None:
    first, second = MongoAddress.parse("mongodb://host/music"), MongoAddress.parse(other)
    assert first is not None
    assert second is not None
    assert first.name != second.name


@given(TEXTS | URLS)
def test_every_string_that_the_driver_accepts_is_parsed_in_the_same_way(rest: str) -> None:
    try:
        theirs = parse_uri(f"mongodb://{rest}", validate=False)
    except (PyMongoError, ValueError, UserWarning):
        return
    address = MongoAddress.parse(f"mongodb://{rest}")
    if address is None:  # stricter than the driver: names of databases do not have these
        assert set("@/") & set(rest.partition("/")[2])
        return
    hosts = {host.partition(":")[0] for host in address.hosts.split(",")}
    assert hosts == {host for host, _ in theirs["nodelist"]}
    names = (theirs["database"] or "", theirs["collection"] or "")
    database, dot, collection = address.database.partition(".")  # the driver cuts there; the store rejects it
    assert (database, collection) == (names if dot or any(names) else ("soundalike", ""))
