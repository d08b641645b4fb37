"""Damaged documents in MongoDB, and interrupted erasures."""

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from making import file_of, make_listen, make_track, make_vectors
from soundalike.domain.errors import StoreError
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.listens import NOTHING_ERASED, Erasure, ListenKind
from soundalike.domain.profiles import LATENESS_MS, Profile, refold
from soundalike.domain.taste import MAX_JUDGED, MAX_TRACKS, Evidence, Taste, TrackTaste
from soundalike.domain.tracks import Sort
from soundalike.domain.types import RelativePath, RootName, TrackId
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.mongo import listens as mongo_listens
from soundalike.store.mongo.personal_documents import profile_from_document, profile_to_document
from soundalike.store.mongo.store import MongoStore
from store.asking import ADA, BOB, SCHEMA
from store.contract_accounts import make_token, make_user
from store.contract_profiles import has_none, has_profile

pytestmark = pytest.mark.mongodb

LISTENS = [make_listen(number, track_id=f"t{number % 2}", at_ms=number) for number in range(3)]
BOBS = [make_listen(number, user_id=BOB, at_ms=number) for number in range(3)]
MOST_BYTES = 16 * 1024 * 1024


@pytest.fixture
def store(url: str) -> Iterator[MongoStore]:
    """Return a store with listens and a profile of two users."""
    with closing(MongoStore(url)) as store:
        store.add_listens(LISTENS + BOBS)
        store.save_profile(refold(ADA, LISTENS), replacing=None)
        store.save_profile(refold(BOB, BOBS), replacing=None)
        yield store


def damage(collection: Any, query: dict[str, Any], change: dict[str, Any]) -> None:
    assert collection.update_one(query, {"$set": change}).modified_count == 1


def stored_body(raw: Any) -> bytes:
    body: bytes = raw["listener"].find_one({"_id": ADA})["profile"]["body"]
    return body


def damaged_bodies(body: bytes) -> list[Any]:
    text = zlib.decompress(body)
    packed = [
        text[:-1],
        b"[]",
        b"null",
        b"7",
        text.replace(b'"fold":', b'"gold":'),
        text.replace(b'"fold":2', b'"fold":1'),
        text.replace(b'"ada"', b'"bob"'),
        text.replace(b'"finished"', b'"unheard"'),
        text.replace(b'"t0"', b'"t3"'),
        text.replace(b"tracks", b"tr\xffcks"),
        text.replace(b'"tracks":{}', b'"tracks":[]'),
    ]
    assert text not in packed
    return [b"", body[:-1], text, "text", 5, None, *map(zlib.compress, packed)]


@pytest.mark.parametrize("number", range(17))
def test_a_damaged_profile_is_removed_and_folded_again(raw: Any, store: MongoStore, number: int) -> None:
    bodies = damaged_bodies(stored_body(raw))
    assert len(bodies) == 17
    damage(raw["listener"], {"_id": ADA}, {"profile.body": bodies[number]})
    assert store.profile(ADA) is None
    assert has_none(store, ADA)
    assert has_profile(store, refold(BOB, BOBS))
    assert Profiles(store, lateness_ms=LATENESS_MS).of(ADA) == refold(ADA, LISTENS)
    assert has_profile(store, refold(ADA, LISTENS))


@pytest.mark.parametrize("count", [b"\xff", "three", 2.5, -1])
def test_a_damaged_count_is_repaired_at_the_next_start(raw: Any, store: MongoStore, count: object) -> None:
    damage(raw["listener"], {"_id": ADA}, {"profile.count": count})
    Profiles(store, lateness_ms=LATENESS_MS).catch_up()
    assert store.profile_counts() == {ADA: 3, BOB: 3}


