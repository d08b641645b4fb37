"""The library follows its folders by itself."""

import shutil

import pytest

from services.library.listener import Listener
from services.library.scanning import Machine, write_album
from soundalike.domain.entries import EntrySort
from soundalike.domain.errors import FileUnavailableError
from soundalike.domain.scans import ScanResult, ScanState
from soundalike.services.library.midway import FIRST_ARTEFACT_AT
from soundalike.services.library.scan_worker import RETRY_S


@pytest.fixture
def machine(user: Listener) -> Machine:
    """A machine whose worker has scanned the folder once."""
    machine = Machine(user).adopt()
    machine.look()
    user.analyser.heard.clear()
    return machine


def test_everything_is_scanned_and_learned_once_at_the_start(user: Listener) -> None:
    machine = Machine(user).adopt()
    assert machine.look()
    assert user.titles() == ["Anna", "Berta"]
    assert machine.learner.learned == [2]
    assert machine.look() is None


def test_a_new_album_comes_in_without_looking_at_the_others(machine: Machine) -> None:
    machine.watcher.tell(write_album(machine.user.folder / "New", "Nina", "Nora"))
    outcome = machine.look()
    assert outcome
    assert [report.found for report in outcome.reports] == [2]
    assert machine.user.titles() == ["Anna", "Berta", "Nina", "Nora"]
    assert machine.learner.learned == [2, 4]


def test_a_deleted_album_vanishes_with_its_folder(machine: Machine) -> None:
    album = write_album(machine.user.folder / "by" / "New", "Nina", "Nora")
    machine.watcher.tell(album)
    machine.look()
    shutil.rmtree(album.parent)
    machine.watcher.tell(album)
    assert machine.look()
    assert machine.user.titles() == ["Anna", "Berta"]


def test_an_album_whose_last_file_is_deleted_vanishes(machine: Machine) -> None:
    album = write_album(machine.user.folder / "New", "Nina")
    machine.watcher.tell(album)
    machine.look()
    (album / "Nina.mp3").unlink()
    machine.watcher.tell(album)
    machine.look()
    assert machine.user.titles() == ["Anna", "Berta"]


def test_a_moved_album_keeps_its_tracks(machine: Machine) -> None:
    before = machine.user.track("Berta").id
    (machine.user.folder / "sub").rename(machine.user.folder / "other")
    machine.watcher.tell(machine.user.folder)  # the innermost folder that has both
    machine.look()
    assert machine.user.track("Berta").id == before
    assert machine.user.titles() == ["Anna", "Berta"]


def test_a_disk_that_is_away_empties_nothing(machine: Machine) -> None:
    for path in machine.user.folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    machine.watcher.tell(machine.user.folder / "sub")
    outcome = machine.look()
    assert outcome
    assert "is its disk mounted?" in outcome.problems[0]
    assert machine.user.titles() == ["Anna", "Berta"]
    machine.user.folder.rmdir()
    machine.control.want()
    outcome = machine.look()
    assert outcome
    assert "is not here" in outcome.problems[0]
    assert machine.user.titles() == ["Anna", "Berta"]
    last = machine.control.current().last
    assert last is not None
    assert "is not here" in last.problem


def test_what_changes_during_a_scan_is_scanned_after_it(machine: Machine) -> None:
    first = write_album(machine.user.folder / "First", "Fay")
    second = machine.user.folder / "Second"

    def write_another(done: int) -> None:
        if done and not second.exists():
            machine.watcher.tell(write_album(second, "Sue"))

    machine.after_each_file = write_another
    machine.watcher.tell(first)
    machine.look()
    assert machine.user.titles() == ["Anna", "Berta", "Fay"]
    machine.look()
    assert machine.user.titles() == ["Anna", "Berta", "Fay", "Sue"]


def test_a_scan_that_is_wanted_looks_at_everything(machine: Machine) -> None:
    write_album(machine.user.folder / "New", "Nina")
    assert machine.look() is None
    machine.control.want()
    assert machine.look()
    assert "Nina" in machine.user.titles()
    assert machine.look() is None


def test_of_two_workers_one_does_what_is_wanted(machine: Machine) -> None:
    other = Machine(machine.user, "another worker")
    other.look()
    machine.control.want()
    assert [bool(one.look()) for one in (other, machine, other)] == [True, False, False]


def test_while_another_process_scans_what_changed_is_kept(machine: Machine) -> None:
    other = Machine(machine.user, "another worker")
    assert other.lease.take(is_whole=True)
    machine.watcher.tell(write_album(machine.user.folder / "New", "Nina"))
    assert machine.look() is None
    other.lease.give_back(ScanResult(finished_ms=7_000))
    assert machine.look()
    assert "Nina" in machine.user.titles()


def test_while_scans_are_paused_what_changed_is_kept(machine: Machine) -> None:
    machine.control.pause(is_paused=True)
    machine.watcher.tell(write_album(machine.user.folder / "New", "Nina"))
    assert [machine.look(), machine.look()] == [None, None]
    assert machine.said == ["Scans are paused; 'soundalike scan --resume', or the player, lets them go on."]
    machine.control.pause(is_paused=False)
    machine.look()
    assert "Nina" in machine.user.titles()


