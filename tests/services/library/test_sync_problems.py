"""Folders that are missing, files that are bad, runs that are interrupted."""

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from making import at, file_of
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener
from soundalike.domain.errors import FileUnavailableError, RootMissingError
from soundalike.domain.files import ProblemReason, Root
from soundalike.domain.tags import TAGS_VERSION
from soundalike.domain.tracks import Track
from soundalike.domain.types import RootName


def test_a_missing_folder_is_an_error_that_marks_nothing(user: Listener, tmp_path: Path) -> None:
    user.extract()
    user.folder.rename(tmp_path / "unmounted")
    with pytest.raises(RootMissingError):
        user.extract()
    assert user.titles() == ["Anna", "Berta"]


def test_a_folder_that_does_not_exist_is_an_error(user: Listener, tmp_path: Path) -> None:
    with pytest.raises(RootMissingError, match="not a folder"):
        user.extract(tmp_path / "nowhere")
    assert user.roots.roots() == ()


def test_a_folder_that_the_disk_does_not_look_up_is_an_error(user: Listener, tmp_path: Path) -> None:
    with pytest.raises(RootMissingError, match="cannot be reached: File name too long"):
        user.extract(tmp_path / ("x" * 300))
    assert user.roots.roots() == ()


def test_an_emptied_folder_is_an_error_that_marks_nothing(user: Listener, tmp_path: Path) -> None:
    user.extract()
    user.folder.rename(tmp_path / "unmounted")
    user.folder.mkdir()
    with pytest.raises(RootMissingError, match="had 2 tracks: is its disk mounted"):
        user.extract()
    assert user.titles() == ["Anna", "Berta"]
    assert user.extract(emptied=True).vanished == 2


@pytest.mark.parametrize("is_mount_point_left", [False, True])
def test_an_unmounted_root_below_the_folder_is_an_error_that_marks_nothing(
    user: Listener, tmp_path: Path, *, is_mount_point_left: bool
) -> None:
    user.extract()
    write_song(tmp_path / "c.mp3", audio="ccc", title="Carla")
    user.extract(tmp_path)
    with TemporaryDirectory() as elsewhere:
        user.folder.rename(Path(elsewhere, "unmounted"))
        if is_mount_point_left:
            user.folder.mkdir()
        with pytest.raises(RootMissingError, match=r"Music' has no audio, but had 2 tracks"):
            user.extract(tmp_path)
        assert user.titles() == ["Anna", "Berta", "Carla"]
        assert user.extract(tmp_path, emptied=True).vanished == 2


