import pytest
from werkzeug.wrappers import Response

from soundalike.domain.errors import FileUnavailableError
from web.clients import LOCAL
from web.stage import Stage

CONTENT = bytes(range(250)) * 40
AUDIO = "/api/tracks/a/audio"


@pytest.fixture
def player(stage: Stage) -> Stage:
    stage.add("a", data=CONTENT, media_type="audio/flac")
    return stage


def ask(stage: Stage, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with stage.client().open(AUDIO, method=method, headers=LOCAL | named) as answer:
        answer.get_data()
    assert all(file.closed for file in stage.files.opened)
    return answer


def test_the_whole_file_comes_with_its_type_and_tag(player: Stage) -> None:
    answer = ask(player)
    assert (answer.status_code, answer.data) == (200, CONTENT)
    assert answer.content_type == "audio/flac"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Content-Length"] == "10000"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, 9999),
        ("bytes=100-199", 100, 199),
        ("bytes=-500", 9500, 9999),
        ("bytes=9999-", 9999, 9999),
    ],
)
def test_a_range_is_answered_with_206(player: Stage, asked: str, first: int, last: int) -> None:
    answer = ask(player, Range=asked)
    assert (answer.status_code, answer.data) == (206, CONTENT[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/10000"
    assert answer.headers["Content-Length"] == str(last + 1 - first)
    assert answer.content_type == "audio/flac"


@pytest.mark.parametrize("asked", ["bytes=10000-", "bytes=-0", "bytes=" + "9" * 10_000 + "-"])
def test_a_range_after_the_end_is_416(player: Stage, asked: str) -> None:
    answer = ask(player, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */10000"
    assert answer.json is not None
    assert answer.json["error"] == "range_not_satisfiable"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=0-5", "nonsense", "bytes=-"])
def test_ranges_that_are_not_understood_get_the_whole_file(player: Stage, asked: str) -> None:
    answer = ask(player, Range=asked)
    assert (answer.status_code, answer.data) == (200, CONTENT)


def test_a_file_that_the_browser_has_is_not_sent_again(player: Stage) -> None:
    tag = ask(player).headers["ETag"]
    for condition in (tag, f'"other", W/{tag}', "*"):
        answer = ask(player, If_None_Match=condition, Range="bytes=0-5")
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    assert ask(player, If_None_Match='"other"').status_code == 200


def test_a_part_is_sent_only_of_the_file_that_the_browser_has(player: Stage) -> None:
    tag = ask(player).headers["ETag"]
    assert ask(player, If_Range=tag, Range="bytes=0-5").status_code == 206
    for other in ('"other"', f"W/{tag}", tag.strip('"'), "Wed, 21 Oct 2015 07:28:00 GMT", "", "nonsense"):
        answer = ask(player, If_Range=other, Range="bytes=0-5")
        assert (answer.status_code, answer.data) == (200, CONTENT)
        assert ask(player, If_Range=other, Range="bytes=10000-").status_code == 200


def test_head_has_the_length_and_ignores_ranges(player: Stage) -> None:
    answer = ask(player, "HEAD", Range="bytes=0-5")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == "10000"
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_an_empty_file_is_empty(stage: Stage) -> None:
    stage.add("a", data=b"")
    answer = ask(stage)
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "0")
    assert ask(stage, Range="bytes=-5").status_code == 200
    assert ask(stage, Range="bytes=0-").headers["Content-Range"] == "bytes */0"


def test_a_missing_file_is_410(player: Stage) -> None:
    (player.folder / "a.mp3").unlink()
    answer = ask(player)
    assert answer.status_code == 410
    assert answer.json is not None
    assert answer.json["error"] == "track_gone"


def test_a_file_that_cannot_be_read_for_now_is_503_and_logged_once(
    player: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    player.files.failure = FileUnavailableError("the file cannot be read at the moment (I/O error)")
    for path in ("/api/tracks/a/audio", "/api/tracks/a/cover", "/tracks/a/cover", "/api/tracks/a/audio"):
        answer = player.client().get(path, headers=LOCAL)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    assert answer.json["error"] == "file_unavailable"
    warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warnings == ["GET /api/tracks/a/audio: the file cannot be read at the moment (I/O error)"]
    player.files.failure = None
    assert ask(player).status_code == 200
