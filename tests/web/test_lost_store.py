"""The player over a store whose file is lost, and what is erased through it."""

import logging
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from soundalike.domain.users import YOU
from soundalike.store.sqlite.store import SqliteStore
from soundalike.wire.listens import listen_body
from web.clients import LOCAL
from web.stage import Stage


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder."""
    return tmp_path / "data"


@pytest.fixture
def stage(tmp_path: Path, data: Path) -> Iterator[Stage]:
    """A player over a store in a file."""
    (tmp_path / "music").mkdir()
    with closing(SqliteStore(data / "library.sqlite")) as store:
        stage = Stage(tmp_path / "music", store=store)
        stage.add("a")
        yield stage
        stage.close()


def post(stage: Stage) -> tuple[int, str | None, dict[str, object]]:
    events = [listen_body(stage.make_listen(YOU, 1))]
    answer = stage.client().post("/api/listens", json={"events": events}, headers=LOCAL)
    body: dict[str, object] = answer.json  # type: ignore[assignment] # JSON
    return answer.status_code, answer.headers.get("Retry-After"), body


def test_browsers_keep_their_listens_until_the_store_is_back(
    stage: Stage, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data.rename(tmp_path / "away")
    for _ in range(3):
        status, retry_after, body = post(stage)
        assert (status, retry_after, body["error"]) == (503, "2", "store_unavailable")
        assert str(tmp_path) not in str(body)
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(told) == 1
    assert f"{data / 'library.sqlite'} is gone while the store was open" in told[0]
    assert not data.exists()
    (tmp_path / "away").rename(data)
    assert post(stage)[0] == 202
    assert stage.store.count_listens(YOU) == 1


def test_other_writes_are_refused_with_503_too_and_change_nothing(
    stage: Stage, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ada = stage.add_user("Ada")
    headers = stage.bearer("Ada")
    (token,) = stage.services.accounts.tokens_of(ada.id)
    for path in data.iterdir():
        path.unlink()
    client = stage.client()
    for _ in range(2):
        for answer in (
            client.post("/api/tokens", json={"label": "another"}, headers=headers),
            client.delete(f"/api/tokens/{token.id}", json={}, headers=headers),
        ):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            body: dict[str, str] = answer.json  # type: ignore[assignment] # JSON
            assert body["error"] == "store_unavailable"
            assert str(data) not in body["message"]
            assert "removed or replaced" in body["message"]
    assert "Traceback" not in caplog.text
    assert list(data.iterdir()) == []
    assert client.get("/api/me", headers=headers).status_code == 200, "what is only read goes on"


def health(stage: Stage) -> tuple[int, dict[str, object]]:
    answer = stage.client().get("/healthz", headers=LOCAL)
    body: dict[str, object] = answer.json  # type: ignore[assignment] # JSON
    return answer.status_code, body


def remove(data: Path, _other: Path) -> None:
    for path in data.iterdir():
        path.unlink()


LOSSES: dict[str, Callable[[Path, Path], object]] = {
    "removed": remove,
    "emptied": lambda data, _: (data / "library.sqlite").write_bytes(b""),
    "replaced": lambda data, other: other.replace(data / "library.sqlite"),
    "overwritten": lambda data, other: shutil.copyfile(other, data / "library.sqlite"),
    "moved away": lambda data, _: data.rename(data.with_name("away")),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_whoever_watches_the_player_learns_that_its_store_is_lost_before_anybody_writes(
    stage: Stage, data: Path, tmp_path: Path, loss: str
) -> None:
    with closing(SqliteStore(tmp_path / "other" / "library.sqlite")):
        pass
    assert health(stage)[0] == 200
    LOSSES[loss](data, tmp_path / "other" / "library.sqlite")
    before = {path.name: path.read_bytes() for path in data.glob("*")}
    for _ in range(2):
        status, body = health(stage)
        assert (status, body["error"]) == (503, "store_unavailable")
        assert "put the store back" in str(body["message"])
        assert str(tmp_path) not in str(body)
    assert {path.name: path.read_bytes() for path in data.glob("*")} == before
    status, _retry_after, refusal = post(stage)
    status, _retry_after, refusal = post(stage)
    assert (status, refusal["error"]) == (503, "store_unavailable")
    assert "library's store" in str(refusal["message"])


def test_a_player_is_well_again_once_its_store_is_back(stage: Stage, data: Path) -> None:
    data.rename(data.with_name("away"))
    assert health(stage)[0] == 503
    data.with_name("away").rename(data)
    assert health(stage)[0] == 200


@contextmanager
def full_disk(data: Path) -> Iterator[None]:
    """Let no file become larger than the journal of the store is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((data / "library.sqlite-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_store_that_takes_nothing_is_named_as_such_until_it_takes_something(
    stage: Stage, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with full_disk(data):
        assert health(stage)[0] == 200, "nobody has found out"
        for _ in range(2):
            status, _retry_after, body = post(stage)
            assert (status, body["error"]) == (503, "store_unavailable")
            assert "the library's store takes nothing" in str(body["message"])
        assert health(stage) == (503, body)
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert [str(data / "library.sqlite") in one for one in told] == [True]
    assert "disk" in told[0]
    assert post(stage)[0] == 202
    assert health(stage)[0] == 200
