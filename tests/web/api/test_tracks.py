import logging
from urllib.parse import quote

import pytest

from soundalike.domain.catalogue import album_id
from soundalike.domain.errors import (
    DamagedArtefactError,
    StoreBusyError,
    StoreUnavailableError,
    StoreVersionError,
)
from soundalike.domain.types import TrackId
from web.clients import LOCAL
from web.stage import Stage


def test_healthz_counts_tracks_and_names_no_artefact_before_the_first_build(stage: Stage) -> None:
    stage.add("a")
    answer = stage.client().get("/healthz", headers=LOCAL)
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "tracks": 1, "artefact": None}


def test_a_new_artefact_is_used_without_a_restart(stage: Stage) -> None:
    for name, x in (("a", 0.0), ("b", 1.0), ("c", 2.0)):
        stage.add(name, point=(x, 0.0))
    client = stage.client()
    stage.build("v1")
    assert client.get("/api/tracks/a/similar", headers=LOCAL).json["artefact"] == "v1"  # type: ignore[index] # JSON
    stage.build("v2")
    assert client.get("/api/tracks/a/similar", headers=LOCAL).json["artefact"] == "v2"  # type: ignore[index] # JSON
    assert client.get("/healthz", headers=LOCAL).json["artefact"] == "v2"  # type: ignore[index] # JSON