def test_a_folder_that_tells_nothing_is_scanned_now_and_then_and_said_once(machine: Machine) -> None:
    place = machine.user.folder.resolve()
    machine.watcher.untold = {place: "a mount of type nfs4 tells nothing of what others change"}
    machine.look()  # at once, since what happened before that was known was not told either
    (said,) = machine.said
    assert said.startswith(f"{str(place)!r} is scanned every 10 minutes, since a mount of type nfs4")
    write_album(place / "New", "Nina")
    machine.clock.now_s += 599
    assert machine.look() is None
    machine.clock.now_s += 1
    assert machine.look()
    assert "Nina" in machine.user.titles()
    assert len(machine.said) == 1


def test_after_a_failure_it_is_tried_again_later(machine: Machine) -> None:
    machine.watcher.tell(write_album(machine.user.folder / "New", "Nina"))
    machine.user.analyser.stops_after = 0
    machine.user.analyser.stops_with = FileUnavailableError
    with pytest.raises(FileUnavailableError):
        machine.look()
    assert machine.control.current().state is ScanState.IDLE
    machine.user.analyser.stops_after = None
    assert machine.look()
    assert "Nina" in machine.user.titles()


def test_a_worker_says_a_failure_once_and_waits(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def wait(_seconds: float) -> bool:
        looks.append(machine.clock.now_s)
        machine.clock.now_s += RETRY_S / 2
        if len(looks) == 6:
            machine.worker.stop()
        return False

    monkeypatch.setattr(machine.worker._stopping, "wait", wait)  # noqa: SLF001 - instead of real seconds
    machine.learner.fails = [FileUnavailableError("the disk does not answer")] * 2
    machine.control.want()
    machine.worker.run()
    assert machine.said == ["the disk does not answer; it is tried again"]
    assert machine.learner.learned == [2, 2]


def test_everyone_is_told_how_far_it_is_and_what_came_of_it(machine: Machine) -> None:
    told: list[tuple[str, int, int, int | None]] = []

    def look_from_elsewhere(_done: int) -> None:
        machine.clock.now_s += 10
        machine.lease.beat()
        seen = machine.control.current()
        progress = seen.progress
        told.append((seen.state.value, progress.done, progress.total, progress.seconds_left))

    machine.after_each_file = look_from_elsewhere
    write_album(machine.user.folder / "New", "Nina", "Nora")
    machine.control.want()
    machine.look()
    assert told == [
        ("scanning", 0, 0, None),
        ("analysing", 0, 2, None),
        ("analysing", 1, 2, 0),  # the clock stands while a file is analysed
        ("analysing", 2, 2, 0),
        ("learning", 0, 0, None),
        ("learning", 1, 2, None),
    ]
    seen = machine.control.current()
    assert seen.state is ScanState.IDLE
    assert seen.last is not None
    assert (seen.last.found, seen.last.added, seen.last.vanished) == (4, 2, 0)
    assert seen.last.finished_ms == 6_000


def test_a_scan_that_ends_early_gives_the_lease_back(machine: Machine) -> None:
    machine.after_each_file = lambda done: machine.worker.stop() if done else None
    machine.watcher.tell(write_album(machine.user.folder / "New", "Nina", "Nora", "Nell"))
    machine.worker.run()
    assert machine.control.current().state is ScanState.IDLE
    assert len(machine.user.titles()) < 5


def test_the_first_space_comes_midway_and_others_as_the_library_doubles(user: Listener) -> None:
    write_album(user.folder, *(f"{number:04}" for number in range(2 * FIRST_ARTEFACT_AT + 40)))
    machine = Machine(user).adopt()
    machine.look()
    first, second, last = machine.learner.learned
    assert FIRST_ARTEFACT_AT <= first <= FIRST_ARTEFACT_AT + 2
    assert 2 * FIRST_ARTEFACT_AT <= second <= 2 * FIRST_ARTEFACT_AT + 2
    assert last == 2 * FIRST_ARTEFACT_AT + 42


def test_albums_show_and_new_tracks_are_placed_while_others_are_still_analysed(machine: Machine) -> None:
    user = machine.user
    seen: set[int] = set()

    def pass_time(done: int) -> None:
        machine.clock.now_s += 5
        if done:
            (artist,) = user.store.find_artists(sort=EntrySort(), limit=2).entries
            seen.add(artist.track_count)

    write_album(user.folder, *(f"{number:04}" for number in range(40)))
    machine.after_each_file = pass_time
    machine.control.want()
    machine.look()
    assert len(seen) > 10
    assert machine.learner.placed
    assert machine.learner.placed[0] < 42


def test_a_folder_above_another_root_is_scanned_once(user: Listener) -> None:
    user.library_sync.adopt((user.folder / "sub").resolve())
    user.library_sync.adopt(user.folder.resolve())
    machine = Machine(user)
    outcome = machine.look()
    assert outcome
    assert [report.directory for report in outcome.reports] == [user.folder.resolve()]
    assert machine.watcher.places == (user.folder.resolve(),)
