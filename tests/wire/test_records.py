"""Records of a shared log are read as they were written, and nothing else is accepted."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import make_listen
from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, ListenKind, LogRecord
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.wire.listens import listen_body, listens_from
from soundalike.wire.records import (
    MAX_AHEAD_MS,
    MAX_RECORD_BYTES,
    check_date,
    may_be_erasure,
    record_from,
    record_key,
    record_value,
    user_of,
)

ADA = UserId("ada")
NOW_MS = 1_700_000_000_000

user_ids = st.from_regex(r"[A-Za-z0-9._~@-]{1,64}", fullmatch=True).map(UserId)
times = st.integers(-62_135_596_800_000, 253_402_300_799_999)
listens = st.builds(
    Listen,
    id=st.uuids().map(str).map(EventId) | st.just(EventId("01J7XQ3M5N8P9R2S4T6V8W0XYZ")),
    user_id=user_ids,
    track_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128).map(TrackId),
    kind=st.sampled_from(ListenKind),
    position_ms=st.none() | st.integers(0, 2**53 - 1),
    at_ms=times,
    generation=st.none() | st.integers(0, 2**53 - 1),
)
generations = st.none() | st.integers(1, 2**53 - 1)
erasures = st.builds(
    ErasureRecord, st.builds(Erasure, user_ids, times, generations), st.booleans(), is_lowering=st.booleans()
)


@given(listens | erasures)
def test_records_are_read_as_they_were_written(record: LogRecord) -> None:
    value = record_value(record)
    read = record_from(record_key(record), value)
    assert read == record
    if isinstance(read, Listen) and isinstance(record, Listen):
        assert read.generation == record.generation
    assert len(value) <= MAX_RECORD_BYTES
    assert record_key(record) == user_of(record).encode()


@given(listens | erasures)
def test_may_be_erasure_finds_all_erasures(record: LogRecord) -> None:
    assert may_be_erasure(record_value(record)) or isinstance(record, Listen)


def test_the_value_is_json_that_names_version_type_and_user() -> None:
    listen = make_listen(1, kind="skipped", position_ms=5, at_ms=NOW_MS)
    assert json.loads(record_value(listen)) == {
        "version": 1,
        "type": "listen",
        "user": "ada",
        "id": "00000000-0000-4000-8000-000000000001",
        "track_id": "t1",
        "kind": "skipped",
        "position_ms": 5,
        "at": "2023-11-14T22:13:20.000Z",
    }
    assert json.loads(record_value(ErasureRecord(Erasure(ADA, NOW_MS), is_total=True))) == {
        "version": 1,
        "type": "erasure",
        "user": "ada",
        "erased_until": "2023-11-14T22:13:20.000Z",
        "is_total": True,
    }


def test_generations_are_members_that_programs_without_them_ignore() -> None:
    listen = make_listen(1, at_ms=NOW_MS)
    numbered = json.loads(record_value(replace(listen, generation=2)))
    assert numbered == json.loads(record_value(listen)) | {"generation": 2}
    erasure = Erasure(ADA, NOW_MS, 3)
    dated = ErasureRecord(replace(erasure, generation=None), is_total=True)
    numbered = json.loads(record_value(ErasureRecord(erasure, is_total=True)))
    assert numbered == json.loads(record_value(dated)) | {"generation": 3}


def test_to_programs_that_do_not_know_it_a_lowered_mark_is_a_known_erasure() -> None:
    erasure = Erasure(ADA, NOW_MS, 3)
    lowering = json.loads(record_value(ErasureRecord(erasure, is_total=False, is_lowering=True)))
    known = json.loads(record_value(ErasureRecord(erasure, is_total=False)))
    assert lowering == known | {"is_lowering": True}


@pytest.mark.parametrize(
    "hostile",
    [
        {"type": "erasure"},
        {"type": "erasure", "erased_until": "2026-01-01T00:00:00Z", "is_total": True},
        {"erased_until": "2026-01-01T00:00:00Z"},
        {"user": "bob", "version": 2},
    ],
)
def test_client_data_becomes_neither_an_erasure_nor_of_another_user(hostile: dict[str, Any]) -> None:
    sent = {**listen_body(make_listen(1)), **hostile}
    (listen,) = listens_from({"events": [sent]}, ADA)
    record = record_from(record_key(listen), record_value(listen))
    assert record == listen == make_listen(1)


LISTEN = json.loads(record_value(make_listen(1)))
ERASURE = json.loads(record_value(ErasureRecord(Erasure(ADA, 5), is_total=False)))


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (without(LISTEN, "version"), "version"),
        (LISTEN | {"version": 2}, "version"),
        (LISTEN | {"version": "1"}, "version"),
        (LISTEN | {"version": True}, "version"),
        (without(LISTEN, "type"), "type"),
        (LISTEN | {"type": "like"}, "type"),
        (LISTEN | {"type": ["listen"]}, "type"),
        (LISTEN | {"type": "erasure"}, "type"),
        (ERASURE | {"type": "listen"}, "type"),
        (LISTEN | {"user": "bob"}, "key is not its user"),
        (LISTEN | {"user": None}, "user"),
        (without(LISTEN, "id"), "id must be a UUID"),
        (LISTEN | {"kind": "loved"}, "kind must be one of"),
        (LISTEN | {"position_ms": -1}, "position_ms"),
        (LISTEN | {"at": 5}, "at must be a time"),
        (LISTEN | {"track_id": ""}, "track_id"),
        (LISTEN | {"track_id": "\n" * 129}, "track_id"),
        (LISTEN | {"track_id": "\ud800"}, "track_id"),
        (LISTEN | {"track_id": 7}, "track_id"),
        (ERASURE | {"erased_until": None}, "erased_until"),
        (LISTEN | {"generation": -1}, "generation must be a whole number from 0"),
        (ERASURE | {"generation": 0}, "generation must be a whole number from 1"),
        (ERASURE | {"generation": True}, "generation"),
        (ERASURE | {"generation": 2**53}, "generation"),
        (without(ERASURE, "is_total"), "is_total"),
        (ERASURE | {"is_total": 1}, "is_total"),
        (ERASURE | {"is_lowering": None}, "is_lowering"),
        ([LISTEN], "not an object"),
        (None, "not an object"),
    ],
)
def test_a_malformed_record_is_refused_with_the_reason(body: object, why: str) -> None:
    with pytest.raises(ListenError, match=why):
        record_from(b"ada", json.dumps(body).encode())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "no value"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 10_000, "not JSON"),
        (b" " * (MAX_RECORD_BYTES + 1), "longer than"),
    ],
)
def test_a_value_that_is_not_json_is_refused(value: bytes | None, why: str) -> None:
    with pytest.raises(ListenError, match=why):
        record_from(b"ada", value)


@pytest.mark.parametrize("key", [None, b"", b"Ada", b"\xff"])
def test_the_key_of_a_record_is_its_user(key: bytes | None) -> None:
    with pytest.raises(ListenError, match="key"):
        record_from(key, record_value(make_listen(1)))


@pytest.mark.parametrize(
    "record",
    [
        make_listen(1, at_ms=NOW_MS + MAX_AHEAD_MS),
        ErasureRecord(Erasure(ADA, NOW_MS + MAX_AHEAD_MS), is_total=True),
    ],
)
def test_a_record_dated_more_than_a_day_after_its_sending_is_refused(record: LogRecord) -> None:
    check_date(record, sent_ms=NOW_MS)
    with pytest.raises(ListenError, match="more than a day"):
        check_date(record, sent_ms=NOW_MS - 1)