def test_a_track_has_exactly_the_published_fields_and_null_for_missing_tags(stage: Stage) -> None:
    stage.add("a", title="Tides", artist=None, album="Sea", year=1999, duration_ms=61_500)
    answer = stage.client().get("/api/tracks/a", headers=LOCAL)
    assert answer.json == {
        "id": "a",
        "title": "Tides",
        "artist": None,
        "album": "Sea",
        "genre": None,
        "year": 1999,
        "duration_ms": 61_500,
        "artists": [],
        "album_id": album_id("sea", None),
        "album_artist": None,
        "genres": [],
        "track_number": None,
        "disc_number": None,
        "is_compilation": False,
        "original_date": None,
        "gains": dict.fromkeys(
            ("track_db", "track_peak", "album_db", "album_peak", "r128_track", "r128_album")
        ),
        "external_ids": {},
        "recording": None,
        "is_preferred": True,
        "has_audio": True,
        "licence": None,
        "dataset": {},
        "part": None,
        "lyrics": None,
    }
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("sort", ["title", "-title", "artist", "-year", "added", "-added"])
def test_pages_of_any_order_join_into_the_whole_list(stage: Stage, sort: str) -> None:
    for number in range(7):
        stage.add(f"t{number}", title=f"Same {number % 2}", year=None if number % 3 else 1990 + number)
    client = stage.client()
    whole = client.get(f"/api/tracks?sort={sort}", headers=LOCAL).json["tracks"]  # type: ignore[index] # JSON
    joined, cursor = [], ""
    for _ in range(7):
        page = client.get(f"/api/tracks?sort={sort}&limit=3{cursor}", headers=LOCAL).json
        assert page is not None
        assert page["total"] == 7
        joined += page["tracks"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert joined == whole
    assert len(joined) == 7


def test_limit_defaults_to_twenty(stage: Stage) -> None:
    for number in range(25):
        stage.add(f"t{number}")
    body = stage.client().get("/api/tracks", headers=LOCAL).json
    assert body is not None
    assert len(body["tracks"]) == 20
    assert body["total"] == 25


@pytest.mark.parametrize(
    "limit", ["0", "101", "abc", "", "-1", "1.0", "1e1", "%2B5", "%205", "5%20", "\uff11", "9" * 10_000]
)
@pytest.mark.parametrize("path", ["/api/tracks", "/api/tracks/a/similar", "/api/tracks/a/radio"])
def test_a_limit_that_is_not_a_number_from_1_to_100_is_refused(stage: Stage, path: str, limit: str) -> None:
    stage.add("a")
    stage.add("b")
    stage.build()
    answer = stage.client().get(f"{path}?limit={limit}", headers=LOCAL)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == "bad_parameter"


@pytest.mark.parametrize(
    "query",
    [
        "limit=5&limit=5",
        "sort=&limit=5",
        "sort=size",
        "sort=--title",
        "sort=TITLE",
        "sort=title&sort=title",
        "cursor=",
        "cursor=xyz",
        "cursor=%00",
        "cursor=%ED%A0%80",
        "cursor=W1tb",
        "cursor=" + "W" * 20_000,
        "query=a&query=b",
    ],
)
def test_a_malformed_parameter_is_refused(stage: Stage, query: str) -> None:
    answer = stage.client().get(f"/api/tracks?{query}", headers=LOCAL)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == "bad_parameter"


def test_a_cursor_of_another_query_or_order_is_refused(stage: Stage) -> None:
    for number in range(3):
        stage.add(f"t{number}")
    client = stage.client()
    body = client.get("/api/tracks?query=title&sort=title&limit=1", headers=LOCAL).json
    assert body is not None
    cursor = body["next"]
    for other in ("query=title&sort=-title", "query=some&sort=title", "sort=title"):
        assert client.get(f"/api/tracks?{other}&cursor={cursor}", headers=LOCAL).status_code == 400
    again = client.get(f"/api/tracks?query=%20TITLE&limit=1&cursor={cursor}", headers=LOCAL)
    assert again.status_code == 200


@pytest.mark.parametrize(
    "query", ["%ED%A0%80", "%00", "%FF%FE", "'", '"', "%25", "*", "a" * 10_000, "%F0%9F%8E%B5", "--", "%0A"]
)
def test_any_query_is_answered(stage: Stage, query: str) -> None:
    stage.add("a")
    assert stage.client().get(f"/api/tracks?query={query}", headers=LOCAL).status_code == 200


def test_an_error_message_quotes_little_of_a_long_parameter(stage: Stage) -> None:
    for name in ("sort", "limit"):
        answer = stage.client().get(f"/api/tracks?{name}={'9' * 10_000}", headers=LOCAL)
        assert answer.json is not None
        assert len(answer.json["message"]) < 200


def test_unknown_parameters_are_ignored(stage: Stage) -> None:
    assert stage.client().get("/api/tracks?page=2&_=1", headers=LOCAL).status_code == 200


def test_similar_is_nearest_first_without_vanished_tracks(stage: Stage) -> None:
    for name, x in (("a", 0.0), ("d", 9.0), ("b", 1.0), ("c", 2.0)):
        stage.add(name, point=(x, 0.0))
    stage.build()
    client = stage.client()
    body = client.get("/api/tracks/a/similar", headers=LOCAL).json
    assert body is not None
    assert (body["track_id"], body["artefact"]) == ("a", "v1")
    assert [(n["track"]["id"], n["distance"]) for n in body["neighbours"]] == [("b", 1), ("c", 2), ("d", 9)]
    stage.store.mark_vanished([TrackId("b")], 0)
    body = client.get("/api/tracks/a/similar?limit=1", headers=LOCAL).json
    assert body is not None
    assert [n["track"]["id"] for n in body["neighbours"]] == ["c"]


def test_radio_does_not_repeat_recent_tracks(stage: Stage) -> None:
    for name, x in (("a", 0.0), ("b", 1.0), ("c", 2.0), ("d", 9.0)):
        stage.add(name, point=(x, 0.0), artist=name)
    stage.build()
    body = stage.client().get("/api/tracks/a/radio?recent=a,b,,no-such", headers=LOCAL).json
    assert body is not None
    assert [n["track"]["id"] for n in body["neighbours"]] == ["c", "d"]


def test_radio_without_recent_tracks_begins_with_another_artist(stage: Stage) -> None:
    for name, x, artist in (("a", 0.0, "One"), ("b", 1.0, "One"), ("c", 2.0, "Two")):
        stage.add(name, point=(x, 0.0), artist=artist)
    stage.build()
    for query in ("", "?recent=", "?recent=,"):
        body = stage.client().get(f"/api/tracks/a/radio{query}", headers=LOCAL).json
        assert body is not None
        assert [n["track"]["id"] for n in body["neighbours"]] == ["c", "b"]


def test_a_missing_vector_and_a_missing_artefact_say_what_to_run(stage: Stage) -> None:
    stage.add("a", point=None)
    stage.add("b")
    client = stage.client()
    before = client.get("/api/tracks/b/similar", headers=LOCAL)
    assert before.status_code == 503
    assert before.json is not None
    assert before.json["error"] == "no_artefact"
    assert "soundalike build" in before.json["message"]
    stage.build()
    unheard = client.get("/api/tracks/a/similar", headers=LOCAL)
    assert unheard.status_code == 409
    assert unheard.json is not None
    assert unheard.json["error"] == "not_analysed"


ODD_IDS = [
    "no-such",
    "%00",
    "%ED%A0%80",
    "..",
    "%2e%2e%2fetc",
    "%2Fetc%2Fpasswd",
    "a" * 20_000,
    quote("é/'\""),
]


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize("rest", ["", "/similar", "/radio", "/audio", "/cover"])
def test_an_unknown_track_id_is_404(stage: Stage, odd: str, rest: str) -> None:
    stage.add("a")
    stage.add("b")
    stage.build()
    answer = stage.client().get(f"/api/tracks/{odd}{rest}", headers=LOCAL)
    assert answer.status_code == 404
    assert answer.json is not None
    assert set(answer.json) == {"error", "message"}


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/tracks/", "/api/nothing", "//api/tracks", "/api//tracks"]
)
def test_an_unknown_address_is_404(stage: Stage, path: str) -> None:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing"])
def test_an_unknown_address_below_api_is_json(stage: Stage, path: str) -> None:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.json == {"error": "not_found", "message": "there is nothing at this address"}


