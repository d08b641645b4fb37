"""What is left out of a library that had it."""

import pytest

from services.library.folder import write_song
from services.library.listener import Listener
from soundalike.domain.errors import RootMissingError
from soundalike.domain.files import LeftOutReason, ProblemReason


@pytest.mark.parametrize("name", ["sub", "b.mp3"])
def test_tracks_that_are_ignored_vanish_and_come_back(user: Listener, name: str) -> None:
    user.extract()
    before = user.track("Berta")
    user.scanner.ignored.add(name)
    report = user.extract()
    assert (report.found, report.vanished, report.vanished_left_out) == (1, 1, 1)
    assert report.left_out == {LeftOutReason.IGNORED: 1}
    assert user.titles() == ["Anna"]
    assert user.extract().vanished_left_out == 0
    user.scanner.ignored.clear()
    assert user.extract().returned == 1
    assert user.track("Berta") == before
    assert user.analyser.heard == []


def test_other_tracks_that_vanish_are_told_apart(user: Listener) -> None:
    user.extract()
    user.scanner.ignored.add("sub")
    (user.folder / "a.mp3").unlink()
    write_song(user.folder / "c.mp3", audio="ccc", title="Carla")
    report = user.extract()
    assert (report.vanished, report.vanished_left_out) == (2, 1)


def test_a_file_that_moves_out_of_an_ignored_folder_keeps_its_track(user: Listener) -> None:
    user.extract()
    before = user.track("Berta")
    user.scanner.ignored.add("sub")
    user.extract()
    (user.folder / "sub" / "b.mp3").rename(user.folder / "b.mp3")
    assert user.extract().moved == 1
    assert user.track("Berta").id == before.id


def test_a_folder_may_be_ignored_as_a_whole(user: Listener) -> None:
    user.extract()
    user.scanner.ignored |= {"a.mp3", "sub"}
    report = user.extract()
    assert (report.found, report.vanished) == (0, 2)


def test_a_folder_of_which_a_part_is_ignored_may_still_be_unmounted(user: Listener) -> None:
    user.extract()
    user.scanner.ignored.add("sub")
    (user.folder / "a.mp3").unlink()
    with pytest.raises(RootMissingError, match="had 1 track:"):
        user.extract()
    assert user.titles() == ["Anna", "Berta"]


def test_what_is_ignored_is_no_problem_any_more(user: Listener) -> None:
    write_song(user.folder / "sub" / "bad.mp3", audio="bad: silent")
    assert [problem.reason for problem in user.extract().problems] == [ProblemReason.SILENT]
    user.scanner.ignored.add("sub")
    assert user.extract().problems == ()