def test_a_folder_that_was_always_empty_is_fine(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    assert Listener(tmp_path / "Music").extract().found == 0


def test_nothing_vanishes_below_a_folder_that_cannot_be_listed(user: Listener) -> None:
    write_song(user.folder / "private" / "p.mp3", audio="ppp", title="Paula")
    user.extract()
    (user.folder / "private").rename(user.folder / "hidden.locked")
    (user.folder / "hidden.locked").rename(user.folder / "private.locked")
    user.store.save_track(_moved(user.track("Paula"), b"private.locked/p.mp3"))
    report = user.extract()
    assert report.vanished == 0
    assert "Paula" in user.titles()


@pytest.mark.parametrize("what", ["b.mp3", "sub"])
def test_what_cannot_be_read_for_now_stays_as_it_is(user: Listener, what: str) -> None:
    user.extract()
    before = user.tracks()
    user.scanner.failing = {what}
    report = user.extract(emptied=True)
    assert (report.vanished, report.counts()) == (0, {ProblemReason.UNREADABLE: 1})
    assert user.tracks() == before
    user.scanner.failing = set()
    report = user.extract()
    assert (report.problems, report.unchanged) == ((), 2)
    assert user.tracks() == before


def test_a_disk_that_fails_everywhere_marks_nothing(user: Listener) -> None:
    user.extract()
    user.scanner.failing = {"a.mp3", "sub"}
    with pytest.raises(RootMissingError, match=r"no audio \(it fails\), but .* is its disk mounted"):
        user.extract()
    assert user.extract(emptied=True).vanished == 0
    assert user.titles() == ["Anna", "Berta"]


def test_what_is_unreadable_hides_only_what_is_below_it(user: Listener) -> None:
    for name in ("sub2", "su"):
        write_song(user.folder / name / "c.mp3", audio=name, title=name)
    user.extract()
    for name in ("sub2", "su"):
        (user.folder / name / "c.mp3").unlink()
    user.scanner.failing = {"sub"}
    assert user.extract().vanished == 2
    assert user.titles() == ["Anna", "Berta"]


def test_a_file_that_fails_as_its_tags_are_read_again_is_no_problem_once_they_are(user: Listener) -> None:
    user.extract()
    old = replace(user.track("Anna"), tags_version=0)
    user.store.save_track(old)
    user.analyser.failing = {"a.mp3"}
    assert user.extract().counts() == {ProblemReason.UNREADABLE: 1}
    assert user.track("Anna") == old
    user.analyser.failing = set()
    assert user.extract().problems == ()
    assert user.track("Anna").tags_version == TAGS_VERSION


def test_each_bad_file_leaves_one_problem_with_its_reason(user: Listener) -> None:
    write_song(user.folder / "bad1.mp3", audio="bad: silent")
    write_song(user.folder / "bad2.mp3", audio="bad: not audio")
    (user.folder / "pipe.fifo").touch()
    report = user.extract()
    assert {(p.location.path, p.reason, p.analysed_ms) for p in report.problems} == {
        (b"bad1.mp3", ProblemReason.SILENT, 400),
        (b"bad2.mp3", ProblemReason.NOT_AUDIO, 400),
        (b"pipe.fifo", ProblemReason.NOT_REGULAR, 0),
    }
    assert report.counts() == {
        ProblemReason.NOT_AUDIO: 1,
        ProblemReason.SILENT: 1,
        ProblemReason.NOT_REGULAR: 1,
    }
    assert user.titles() == ["Anna", "Berta"]


def test_a_hopeless_file_is_not_read_again_but_reported_again(user: Listener) -> None:
    write_song(user.folder / "bad.mp3", audio="bad: silent")
    user.extract()
    report = user.extract()
    assert user.analyser.heard == []
    assert report.counts() == {ProblemReason.SILENT: 1}


@pytest.mark.parametrize("reason", [ProblemReason.UNREADABLE, ProblemReason.CRASHED])
def test_what_may_work_next_time_is_tried_next_time(user: Listener, reason: ProblemReason) -> None:
    write_song(user.folder / "hard.mp3", audio=f"bad: {reason}")
    user.extract()
    user.extract()
    assert user.analyser.heard == ["hard.mp3"]


@pytest.mark.parametrize("reason", ["unsupported codec", "not audio", "silent", "empty", "shorter than 1 s"])
def test_a_file_is_tried_again_once_the_program_or_its_decoders_change(user: Listener, reason: str) -> None:
    write_song(user.folder / "hard.mp3", audio=f"bad: {reason}")
    user.extract()
    user.extract()
    assert user.analyser.heard == []
    user.analyser.versions = "reader 1, av 15.0"
    user.extract()
    assert user.analyser.heard == ["hard.mp3"]
    user.extract()
    assert user.analyser.heard == []


def test_a_truncated_file_is_tried_again_too(user: Listener) -> None:
    write_song(user.folder / "cut.mp3", audio="cut short", title="Cut")
    user.extract()
    track = user.track("Cut")
    user.analyser.versions = "reader 2"
    report = user.extract()
    assert (user.analyser.heard, user.analyser.computed) == (["cut.mp3"], ["cut.mp3"])
    assert [problem.read_by for problem in report.problems] == ["reader 2"]
    assert user.track("Cut").id == track.id
    user.extract()
    assert user.analyser.heard == []


def test_other_files_are_not_read_again_for_other_versions(user: Listener) -> None:
    user.extract()
    user.analyser.versions = "reader 2"
    assert user.extract().unchanged == 2
    assert user.analyser.heard == []


def test_a_problem_that_was_kept_without_versions_is_tried_again_once(user: Listener) -> None:
    path = write_song(user.folder / "bad.mp3", audio="bad: silent")
    (problem,) = user.extract().problems
    user.store.save_problem(replace(problem, read_by=""))
    user.extract()
    assert user.analyser.heard == [path.name]
    user.extract()
    assert user.analyser.heard == []


def test_a_repaired_or_deleted_file_leaves_no_problem(user: Listener) -> None:
    mended = write_song(user.folder / "one.mp3", audio="bad: silent")
    deleted = write_song(user.folder / "two.mp3", audio="bad: silent")
    assert len(user.extract().problems) == 2
    write_song(mended, audio="fine", title="Fine")
    deleted.unlink()
    assert user.extract().problems == ()
    assert "Fine" in user.titles()


def test_a_track_whose_file_went_bad_stays_but_is_no_longer_analysed(user: Listener) -> None:
    user.extract()
    track = user.track("Anna")
    write_song(user.folder / "a.mp3", audio="bad: silent")
    report = user.extract()
    assert report.counts() == {ProblemReason.SILENT: 1}
    assert user.track("Anna").id == track.id
    assert user.store.vectors_of(track.id, SCHEMA) is None


def test_a_track_that_cannot_be_read_for_now_keeps_what_is_known(user: Listener) -> None:
    user.extract()
    track = user.track("Anna")
    write_song(user.folder / "a.mp3", audio="bad: unreadable")
    user.extract()
    assert user.store.vectors_of(track.id, SCHEMA) is not None


def test_a_truncated_file_is_used_and_marked(user: Listener) -> None:
    write_song(user.folder / "cut.mp3", audio="cut short", title="Cut")
    report = user.extract()
    assert "Cut" in user.titles()
    assert [(p.reason, p.is_used, p.analysed_ms) for p in report.problems] == [
        (ProblemReason.HEADER_TOO_LONG, True, 20_000)
    ]
    user.extract()
    assert user.analyser.heard == []


def test_a_copy_of_a_truncated_file_is_marked_too(user: Listener) -> None:
    write_song(user.folder / "cut.mp3", audio="cut short", title="Cut")
    user.extract()
    shutil.copy(user.folder / "cut.mp3", user.folder / "copy.mp3")
    assert len(user.extract().problems) == 2


@pytest.mark.parametrize("ending", [KeyboardInterrupt, FileUnavailableError])
def test_an_interrupted_run_keeps_what_is_done_and_goes_on(
    user: Listener, ending: type[BaseException]
) -> None:
    user.analyser.stops_after, user.analyser.stops_with = 1, ending
    with pytest.raises(ending):
        user.extract()
    done = user.titles()
    assert len(done) == 1
    user.analyser.stops_after = None
    user.extract()
    assert len(user.analyser.heard) == 1
    assert user.titles() == ["Anna", "Berta"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, FileUnavailableError])