def test_a_wrong_method_is_405_and_names_the_right_ones(stage: Stage) -> None:
    answer = stage.client().post("/api/tracks", headers=LOCAL, data=b"x" * 10)
    assert answer.status_code == 405
    assert answer.json is not None
    assert answer.json["error"] == "method_not_allowed"
    assert "GET" in answer.headers["Allow"]


def test_a_large_body_is_refused(stage: Stage) -> None:
    answer = stage.client().post("/api/tracks", headers=LOCAL, data=b"x" * 2_000_000)
    assert answer.status_code == 413
    assert answer.json is not None
    assert answer.json["error"] == "too_large"


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (StoreBusyError("busy"), 503, "store_busy"),
        (StoreUnavailableError("secret host"), 503, "store_unavailable"),
        (DamagedArtefactError("damaged"), 503, "damaged_artefact"),
        (StoreVersionError("secret path"), 500, "internal_error"),
        (RuntimeError("secret path"), 500, "internal_error"),
    ],
)
def test_an_internal_failure_is_answered_as_json_without_secrets(
    stage: Stage, caplog: pytest.LogCaptureFixture, failure: Exception, status: int, code: str
) -> None:
    stage.memory.failure = failure
    with caplog.at_level(logging.ERROR):
        answer = stage.client().get("/api/tracks/a/similar", headers=LOCAL)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"] == code
    assert "secret" not in answer.text
    assert ("secret path" in caplog.text) == (status == 500)
    assert sum(record.exc_info is not None for record in caplog.records) == (status == 500)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.headers.get("Retry-After") is not None) == code.startswith("store_")


@pytest.mark.parametrize("path", ["/healthz", "/api/tracks", "/api/tracks/a", "/api/tracks/a/similar"])
def test_head_is_answered_like_get_without_a_body(stage: Stage, path: str) -> None:
    stage.add("a")
    stage.add("b")
    stage.build()
    client = stage.client()
    head, get = client.head(path, headers=LOCAL), client.get(path, headers=LOCAL)
    assert head.data == b""
    assert (head.status_code, head.headers["Content-Length"]) == (200, get.headers["Content-Length"])


def test_hostile_tags_are_returned_unchanged(stage: Stage) -> None:
    title = "<script>alert(1)</script>\u202e\n'\"&" + "x" * 1000
    stage.add("a", title=title)
    answer = stage.client().get("/api/tracks/a", headers=LOCAL)
    assert answer.json is not None
    assert answer.json["title"] == title
    assert answer.content_type == "application/json"
