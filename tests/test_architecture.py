"""The layers are held by a tool, and the tool is awake."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("domain/tracks.py", "import soundalike.services"),
        ("domain/similarity/exact.py", "import soundalike.learning.engines"),
        ("services/library/browse.py", "import soundalike.store.sqlite.store"),
        ("web/app.py", "import soundalike.audio.scan"),
        ("web/app.py", "import librosa"),
        ("web/api/me.py", "import soundalike.web.pages.login"),
        ("web/pages/library.py", "import soundalike.web.media.covers"),
        ("web/media/routes.py", "import soundalike.web.api.description"),
        ("web/security/csrf.py", "import soundalike.web.cursors"),
        ("web/errors/responses.py", "import soundalike.web.security.host_check"),
        ("web/routes/table.py", "import soundalike.web.errors.responses"),
        ("web/server/serve.py", "import soundalike.web.app"),
        ("domain/words.py", "import flask"),
        ("store/sqlite/store.py", "import soundalike.app"),
        ("demo/studio.py", "import soundalike.audio.excerpt"),
        ("learning/engines.py", "import soundalike.events.embedded"),
        ("learning/spark/engine.py", "import flask"),
        ("audio/tags.py", "import mutagen"),
    ],
)
def test_a_planted_violation_fails_the_check(checkout: Path, module: str, line: str) -> None:
    path = checkout / "src" / "soundalike" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    result = lint_imports(checkout)
    assert result.returncode == 1
    assert "BROKEN" in result.stdout


def test_a_module_outside_every_layer_fails_the_check(checkout: Path) -> None:
    (checkout / "src" / "soundalike" / "utils.py").write_text("", encoding="utf-8")
    assert lint_imports(checkout).returncode == 1


def test_the_layers_hold(checkout: Path) -> None:
    result = lint_imports(checkout)
    assert result.returncode == 0, result.stdout