def test_an_interrupted_run_marks_nothing_as_vanished(user: Listener, ending: type[BaseException]) -> None:
    user.extract()
    (user.folder / "a.mp3").unlink()
    write_song(user.folder / "c.mp3", audio="ccc", title="Carla")
    user.analyser.stops_after, user.analyser.stops_with = 0, ending
    with pytest.raises(ending):
        user.extract()
    assert user.titles() == ["Anna", "Berta"]


def test_the_target_of_a_link_is_stored_with_the_path(user: Listener, tmp_path: Path) -> None:
    outside = write_song(tmp_path / "outside" / "o.mp3", audio="ooo", title="Olga")
    (user.folder / "link.mp3").symlink_to(outside)
    user.extract()
    assert file_of(user.track("Olga")).target == outside.resolve()
    assert file_of(user.track("Anna")).target is None


def test_a_root_may_be_elsewhere_on_this_machine(user: Listener, tmp_path: Path) -> None:
    user.extract()
    before = {track.title: track.id for track in user.tracks()}
    elsewhere = tmp_path / "mnt"
    user.folder.rename(elsewhere)
    other = Listener(elsewhere, {RootName("Music"): elsewhere})
    other.store.save_root(Root(RootName("Music"), user.folder))
    for track in user.tracks():
        vectors = user.store.vectors_of(track.id, SCHEMA)
        assert vectors is not None
        other.store.save_track(track, vectors)
    assert other.extract().unchanged == 2
    assert {track.title: track.id for track in other.tracks()} == before


def _moved(track: Track, path: bytes) -> Track:
    return at(track, path)
