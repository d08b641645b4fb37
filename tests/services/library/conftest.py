from pathlib import Path

import pytest

from services.library.folder import write_song
from services.library.listener import Listener


@pytest.fixture
def user(tmp_path: Path) -> Listener:
    folder = tmp_path / "Music"
    write_song(folder / "a.mp3", audio="aaa", title="Anna")
    write_song(folder / "sub" / "b.mp3", audio="bbb", title="Berta")
    return Listener(folder)
