import os
import shlex
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.domain.errors import ExposedFileError, SettingsError
from soundalike.domain.types import LibraryId
from soundalike.web.security.session_key import FILE_NAME, find_session_key, load_session_key
from web.clients import LOCAL
from web.stage import SESSION_KEY, Stage

OURS = LibraryId("0123456789abcdef" * 2)


def write_key(folder: Path, key: bytes, *, mode: int = 0o600) -> Path:
    path = folder / FILE_NAME
    path.write_bytes(key)
    path.chmod(mode)
    return path


def test_a_key_bears_the_id_of_its_library(tmp_path: Path) -> None:
    assert find_session_key(tmp_path) is None
    key = load_session_key(tmp_path, None, OURS)
    found = find_session_key(tmp_path)
    assert found is not None
    assert (found.key, found.library_id) == (key, OURS)
    assert str(tmp_path / FILE_NAME) in found.name


@pytest.mark.parametrize("old", [bytes(range(32)), b"sixteen letters.\n", b"\nlibrary of Alexandria\n"])
def test_a_key_of_a_version_without_ids_takes_one_up_and_signs_as_before(tmp_path: Path, old: bytes) -> None:
    path = write_key(tmp_path, old, mode=0o640)
    found = find_session_key(tmp_path)
    assert found is not None
    assert (found.key, found.library_id) == (old, None)
    found.take_up(OURS)
    assert find_session_key(tmp_path) == replace(found, library_id=OURS)
    assert load_session_key(tmp_path, None, OURS) == old
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == [FILE_NAME]


def test_a_key_that_cannot_be_replaced_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_key(tmp_path, b"a key of sixteen")
    found = find_session_key(tmp_path)
    assert found is not None

    def refuse(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    found.take_up(OURS)
    assert find_session_key(tmp_path) == found
    assert [one.name for one in tmp_path.iterdir()] == [FILE_NAME]


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = load_session_key(tmp_path, None, OURS)
    assert len(key) == 32
    assert load_session_key(tmp_path, None, OURS) == key
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_key_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_session_key(tmp_path, None, OURS)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_each_folder_has_a_key_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert load_session_key(tmp_path / "a", None, OURS) != load_session_key(tmp_path / "b", None, OURS)


ASKING = """
import sys
from pathlib import Path
from soundalike.web.security.session_key import load_session_key
print("ready", flush=True)
sys.stdin.readline()
print(load_session_key(Path(sys.argv[1]), None, "0" * 32).hex())
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
    found = find_session_key(tmp_path)
    assert found is not None
    assert keys.pop().strip() == found.key.hex()


def test_without_hard_links_a_key_is_made_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert load_session_key(tmp_path, None, OURS) == load_session_key(tmp_path, None, OURS)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_given_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    assert load_session_key(tmp_path, "a key of sixteen", OURS) == b"a key of sixteen"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["", "secretive", "fifteen bytes.."])
def test_a_short_key_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="shorter than 16 bytes") as caught:
        load_session_key(tmp_path, key, OURS)
    assert not key or key not in str(caught.value)
    write_key(tmp_path, key.encode())
    with pytest.raises(SettingsError, match=r"session\.key is shorter"):
        load_session_key(tmp_path, None, OURS)


def test_the_error_for_an_unreadable_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SOUNDALIKE_SECRET_KEY"):
        load_session_key(tmp_path / "nowhere", None, OURS)
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(SettingsError, match="SOUNDALIKE_SECRET_KEY"):
        load_session_key(tmp_path, None, OURS)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666, 0o755, 0o602])
def test_a_key_that_everybody_may_read_or_write_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    path = write_key(folder, b"a key of sixteen", mode=mode)
    for read in (find_session_key, lambda where: load_session_key(where, None, OURS)):
        with pytest.raises(
            ExposedFileError, match=r"everybody on this machine may .* it; run: chmod o-"
        ) as caught:
            read(folder)
        assert "a key of sixteen" not in str(caught.value)
        command = str(caught.value).partition("run: ")[2]
    subprocess.run(shlex.split(command), check=True)
    assert stat.S_IMODE(path.stat().st_mode) == mode & ~stat.S_IROTH & ~stat.S_IWOTH
    assert load_session_key(folder, None, OURS) == b"a key of sixteen"


def test_a_key_that_everybody_may_read_does_not_matter_where_one_is_given(tmp_path: Path) -> None:
    write_key(tmp_path, b"a key of sixteen", mode=0o644)
    assert load_session_key(tmp_path, "a key of sixteen too", OURS) == b"a key of sixteen too"


def test_no_answer_contains_the_key(tmp_path: Path) -> None:

    stage = Stage(tmp_path)
    stage.add_user("ann")
    client = stage.log_in("ann")
    for path in ("/", "/account", "/api/me", "/api/me/export", "/nothing", "/healthz"):
        text = client.get(path, headers=LOCAL).text
        assert SESSION_KEY.decode() not in text
        assert SESSION_KEY.hex() not in text
