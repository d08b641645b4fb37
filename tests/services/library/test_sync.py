import os
import shutil
from pathlib import Path

from making import file_of
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener


def test_what_is_in_the_folder_is_in_the_library(user: Listener) -> None:
    report = user.extract()
    assert (report.found, report.analysed, report.added) == (2, 2, 2)
    assert user.titles() == ["Anna", "Berta"]
    assert all(user.store.vectors_of(track.id, SCHEMA) for track in user.tracks())


def test_unchanged_files_are_not_read_again(user: Listener) -> None:
    user.extract()
    report = user.extract()
    assert user.analyser.heard == []
    assert (report.analysed, report.unchanged) == (0, 2)


def test_a_file_without_a_title_is_called_by_its_name(user: Listener) -> None:
    write_song(user.folder / "03 Nameless.mp3", audio="ccc")
    user.extract()
    assert "03 Nameless" in user.titles()


def test_a_retagged_file_keeps_its_track_and_is_not_analysed_again(user: Listener) -> None:
    user.extract()
    before = user.track("Anna")
    write_song(user.folder / "a.mp3", audio="aaa", title="Annabel")
    user.extract()
    after = user.track("Annabel")
    assert (after.id, after.added_at) == (before.id, before.added_at)
    assert user.analyser.computed == []


def test_tags_that_were_changed_without_size_and_time_are_read(user: Listener) -> None:
    user.extract()
    before, file = user.track("Anna"), user.folder / "a.mp3"
    status = file.stat()
    write_song(file, audio="aaa", title="Anja")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # as "preserve timestamps" does
    report = user.extract()
    assert user.track("Anja").id == before.id
    assert (report.analysed, report.unchanged, user.analyser.computed) == (0, 2, [])
    user.extract()
    assert user.analyser.heard == []


def test_a_file_with_other_audio_at_the_same_path_is_the_same_track_analysed_again(user: Listener) -> None:
    user.extract()
    before = user.track("Anna")
    vectors = user.store.vectors_of(before.id, SCHEMA)
    write_song(user.folder / "a.mp3", audio="remastered", title="Anna")
    user.extract()
    after = user.store.vectors_of(user.track("Anna").id, SCHEMA)
    assert user.track("Anna").id == before.id
    assert vectors is not None
    assert after is not None
    assert (after.values != vectors.values).any()


def test_a_moved_file_keeps_its_track(user: Listener) -> None:
    user.extract()
    before = user.track("Anna")
    (user.folder / "new").mkdir()
    (user.folder / "a.mp3").rename(user.folder / "new" / "z.mp3")
    report = user.extract()
    after = user.track("Anna")
    assert (after.id, after.added_at, file_of(after).location.path) == (
        before.id,
        before.added_at,
        b"new/z.mp3",
    )
    assert (report.moved, report.added, report.vanished) == (1, 0, 0)
    assert user.analyser.computed == []


def test_a_file_that_is_moved_and_retagged_keeps_its_track(user: Listener) -> None:
    user.extract()
    before = user.track("Anna")
    (user.folder / "a.mp3").unlink()
    write_song(user.folder / "c.mp3", audio="aaa", title="Carla")
    user.extract()
    assert user.track("Carla").id == before.id


def test_a_renamed_folder_keeps_its_tracks(user: Listener, tmp_path: Path) -> None:
    user.extract()
    before = {track.title: track.id for track in user.tracks()}
    user.folder.rename(tmp_path / "Elsewhere")
    user.extract(tmp_path / "Elsewhere")
    assert {track.title: track.id for track in user.tracks()} == before


def test_files_that_take_each_others_names_are_all_analysed(user: Listener) -> None:
    for number in range(4):
        write_song(user.folder / f"{number}.mp3", audio=f"audio {number}", title=f"Song {number}")
    user.extract()
    for number in reversed(range(4)):
        (user.folder / f"{number}.mp3").rename(user.folder / f"{number + 1}.mp3")
    user.extract()
    assert user.titles() == ["Anna", "Berta", "Song 0", "Song 1", "Song 2", "Song 3"]
    assert user.store.ids_with_vectors(SCHEMA) >= {track.id for track in user.tracks()}
    assert user.extract().analysed == 0