def test_a_profile_that_was_repaired_meanwhile_is_left(
    url: str, raw: Any, store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    repaired = refold(ADA, [*LISTENS, make_listen(9, at_ms=9)])
    version = store.profile_version(ADA)
    damage(raw["listener"], {"_id": ADA}, {"profile.body": b""})
    read = profile_from_document

    def read_late(*args: Any) -> Any:
        with closing(MongoStore(url)) as other:
            assert other.save_profile(repaired, replacing=version)
        return read(*args)

    with monkeypatch.context() as patch:
        patch.setattr(mongo_listens, "profile_from_document", read_late)
        assert store.profile(ADA) is None
    assert has_profile(store, repaired)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "loved"),
        ("kind", b"\xff"),
        ("at_ms", 1.5),
        ("position_ms", "middle"),
        ("track", b"\xff"),
        ("id", 7),
    ],
)
def test_a_damaged_listen_is_reported_and_does_not_affect_others(
    raw: Any, store: MongoStore, field: str, value: object
) -> None:
    damage(raw["listen"], {"user": ADA, "at_ms": 1}, {field: value})
    with pytest.raises(StoreError, match="damaged"):
        list(store.listens_of(ADA))
    assert list(store.listens_of(BOB)) == BOBS


def test_a_damaged_account_is_reported(raw: Any, store: MongoStore) -> None:
    store.add_user(make_user("Ada"))
    store.add_credential(make_token())
    damage(raw["user"], {"_id": ADA}, {"created_ms": "never"})
    damage(raw["credential"], {"user": ADA}, {"created_ms": b"\0"})
    for ask in (lambda: store.user(ADA), store.users, lambda: store.credentials_of(ADA)):
        with pytest.raises(StoreError, match="damaged"):
            ask()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", 5),
        ("path", "a letter that is no byte: Ā"),
        ("mtime_ns", "today"),
        ("size_bytes", "large"),
        ("title", None),
        ("tags", "{"),
        ("tags", None),
        ("artist_ids", 5),
        ("part", "all"),
        ("added_ms", "once"),
        ("vanished_ms", 10**17),
    ],
)
def test_a_damaged_track_is_reported(raw: Any, store: MongoStore, field: str, value: object) -> None:
    store.save_track(make_track(), make_vectors(SCHEMA))
    damage(raw["track"], {"_id": "t1"}, {field: value})
    asked: list[Callable[[], object]] = [
        lambda: store.track(TrackId("t1")),
        lambda: store.find_tracks([], sort=Sort(), limit=5),
    ]
    for ask in asked:
        with pytest.raises(StoreError, match=r"damaged.*restore a backup"):
            ask()
    with pytest.raises(StoreError, match=r"track t1: .*damaged"):
        list(store.stored_tracks())


@pytest.mark.parametrize(
    "changes",
    [
        *({"vectors": values} for values in (b"123", "text", None, b"\0" * 20)),
        *({"width": width} for width in ("4", 5, -1, None)),
        *({"dtype": dtype} for dtype in ("float64", "nothing", None, 5)),
        *({"roles": roles} for roles in (["whole"], ["whole", "half", "third"], None, ["whole"] * 3)),
        {"starts_ms": [0, 0, -1]},
    ],
    ids=str,
)
def test_damaged_vectors_are_reported(raw: Any, store: MongoStore, changes: dict[str, object]) -> None:
    store.save_track(make_track(), make_vectors(SCHEMA))
    damage(raw["feature"], {"track": "t1"}, changes)
    with pytest.raises(StoreError, match=r"track 't1': .*damaged"):
        list(store.stored_vectors())
    with pytest.raises(StoreError, match="damaged"):
        list(store.track_vectors(SCHEMA))
    with pytest.raises(StoreError, match="damaged"):
        store.vectors_of(TrackId("t1"), SCHEMA)


def test_a_damaged_problem_is_reported(raw: Any, store: MongoStore) -> None:
    store.save_problem(FileProblem(location=file_of(make_track()).location, reason=ProblemReason.EMPTY))
    damage(raw["problem"], {}, {"reason": "bored"})
    with pytest.raises(StoreError, match="damaged"):
        list(store.problems_under(RootName("music"), RelativePath(b"")))


# Erasures that were cut short, or that others came in between of


