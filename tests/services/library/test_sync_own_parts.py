"""Files that are parts by a sheet inside them, which shows only when they are read."""

import pytest

from making import file_of
from services.library.folder import write_song
from services.library.listener import Listener
from soundalike.domain.files import Part, ProblemReason

PARTS = [Part(0, 75, 75), Part(75, 300, 75), Part(300, None, 75)]


@pytest.fixture
def image(user: Listener) -> Listener:
    """A user who has an image of three tracks too."""
    write_song(user.folder / "image.flac", audio="iii", title="Image")
    user.analyser.own_parts["image.flac"] = PARTS
    return user


def parts(user: Listener) -> dict[Part | None, str]:
    found = [track for track in user.tracks() if file_of(track).location.path == b"image.flac"]
    places = {file_of(track).part: track.id for track in found}
    return dict(sorted(places.items(), key=lambda place: place[0].start if place[0] else 0))


def test_each_part_is_a_track_and_read_once(image: Listener) -> None:
    report = image.extract()
    assert (report.found, report.analysed, report.added, report.vanished) == (3, 5, 5, 0)
    assert list(parts(image)) == PARTS
    assert report.analysed_files == 3
    report = image.extract()
    assert (report.found, report.unchanged, report.vanished, image.analyser.heard) == (3, 5, 0, [])


def test_a_whole_that_becomes_parts_vanishes_and_comes_back_with_its_id(image: Listener) -> None:
    image.analyser.own_parts.clear()
    image.extract()
    ((_, whole),) = parts(image).items()
    for title in ("Retagged", "Again"):
        image.analyser.own_parts["image.flac"] = PARTS
        write_song(image.folder / "image.flac", audio="iii", title=title)
        report = image.extract()
        assert report.vanished == 1
        assert list(parts(image)) == PARTS
        image.analyser.own_parts.clear()
        write_song(image.folder / "image.flac", audio="iii", title=f"{title} whole")
        assert image.extract().vanished == 3
        assert parts(image) == {None: whole}


def test_retagging_leaves_the_parts_their_ids_and_their_features(image: Listener) -> None:
    image.extract()
    before = parts(image)
    write_song(image.folder / "image.flac", audio="iii", title="Other")
    report = image.extract()
    assert (report.added, report.vanished, image.analyser.computed) == (0, 0, [])
    assert parts(image) == before


def test_a_sheet_beside_the_file_counts_more(image: Listener) -> None:
    image.extract()
    image.scanner.parts["image.flac"] = PARTS[:1]
    assert image.extract().vanished == 2
    assert list(parts(image)) == PARTS[:1]


def test_parts_that_cannot_be_used_are_known_as_long_as_the_file_is_the_same(image: Listener) -> None:
    write_song(image.folder / "image.flac", audio="bad part", title="Image")
    for _ in range(2):
        report = image.extract()
        assert [(one.part, one.reason) for one in report.problems] == [(PARTS[0], ProblemReason.TOO_SHORT)]
        assert list(parts(image)) == PARTS[1:]
    assert (report.found, report.unusable, report.analysed_files) == (3, 1, 0)
    assert image.analyser.heard == []


def test_reading_anew_reads_the_sheet_anew(image: Listener) -> None:
    image.extract()
    image.analyser.own_parts["image.flac"] = PARTS[:2]
    report = image.extract(again=image.folder / "image.flac")
    assert (report.analysed, report.vanished) == (2, 1)


def test_a_part_that_begins_elsewhere_is_still_the_same_track(image: Listener) -> None:
    image.extract()
    first, second, third = parts(image).values()
    image.analyser.own_parts["image.flac"] = [Part(0, 90, 75), Part(90, 290, 75), Part(290, None, 75)]
    write_song(image.folder / "image.flac", audio="iii", title="Image, with another sheet")
    report = image.extract()
    assert (report.added, report.vanished, report.moved) == (0, 0, 3)
    assert list(parts(image).values()) == [first, second, third]
    assert list(parts(image)) == image.analyser.own_parts["image.flac"]


def test_of_a_part_that_is_cut_in_two_the_longer_stays_and_the_other_is_new(image: Listener) -> None:
    image.extract()
    first, second, third = parts(image).values()
    image.analyser.own_parts["image.flac"] = [PARTS[0], Part(75, 150, 75), Part(150, 300, 75), PARTS[2]]
    write_song(image.folder / "image.flac", audio="iii", title="Image, with another sheet")
    assert image.extract().added == 1
    assert [one for one in parts(image).values() if one in {first, second, third}] == [first, second, third]
    assert parts(image)[Part(150, 300, 75)] == second
