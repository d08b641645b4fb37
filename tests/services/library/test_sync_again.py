"""Files that are read anew though nothing shows that they changed."""

import os
from pathlib import Path

from making import make_schema
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener


def change_unseen(user: Listener, file: Path, *, audio: str, title: str) -> None:
    """Change a file so that nothing but reading it shows so."""
    status = file.stat()
    write_song(file, audio=audio, title=title)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    user.scanner.tags_stamp = "as before"


def test_all_below_a_folder_is_read_anew(user: Listener) -> None:
    user.scanner.tags_stamp = "as before"
    user.extract()
    before = user.track("Berta")
    change_unseen(user, user.folder / "sub" / "b.mp3", audio="ddd", title="Bertl")
    user.extract()
    assert user.titles() == ["Anna", "Berta"]
    report = user.extract(user.folder / "sub", again=user.folder / "sub")
    after = user.track("Bertl")
    assert (after.id, after.added_at) == (before.id, before.added_at)
    assert after.audio_hash != before.audio_hash
    assert (report.analysed, user.analyser.computed) == (1, ["b.mp3"])
    assert user.store.vectors_of(after.id, SCHEMA)


def test_known_audio_is_computed_anew_too(user: Listener) -> None:
    write_song(user.folder / "copy.mp3", audio="aaa", title="Copy")
    user.extract()
    user.extract(again=user.folder)
    assert sorted(user.analyser.computed) == ["a.mp3", "b.mp3", "copy.mp3"]


def test_one_file_is_read_anew(user: Listener) -> None:
    write_song(user.folder / "sub" / "c.mp3", audio="ccc", title="Carla")
    user.extract()
    user.extract(user.folder / "sub", again=user.folder / "sub" / "b.mp3")
    assert user.analyser.heard == ["b.mp3"]


def test_what_could_not_be_used_is_tried_anew(user: Listener) -> None:
    write_song(user.folder / "bad.mp3", audio="bad: silent", title="Bad")
    user.extract()
    user.extract()
    assert user.analyser.heard == []
    report = user.extract(again=user.folder)
    assert "bad.mp3" in user.analyser.heard
    assert [problem.location.path for problem in report.problems] == [b"bad.mp3"]


def test_sets_of_later_passes_are_computed_anew(user: Listener) -> None:
    later = make_schema(name="later")
    user.analyser.passes.append([later])
    user.extract()
    user.extract(again=user.folder / "a.mp3")
    assert user.analyser.extracted == [("a.mp3", SCHEMA.key), ("a.mp3", later.key)]
