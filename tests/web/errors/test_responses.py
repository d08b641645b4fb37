"""Errors that nobody foresaw: the answer shows nothing of the inside, the log shows all."""

import pytest

from soundalike.domain.errors import StoreError
from web.clients import LOCAL
from web.stage import Stage


def test_an_error_that_lasts_is_logged_for_each_request_and_traced_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        msg = "the store failed in a new way"
        raise StoreError(msg)

    monkeypatch.setattr(stage.store, "find_tracks", fail)
    client = stage.client()
    for _ in range(3):
        answer = client.get("/api/tracks", headers=LOCAL)
        assert answer.status_code == 500
        assert "new way" not in answer.text
    lines = [one for one in caplog.records if one.getMessage().startswith("GET /api/tracks failed: ")]
    assert [bool(one.exc_info) for one in lines] == [True, False, False]
    assert all("the store failed in a new way" in one.getMessage() for one in lines)
