"""What every store promises of whole tracks that are copied from store to store."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from making import SOME_TIME, file_of, make_location, make_schema, make_track, make_vectors
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.ports.library import Store
from soundalike.domain.types import TrackId
from store.asking import HOSTILE_TEXTS, SCHEMA, search


def ids(store: Store) -> list[str]:
    return [track.id for track in store.stored_tracks()]


class CopyingContract:
    def test_vanished_tracks_come_too(self, store: Store) -> None:
        tracks = [make_track("t1"), make_track("t2", vanished_at=SOME_TIME)]
        for track in tracks:
            store.save_track(track, make_vectors(SCHEMA))
        assert list(store.stored_tracks()) == tracks

    def test_stored_tracks_come_by_id(self, store: Store) -> None:
        names = [f"t{number:04}" for number in range(1001)]
        store.save_stored_tracks([make_track(name) for name in reversed(names)])
        assert ids(store) == names

    def test_an_empty_store_has_no_tracks(self, store: Store) -> None:
        store.save_stored_tracks([])
        assert ids(store) == []

    def test_a_copied_track_is_as_one_that_was_saved(self, store: Store) -> None:
        track = make_track(
            title="Größe\n",
            artist=None,
            album="",
            genre="Żywiec",
            year=9999,
            path=b"a/\xff\x00/b.mp3",
            target=Path("/else/where\udcff.mp3"),
            mtime_ns=2**70,
            vanished_at=SOME_TIME + timedelta(milliseconds=1),
        )
        store.save_stored_tracks([track, make_track("t2", title="Found")])
        assert store.track(track.id) == store.track_at(file_of(track).location) == track
        assert search(store, "found") == search(store, "") == ["t2"]

    def test_any_text_in_tags_is_copied(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                track = make_track(title=text, artist=text, album=text, genre=text)
                store.save_stored_tracks([track])
                assert list(store.stored_tracks()) == [track]

    def test_copying_again_replaces_the_track_and_leaves_its_vectors(self, store: Store) -> None:
        store.save_track(make_track(title="Old"), make_vectors(SCHEMA))
        store.save_stored_tracks([make_track(title="New")])
        assert list(store.stored_tracks()) == [make_track(title="New")]
        assert search(store, "old") == []
        assert search(store, "new") == ["t1"]
        assert store.ids_with_vectors(SCHEMA) == {"t1"}

    def test_copying_other_audio_removes_the_vectors(self, store: Store) -> None:
        for name in ("t1", "t10"):
            store.save_track(make_track(name), make_vectors(SCHEMA), make_vectors(make_schema(name="other")))
        store.save_stored_tracks([make_track("t1", audio_hash="another")])
        assert [one.track_id for one in store.stored_vectors()] == ["t10", "t10"]

    def test_copying_leaves_problems_alone(self, store: Store) -> None:
        track = make_track()
        problem = FileProblem(
            location=file_of(track).location, reason=ProblemReason.HEADER_TOO_LONG, is_used=True
        )
        store.save_problem(problem)
        store.save_stored_tracks([track])
        assert list(store.problems()) == [problem]

    def test_the_location_of_another_track_is_refused(self, store: Store) -> None:
        store.save_track(make_track("t1", path=b"a.mp3"))
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_stored_tracks([make_track("t2", path=b"a.mp3")])
        with pytest.raises(TrackConflictError, match="t3"):
            store.save_stored_tracks([make_track(name, path=b"b.mp3") for name in ("t3", "t4")])
        assert store.track(TrackId("t2")) is None
        assert store.track(TrackId("t4")) is None

    def test_tracks_that_change_during_iteration_come_once(self, store: Store) -> None:
        names = [f"t{number:04}" for number in range(700)]
        store.save_stored_tracks([make_track(name) for name in names])
        seen = []
        for track in store.stored_tracks():
            seen.append(track.id)
            store.save_track(replace(track, title="Changed"))
        assert seen == names

    def test_problems_come_by_location(self, store: Store) -> None:
        places = [("disk", b"z"), ("music", b""), ("music", b"a"), ("music", b"a/x"), ("music", b"a/\xff"),
                  ("music", b"ab"), ("zoo", b"a"), ("\udcff", b"a"), ("\U0001f3b5", b"a")]  # fmt: skip
        problems = [
            FileProblem(location=make_location(path, root), reason=ProblemReason.EMPTY)
            for root, path in places
        ]
        for problem in reversed(problems):
            store.save_problem(problem)
        assert list(store.problems()) == problems

    def test_many_problems_come_once(self, store: Store) -> None:
        problems = [
            FileProblem(location=make_location(b"%04d" % (number // 2), root), reason=ProblemReason.SILENT)
            for number, root in enumerate(["a", "b"] * 600)
        ]
        for problem in problems:
            store.save_problem(problem)
        assert list(store.problems()) == sorted(problems, key=lambda problem: problem.location)
