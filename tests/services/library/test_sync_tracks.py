"""Tags that are read again, parts of files, and tracks that were there before their audio."""

from dataclasses import replace

import pytest

from making import file_of, make_track
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener
from soundalike.domain.entries import EntrySort
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import Location, Part, ProblemReason
from soundalike.domain.tags import TAGS_VERSION, ExternalId, ExternalIdKind, Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import TrackId

ISRC = ExternalId(ExternalIdKind.ISRC, "GBAYE7300001")
PARTS = [Part(0, 441_000, 44_100), Part(441_000, 882_000, 44_100), Part(882_000, None, 44_100)]


def outdate(user: Listener) -> None:
    """Make the store one whose tags an older version read: it knew titles alone."""
    problems = list(user.store.problems())
    for track in user.tracks():
        old = replace(track, tags=Tags(title=track.title), tags_version=TAGS_VERSION - 1)
        user.store.save_track(old)
    for problem in problems:
        user.store.save_problem(problem)


def imported(track_id: str, *, title: str = "Imported") -> Track:
    tags = Tags(title=title, artists=("An Importer",), album="Its Album", external_ids=(ISRC,))
    return make_track(track_id, tags=tags, has_file=False)


class TestTagsOfAnOlderVersion:
    def test_they_are_read_again_and_nothing_else(self, user: Listener) -> None:
        user.extract()
        before = {track.id: user.store.vectors_of(track.id, SCHEMA) for track in user.tracks()}
        outdate(user)
        report = user.extract()
        assert (report.analysed, report.unchanged) == (0, 2)
        assert {track.artist for track in user.tracks()} == {"Somebody"}
        assert {track.tags_version for track in user.tracks()} == {TAGS_VERSION}
        assert (user.analyser.computed, user.analyser.extracted) == ([], [])
        assert {one: user.store.vectors_of(one, SCHEMA) for one in before} == before
        user.extract()
        assert user.analyser.heard == []

    def test_a_file_that_changed_meanwhile_is_analysed(self, user: Listener) -> None:
        user.extract()
        outdate(user)
        write_song(user.folder / "a.mp3", audio="remastered", title="Anna")
        assert user.extract().analysed == 1
        assert user.analyser.computed == ["a.mp3"]

    def test_a_track_that_is_back_is_counted_as_such(self, user: Listener) -> None:
        user.extract()
        outdate(user)
        user.store.mark_vanished([user.track("Anna").id], 5)
        report = user.extract()
        assert (report.returned, report.unchanged) == (1, 1)
        assert user.titles() == ["Anna", "Berta"]

    def test_a_file_that_another_process_stores_meanwhile_is_tried_again(
        self, user: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user.extract()
        outdate(user)
        save, refused = user.store.save_track, []

        def save_second_time(
            track: Track, *vectors: FeatureVectors, moved_from: Location | None = None
        ) -> None:
            if track.id not in refused:
                refused.append(track.id)
                msg = "another process was first"
                raise TrackConflictError(msg)
            save(track, *vectors, moved_from=moved_from)

        monkeypatch.setattr(user.store, "save_track", save_second_time)
        user.extract()
        assert len(refused) == 2
        assert {track.tags_version for track in user.tracks()} == {TAGS_VERSION}

    def test_what_was_wrong_with_a_file_is_still_known(self, user: Listener) -> None:
        write_song(user.folder / "c.mp3", audio="cut short", title="Carla")
        user.extract()
        outdate(user)
        assert user.extract().counts() == {ProblemReason.HEADER_TOO_LONG: 1}


class TestParts:
    def test_each_part_of_a_file_is_a_track_with_features_of_its_own(self, user: Listener) -> None:
        write_song(user.folder / "image.flac", audio="iii", title="Image")
        user.scanner.parts["image.flac"] = list(PARTS)
        assert user.extract().added == 5
        tracks = [track for track in user.tracks() if track.title == "Image"]
        assert sorted(str(file_of(track).part) for track in tracks) == sorted(map(str, PARTS))
        vectors = [user.store.vectors_of(track.id, SCHEMA) for track in tracks]
        assert len({one.values.tobytes() for one in vectors if one is not None}) == 3
        again = user.extract()
        assert (again.unchanged, again.analysed) == (5, 0)

    def test_a_file_that_moves_takes_its_parts_along(self, user: Listener) -> None:
        write_song(user.folder / "image.flac", audio="iii", title="Image")
        user.scanner.parts["image.flac"] = list(PARTS)
        user.extract()
        before = {file_of(track).part: track.id for track in user.tracks()}
        (user.folder / "later").mkdir()
        (user.folder / "image.flac").rename(user.folder / "later" / "image.flac")
        report = user.extract()
        assert (report.moved, report.vanished) == (3, 0)
        assert {file_of(track).part: track.id for track in user.tracks()} == before

    def test_parts_after_one_that_cannot_be_used_are_tracks(self, user: Listener) -> None:
        write_song(user.folder / "image.flac", audio="bad part 0", title="Image")
        user.scanner.parts["image.flac"] = list(PARTS)
        user.analyser.stops_after = 1  # killed after the first part
        with pytest.raises(KeyboardInterrupt):
            user.extract(user.folder)
        user.analyser.stops_after = None
        report = user.extract()
        assert [problem.part for problem in report.problems] == PARTS[:1]
        found = [file_of(track).part for track in user.tracks() if track.title == "Image"]
        assert sorted(map(str, found)) == sorted(map(str, PARTS[1:]))
        assert (report.found, user.extract().analysed) == (3, 0)

    def test_a_file_that_becomes_parts_and_whole_again_keeps_all_ids(self, user: Listener) -> None:
        user.extract()
        whole = user.track("Anna").id
        parts = []
        for _ in range(2):
            user.scanner.parts["a.mp3"] = [Part(0, 1, 1), Part(1, None, 1)]
            user.extract()
            assert user.store.tracks([whole])[whole].is_vanished
            parts.append({track.id for track in user.tracks() if track.title == "Anna"})
            user.scanner.parts.clear()
            user.extract()
            assert user.track("Anna").id == whole
        assert parts[0] == parts[1]
        assert len(parts[0]) == 2

    def test_a_part_that_is_gone_has_vanished(self, user: Listener) -> None:
        write_song(user.folder / "image.flac", audio="iii", title="Image")
        user.scanner.parts["image.flac"] = list(PARTS)
        user.extract()
        user.scanner.parts["image.flac"].pop()
        assert user.extract().vanished == 1
        assert len(user.tracks()) == 4


class TestTracksWithoutFiles:
    def test_a_track_takes_up_the_first_file_that_bears_its_id(self, user: Listener) -> None:
        user.store.save_track(imported("known"))
        write_song(user.folder / "c.mp3", audio="ccc", title=f"Carla #{ISRC.value}")
        write_song(user.folder / "d.mp3", audio="ddd", title=f"Dora #{ISRC.value}")
        user.extract()
        taken = user.store.track(TrackId("known"))
        assert taken is not None
        assert taken.is_playable
        assert (taken.title, taken.artist) in {("Carla", "Somebody"), ("Dora", "Somebody")}
        assert taken.album == "Its Album"
        assert taken.added_at == imported("known").added_at
        assert sorted(user.titles()) == ["Anna", "Berta", "Carla", "Dora"]
        assert len({track.id for track in user.tracks()}) == 4

    def test_a_track_that_has_a_file_never_takes_another(self, user: Listener) -> None:
        write_song(user.folder / "c.mp3", audio="ccc", title=f"Carla #{ISRC.value}")
        user.extract()
        before = user.track("Carla")
        write_song(user.folder / "d.mp3", audio="ddd", title=f"Dora #{ISRC.value}")
        user.extract()
        assert user.track("Carla") == before
        assert user.track("Dora").id != before.id

    def test_what_an_import_said_shows_where_the_file_says_nothing(self, user: Listener) -> None:
        user.store.save_track(imported("known"))
        write_song(user.folder / "c.mp3", audio="ccc", title=f" #{ISRC.value}")
        user.extract()
        assert user.track("Imported").artist == "Somebody"
        write_song(user.folder / "c.mp3", audio="ccc", title=f"Carla #{ISRC.value}")
        user.extract()
        assert (user.track("Carla").id, user.track("Carla").album) == ("known", "Its Album")

    def test_no_scan_makes_one_vanish(self, user: Listener) -> None:
        user.store.save_track(imported("known"))
        assert user.extract().vanished == 0
        (user.folder / "a.mp3").unlink()
        assert user.extract().vanished == 1
        assert user.titles() == ["Berta", "Imported"]


def test_the_catalogue_is_settled_after_a_sync(user: Listener) -> None:
    user.store.save_track(imported("known"))
    user.extract()
    (user.folder / "a.mp3").unlink()
    user.extract()
    assert user.store.unsettled(10) == {}
    artists = user.store.find_artists(sort=EntrySort(), limit=10).entries
    assert {artist.name: artist.track_count for artist in artists} == {"An Importer": 1, "Somebody": 1}
