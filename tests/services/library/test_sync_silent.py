"""A silent file is a track of its album, without features, and is named."""

from making import file_of
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener
from soundalike.domain.files import ProblemReason


def test_a_silent_file_is_listed_and_named(user: Listener) -> None:
    write_song(user.folder / "gap.mp3", audio="rest", title="Gap")
    report = user.extract()
    assert user.titles() == ["Anna", "Berta", "Gap"]
    assert report.counts() == {ProblemReason.SILENT: 1}
    assert report.added == 3
    assert (report.found, report.analysed_files, report.unusable) == (3, 3, 0)
    track = user.track("Gap")
    assert track.duration_ms == 4_000
    assert user.store.vectors_of(track.id, SCHEMA) is None


def test_it_is_not_read_again_and_keeps_its_id(user: Listener) -> None:
    path = write_song(user.folder / "gap.mp3", audio="rest", title="Gap")
    user.extract()
    track = user.track("Gap")
    report = user.extract()
    assert user.analyser.heard == []
    assert (report.found, report.analysed_files, report.unusable) == (3, 0, 0)
    assert report.counts() == {ProblemReason.SILENT: 1}
    path.rename(user.folder / "moved.mp3")
    report = user.extract()
    assert (report.vanished, report.added) == (0, 0)
    assert user.track("Gap").id == track.id
    assert file_of(user.track("Gap")).location.path == b"moved.mp3"
    (problem,) = report.problems
    assert problem.location.path == b"moved.mp3"


def test_a_track_that_falls_silent_loses_its_features_and_gets_them_back(user: Listener) -> None:
    user.extract()
    track = user.track("Anna")
    write_song(user.folder / "a.mp3", audio="rest", title="Anna")
    user.extract()
    assert user.track("Anna").id == track.id
    assert user.store.vectors_of(track.id, SCHEMA) is None
    write_song(user.folder / "a.mp3", audio="aaa", title="Anna")
    assert user.extract().problems == ()
    assert user.store.vectors_of(track.id, SCHEMA) is not None


def test_a_silent_file_that_comes_back_is_there_again(user: Listener) -> None:
    path = write_song(user.folder / "gap.mp3", audio="rest", title="Gap")
    user.extract()
    path.rename(user.folder.parent / "away")
    assert user.extract().vanished == 1
    (user.folder.parent / "away").rename(path)
    user.extract()
    assert "Gap" in user.titles()


def test_tags_of_a_silent_file_are_read_again(user: Listener) -> None:
    write_song(user.folder / "gap.mp3", audio="rest", title="Gap")
    user.extract()
    user.scanner.tags_stamp = "later"
    user.extract()
    assert "gap.mp3" in user.analyser.heard
    assert file_of(user.track("Gap")).tags_stamp == "later"
    user.extract()
    assert user.analyser.heard == []
