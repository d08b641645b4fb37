import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.domain.errors import SettingsError
from soundalike.web.security.session_key import FILE_NAME, load_session_key
from web.clients import LOCAL
from web.stage import SESSION_KEY, Stage


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = load_session_key(tmp_path)
    assert len(key) == 32
    assert load_session_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_key_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_session_key(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_each_folder_has_a_key_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert load_session_key(tmp_path / "a") != load_session_key(tmp_path / "b")


ASKING = """
import sys
from pathlib import Path
from soundalike.web.security.session_key import load_session_key
print("ready", flush=True)
sys.stdin.readline()
print(load_session_key(Path(sys.argv[1])).hex())
"""


def test_processes_that_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASKING, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0] for process in processes}
    assert len(keys) == 1
    assert keys.pop().strip() == (tmp_path / FILE_NAME).read_bytes().hex()


def test_without_hard_links_a_key_is_made_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert load_session_key(tmp_path) == load_session_key(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_given_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    assert load_session_key(tmp_path, "a key of sixteen") == b"a key of sixteen"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["", "secretive", "fifteen bytes.."])
def test_a_short_key_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="shorter than 16 bytes") as caught:
        load_session_key(tmp_path, key)
    assert not key or key not in str(caught.value)
    (tmp_path / FILE_NAME).write_text(key)
    with pytest.raises(SettingsError, match=r"session\.key is shorter"):
        load_session_key(tmp_path)


def test_the_error_for_an_unreadable_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SOUNDALIKE_SECRET_KEY"):
        load_session_key(tmp_path / "nowhere")
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(SettingsError, match="SOUNDALIKE_SECRET_KEY"):
        load_session_key(tmp_path)


def test_no_answer_contains_the_key(tmp_path: Path) -> None:

    stage = Stage(tmp_path)
    stage.add_user("ann")
    client = stage.log_in("ann")
    for path in ("/", "/account", "/api/me", "/api/me/export", "/nothing", "/healthz"):
        text = client.get(path, headers=LOCAL).text
        assert SESSION_KEY.decode() not in text
        assert SESSION_KEY.hex() not in text
