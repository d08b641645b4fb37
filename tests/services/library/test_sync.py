import itertools
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fakes import MemoryStore
from making import make_location
from services.library.folder import SCHEMA, FolderScanner, HonestAnalyser, write_song
from soundalike.domain.errors import RootMissingError
from soundalike.domain.files import ProblemReason, Root
from soundalike.domain.tracks import Sort, Track
from soundalike.domain.types import RootName, TrackId
from soundalike.services.library.identity import Identity
from soundalike.services.library.roots import RootMap
from soundalike.services.library.sync import LibrarySync, SyncReport


class Listener:
    """A user at one machine: a folder of music, a store, and the extract command."""

    def __init__(self, folder: Path, overrides: dict[RootName, Path] | None = None) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.analyser = HonestAnalyser()
        self.roots = RootMap(self.store, overrides or {})
        numbers = itertools.count(1)
        times = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in itertools.count())
        identity = Identity(
            self.store,
            self.roots,
            is_gone=lambda path: not os.path.lexists(path),
            new_id=lambda: TrackId(f"id{next(numbers)}"),
        )
        self.library_sync = LibrarySync(
            self.store,
            FolderScanner(),
            self.analyser,
            roots=self.roots,
            identity=identity,
            clock=lambda: next(times),
        )

    def extract(self, folder: Path | None = None, *, emptied: bool = False) -> SyncReport:
        self.analyser.heard.clear()
        self.analyser.computed.clear()
        return self.library_sync.sync(
            (folder or self.folder).resolve(), progress=lambda *_: None, is_emptying_allowed=emptied
        )

    def titles(self) -> list[str]:
        return [track.title for track in self.tracks()]

    def tracks(self) -> tuple[Track, ...]:
        return self.store.find_tracks((), sort=Sort(), limit=100).tracks

    def track(self, title: str) -> Track:
        return next(track for track in self.tracks() if track.title == title)


@pytest.fixture
def user(tmp_path: Path) -> Listener:
    folder = tmp_path / "Music"
    write_song(folder / "a.mp3", audio="aaa", title="Anna")
    write_song(folder / "sub" / "b.mp3", audio="bbb", title="Berta")
    return Listener(folder)


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
    assert (after.whole != vectors.whole).any()


def test_a_moved_file_keeps_its_track(user: Listener) -> None:
    user.extract()
    before = user.track("Anna")
    (user.folder / "new").mkdir()
    (user.folder / "a.mp3").rename(user.folder / "new" / "z.mp3")
    report = user.extract()
    after = user.track("Anna")
    assert (after.id, after.added_at, after.location.path) == (before.id, before.added_at, b"new/z.mp3")
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


def test_a_vanished_file_is_marked_and_comes_back_with_its_history(user: Listener, tmp_path: Path) -> None:
    user.extract()
    before = user.track("Anna")
    (user.folder / "a.mp3").rename(tmp_path / "away")
    assert user.extract().vanished == 1
    assert user.titles() == ["Berta"]
    assert user.extract().vanished == 0
    (tmp_path / "away").rename(user.folder / "a.mp3")
    assert user.extract().returned == 1
    assert user.track("Anna") == before
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
    assert {track.location.root for track in user.tracks()} == {"Music"}
    assert user.track("Carla").location.path == b"sub/c.mp3"


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


@pytest.mark.parametrize(
    "reason", [ProblemReason.UNSUPPORTED_CODEC, ProblemReason.UNREADABLE, ProblemReason.CRASHED]
)
def test_what_may_work_next_time_is_tried_next_time(user: Listener, reason: ProblemReason) -> None:
    write_song(user.folder / "hard.mp3", audio=f"bad: {reason}")
    user.extract()
    user.extract()
    assert user.analyser.heard == ["hard.mp3"]


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


def test_an_interrupted_run_keeps_what_is_done_and_goes_on(user: Listener) -> None:
    user.analyser.stops_after = 1
    with pytest.raises(KeyboardInterrupt):
        user.extract()
    done = user.titles()
    assert len(done) == 1
    user.analyser.stops_after = None
    user.extract()
    assert len(user.analyser.heard) == 1
    assert user.titles() == ["Anna", "Berta"]


def test_an_interrupted_run_marks_nothing_as_vanished(user: Listener) -> None:
    user.extract()
    (user.folder / "a.mp3").unlink()
    write_song(user.folder / "c.mp3", audio="ccc", title="Carla")
    user.analyser.stops_after = 0
    with pytest.raises(KeyboardInterrupt):
        user.extract()
    assert user.titles() == ["Anna", "Berta"]


def test_the_target_of_a_link_is_stored_with_the_path(user: Listener, tmp_path: Path) -> None:
    outside = write_song(tmp_path / "outside" / "o.mp3", audio="ooo", title="Olga")
    (user.folder / "link.mp3").symlink_to(outside)
    user.extract()
    assert user.track("Olga").target == outside.resolve()
    assert user.track("Anna").target is None


def test_a_root_may_be_elsewhere_on_this_machine(user: Listener, tmp_path: Path) -> None:
    user.extract()
    before = {track.title: track.id for track in user.tracks()}
    elsewhere = tmp_path / "mnt"
    user.folder.rename(elsewhere)
    other = Listener(elsewhere, {RootName("Music"): elsewhere})
    other.store.save_root(Root(RootName("Music"), user.folder))
    for track in user.tracks():
        vectors = user.store.vectors_of(track.id, SCHEMA)
        other.store.save_track(track, vectors)
    assert other.extract().unchanged == 2
    assert {track.title: track.id for track in other.tracks()} == before


def _moved(track: Track, path: bytes) -> Track:
    return replace(track, location=make_location(path, track.location.root))
