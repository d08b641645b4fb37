"""What version 1 learned is learned again by its recipe, from the same vectors, and is the same."""

import json
import shutil
import signal
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compatibility.library import FIXTURE, learn_again
from compatibility.test_version_1 import settings
from journeys.program import Program, free_port, wait_until
from soundalike.app import open_app
from soundalike.domain.errors import NoArtefactError
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE
from soundalike.services.learning.updating import Freshness

OLD = FIXTURE / "artefacts" / "000001"

# Both are computed in float64 by the same steps and rounded to float32. What may differ is the order in
# which BLAS adds, which depends on the machine: 1e-13 of the values, which moves a rounding now and then.
ROUNDING = 2 * float(np.finfo(np.float32).eps)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as version 1 left it."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "data"))


def old(name: str) -> np.ndarray:
    found: np.ndarray = np.load(OLD / f"{name}.npy")
    return found


def test_the_arrays_are_those_of_then(data: Path) -> None:
    with open_app(settings(data)) as app:
        learn_again(app)
        artefact = app.artefacts.current()
    (fitted,) = artefact.space.maps
    assert list(artefact.track_ids) == json.loads((OLD / "track_ids.json").read_text())
    for name in ("mean", "scale", "weights", "offset"):
        np.testing.assert_allclose(getattr(fitted, name), old(name), rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(artefact.coordinates, old("coordinates"), rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_array_equal(artefact.neighbours.rows, old("neighbours"))
    np.testing.assert_allclose(artefact.neighbours.distances, old("distances"), rtol=8 * ROUNDING)


def test_until_then_it_is_refused_by_name_and_known_to_be_of_the_older_format(data: Path) -> None:
    with open_app(settings(data)) as app:
        with pytest.raises(NoArtefactError, match=r"000001 .* older version of .*soundalike up"):
            app.artefacts.current()
        assert app.updater.freshness() is Freshness.OLD_FORMAT
        learn_again(app)
        assert app.updater.freshness() is Freshness.CURRENT


def test_the_tuning_of_then_is_read(data: Path) -> None:
    with open_app(settings(data)) as app:
        assert app.trainer.recipe() == app.artefacts.old_recipe()
        assert app.trainer.recipe().key == DEFAULT_RECIPE.key


def test_serve_plays_and_says_that_recommendations_wait_and_up_makes_them_again(
    data: Path, tmp_path: Path
) -> None:
    program, port = Program(data), str(free_port())
    with program.start("serve", "--port", port) as process:
        wait_until(lambda: ask(port, "/api/tracks")[0] == HTTPStatus.OK, process)
        status, body = ask(port, "/api/recommendations")
        assert (status, body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "no_artefact")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    assert said.count("Recommendations wait") == 1
    (tmp_path / "music").mkdir()
    with program.start("up", tmp_path / "music", "--engine", "local", "--port", port) as process:
        wait_until(lambda: ask(port, "/api/recommendations")[0] == HTTPStatus.OK, process)
    with open_app(settings(data)) as app:
        assert app.updater.freshness() is Freshness.CURRENT
        assert app.artefacts.old_recipe() is None


def ask(port: str, question: str) -> tuple[int, Any]:
    """Ask the API as the first of the accounts; 0 as long as nothing answers."""
    secret = json.loads((FIXTURE / "answers.json").read_text(encoding="utf-8"))["secrets"]["you"]
    connection = HTTPConnection("127.0.0.1", int(port), timeout=30)
    with closing(connection), suppress(ConnectionError):
        connection.request("GET", question, headers={"Authorization": f"Bearer {secret}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    return 0, None
