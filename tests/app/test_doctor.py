"""Doctor does what the program does: it tries a transaction, rather than to believe a server."""

from pathlib import Path

import pytest

from servers.mongodb import drop_database, new_database
from servers.mongodb_proxy import Manner, without_transactions
from soundalike.app.doctor import Check, diagnose
from soundalike.settings import Settings
from soundalike.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongodb


def store_check(store: str, data: Path) -> Check:
    checks = diagnose(Settings(data=data, artefacts=data / "artefacts", store=store))
    (check,) = (one for one in checks if one.name == "store")
    return check


def test_a_server_that_runs_transactions_is_fit(mongodb: str, tmp_path: Path) -> None:
    url = new_database(mongodb)
    MongoStore(url).close()
    assert store_check(url, tmp_path).is_ok
    drop_database(url)


@pytest.mark.parametrize("manner", ["refuses", "refuses in other words", "ignores"])
def test_a_server_without_transactions_is_unfit(manner: Manner, mongodb: str, tmp_path: Path) -> None:
    with without_transactions(new_database(mongodb), manner) as url:
        check = store_check(url, tmp_path)
    assert check.is_ok is False
    assert "transactions" in check.remedy
    assert "replica set" in check.remedy or "--replSet" in check.remedy