def test_two_copies_are_two_tracks(user: Listener) -> None:
    user.extract()
    shutil.copy(user.folder / "a.mp3", user.folder / "copy.mp3")
    user.extract()
    assert user.titles() == ["Anna", "Anna", "Berta"]
    assert len({track.id for track in user.tracks()}) == 3
    assert all(user.store.vectors_of(track.id, SCHEMA) for track in user.tracks())


def test_of_two_new_copies_of_a_lost_file_one_inherits_its_track(user: Listener) -> None:
    user.extract()
    before = user.track("Anna").id
    (user.folder / "a.mp3").rename(user.folder / "x.mp3")
    shutil.copy(user.folder / "x.mp3", user.folder / "y.mp3")
    user.extract()
    assert [track.id for track in user.tracks() if track.title == "Anna"].count(before) == 1
    assert user.titles() == ["Anna", "Anna", "Berta"]


def test_of_several_lost_copies_the_one_of_the_same_name_is_inherited(user: Listener) -> None:
    write_song(user.folder / "one" / "x.mp3", audio="same", title="One")
    write_song(user.folder / "two" / "y.mp3", audio="same", title="Two")
    user.extract()
    wanted = user.track("Two").id
    shutil.rmtree(user.folder / "one")
    (user.folder / "two").rename(user.folder / "three")
    user.extract()
    assert user.track("Two").id == wanted


def test_of_several_lost_copies_it_is_the_one_that_was_there_until_now(user: Listener) -> None:
    write_song(user.folder / "one" / "x.mp3", audio="same", title="One")
    write_song(user.folder / "two" / "y.mp3", audio="same", title="Two")
    user.extract()
    wanted = user.track("Two").id
    shutil.rmtree(user.folder / "one")
    assert user.extract().vanished == 1
    (user.folder / "two").rename(user.folder / "three")
    (user.folder / "three" / "y.mp3").rename(user.folder / "three" / "x.mp3")
    report = user.extract()
    assert user.track("Two").id == wanted
    assert (report.moved, report.vanished) == (1, 0)


def test_a_vanished_file_is_marked_and_comes_back_with_its_history(user: Listener, tmp_path: Path) -> None:
    user.extract()
    before = user.track("Berta")
    (user.folder / "sub").rename(tmp_path / "away")
    assert user.extract().vanished == 1
    assert user.titles() == ["Anna"]
    assert user.extract().vanished == 0
    (tmp_path / "away").rename(user.folder / "sub")
    assert user.extract().returned == 1
    assert user.track("Berta") == before
    assert user.analyser.heard == []


def test_a_vanished_track_comes_back_under_another_name(user: Listener, tmp_path: Path) -> None:
    user.extract()
    before = user.track("Anna").id
    (user.folder / "a.mp3").rename(tmp_path / "away")
    user.extract()
    (tmp_path / "away").rename(user.folder / "later.mp3")
    user.extract()
    assert user.track("Anna").id == before


def test_only_tracks_below_the_scanned_folder_can_vanish(user: Listener) -> None:
    user.extract()
    (user.folder / "a.mp3").unlink()
    assert user.extract(user.folder / "sub").vanished == 0
    assert user.titles() == ["Anna", "Berta"]


def test_a_folder_inside_a_known_one_is_part_of_it(user: Listener) -> None:
    user.extract()
    write_song(user.folder / "sub" / "c.mp3", audio="ccc", title="Carla")
    user.extract(user.folder / "sub")
    assert {file_of(track).location.root for track in user.tracks()} == {"Music"}
    assert file_of(user.track("Carla")).location.path == b"sub/c.mp3"


def test_a_folder_around_a_known_one_knows_its_tracks_again(user: Listener, tmp_path: Path) -> None:
    user.extract(user.folder / "sub")
    before = user.track("Berta").id
    report = user.extract(tmp_path)
    assert (report.added, report.unchanged) == (1, 1)
    assert user.track("Berta").id == before


def test_folders_of_the_same_name_are_two_roots(user: Listener, tmp_path: Path) -> None:
    write_song(tmp_path / "disk" / "Music" / "a.mp3", audio="other", title="Other")
    user.extract()
    user.extract(tmp_path / "disk" / "Music")
    assert [root.name for root in user.roots.roots()] == ["Music", "Music-2"]
    assert user.titles() == ["Anna", "Berta", "Other"]
