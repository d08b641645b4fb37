"""The API answers whatever is asked as its description says, and never with 500, on both kinds of store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis.core.result import Err
from schemathesis.specs.openapi import checks

from servers.mongodb import drop_database, new_database
from soundalike.store.mongo.store import MongoStore
from web.clients import LOCAL
from web.shelf import fill_shelf
from web.stage import Stage

Case = schemathesis.Case[Any]

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
EXAMPLES = 15
"""Of each operation."""


@pytest.fixture(params=["embedded", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A player with albums and an artefact."""
    if request.param == "embedded":
        yield fill(Stage(tmp_path))
        return
    url = new_database(request.getfixturevalue("mongodb"))
    store = MongoStore(url)
    yield fill(Stage(tmp_path, store=store))
    store.close()
    drop_database(url)


def fill(stage: Stage) -> Stage:
    fill_shelf(stage)
    for number in range(4):
        stage.add(f"t{number}", point=(float(number), 1.0), title=f"Title {number}")
    stage.build()
    return stage


def valid_and_not(operation: Any) -> SearchStrategy[Case]:
    """Requests as the description has them, and others where there is anything to get wrong."""
    valid: SearchStrategy[Case] = operation.as_strategy()
    if not (operation.query or operation.path_parameters or operation.body):
        return valid
    others: SearchStrategy[Case] = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    return valid | others


def test_every_answer_is_one_that_is_described(filled: Stage, subtests: pytest.Subtests) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", filled.app())
    for found in schema.get_all_operations():
        assert not isinstance(found, Err), found
        operation = found.ok()
        with subtests.test(operation.label):

            @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
            @given(case=valid_and_not(operation))
            def check(case: Case) -> None:
                case.call_and_validate(headers=LOCAL, checks=CHECKS)

            check()