def stored_ids(raw: Any, user: str = ADA) -> list[int]:
    return sorted(document["at_ms"] for document in raw["listen"].find({"user": user}))


def test_an_interrupted_erasure_is_effective_and_completed(raw: Any, store: MongoStore) -> None:
    damage(raw["listener"], {"_id": ADA}, {"erased_ms": 1})
    assert list(store.listens_of(ADA)) == LISTENS[2:]
    assert store.count_listens(ADA) == 1
    assert store.add_listens(LISTENS) == ()
    assert store.listen_counts() == {ADA: 1, BOB: 3}
    assert stored_ids(raw) == [2]
    assert stored_ids(raw, BOB) == [0, 1, 2]


def test_an_interrupted_erasure_with_a_number_is_effective_and_completed(raw: Any, store: MongoStore) -> None:
    damage(raw["listener"], {"_id": ADA}, {"erased_ms": 0, "generation": 1})
    assert list(store.listens_of(ADA)) == []
    assert store.count_listens(ADA) == 0
    # What bears the id of something erased is as new.
    again = make_listen(2, at_ms=7)
    assert store.add_listens([again]) == (again,)
    assert list(store.listens_of(ADA)) == [again]
    assert store.listen_counts() == {ADA: 1, BOB: 3}
    assert stored_ids(raw) == [7]


@pytest.mark.parametrize("generation", [None, 1])
def test_listens_added_during_an_erasure_are_erased(
    url: str,
    raw: Any,
    store: MongoStore,
    generation: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    early, late = make_listen(8, at_ms=8), make_listen(12, at_ms=12)
    bobs = make_listen(8, user_id=BOB, at_ms=8)
    insert = mongo_listens._insert  # noqa: SLF001 - the moment between looking and adding

    def insert_late(*args: Any) -> Any:
        with closing(MongoStore(url)) as other:
            other.erase_listens(Erasure(ADA, 10, generation))
        return insert(*args)

    with monkeypatch.context() as patch:
        patch.setattr(mongo_listens, "_insert", insert_late)
        added = store.add_listens([early, bobs, late])
    left = [] if generation else [late]
    assert added == (bobs, *left)
    assert list(store.listens_of(ADA)) == left
    assert stored_ids(raw) == [listen.at_ms for listen in left]


# The largest there can be


BUSY_WEEK = 7 * 24 * 600  # a listen every six seconds


def largest_profile() -> Profile:
    """Return one of as many tracks as a taste keeps, each with all the evidence there can be."""
    kinds = [ListenKind.FINISHED] * 4 + [ListenKind.SKIPPED] * 4 + [ListenKind.LIKED]
    late_ms = 1_800_000_000_000
    tracks = {
        TrackId(f"{number:026}"): TrackTaste(
            leaning=1 / (number + 3),
            leaning_ms=late_ms + 7919 * number,
            liked_ms=late_ms + 6007 * number,
            played_ms=late_ms + 5003 * number,
            evidence=tuple(Evidence(kind, late_ms + 977 * number * n) for n, kind in enumerate(kinds)),
        )
        for number in range(MAX_TRACKS + MAX_JUDGED)
    }
    taste = Taste(tracks=tracks, count=1_000_000, newest_ms=2 * late_ms)
    recent = tuple(
        make_listen(
            (number * 2_654_435_761_769) % 2**48, track_id=f"{number % 5000:026}", at_ms=7000 * number
        )
        for number in range(BUSY_WEEK)
    )
    return Profile(
        user_id=ADA, lateness_ms=LATENESS_MS, erased=NOTHING_ERASED, settled=taste, recent=recent, taste=taste
    )


def test_the_largest_profile_fits_in_a_document() -> None:
    document = profile_to_document(largest_profile())
    body = zlib.decompress(document["body"])
    assert len(body) > MOST_BYTES
    assert len(document["body"]) < MOST_BYTES / 2
    assert len(json.loads(body)["recent"]) == BUSY_WEEK
