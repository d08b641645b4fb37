import contextlib
import os
from pathlib import Path

import pytest

from soundalike.learning.artefacts.durable import written_atomically


def test_a_reader_of_the_old_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as reader:
        with written_atomically(path) as aside:
            aside.write_text("new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    synced: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append((os.fstat(fd).st_ino, path.exists())))
    with written_atomically(path) as aside:
        aside.write_text("new")
    assert synced == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


def test_a_failure_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with contextlib.suppress(InterruptedError), written_atomically(path) as aside:
        aside.write_text("half")
        raise InterruptedError
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("file", "old")]
