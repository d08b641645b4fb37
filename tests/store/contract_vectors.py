"""What every store promises of vectors, problems and threads."""

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from making import SOME_TIME, file_of, make_location, make_schema, make_track, make_vectors, with_halves
from soundalike.domain.errors import SchemaMismatchError, TrackConflictError
from soundalike.domain.files import FileProblem, FileStamp, Part, Place, ProblemReason
from soundalike.domain.ports.library import Store
from soundalike.domain.tracks import Sort, Track
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, TrackId
from store.asking import MUSIC, SCHEMA, same_vectors, save_many


class VectorsContract:
    def test_vectors_come_back_bit_for_bit(self, store: Store) -> None:
        odd = np.array([-0.0, np.inf, np.float32(1e-45), np.nan], dtype=np.float32)
        vectors = with_halves(SCHEMA, odd, odd[::-1].copy(), odd * 2)
        store.save_track(make_track(), vectors)
        found = store.vectors_of(TrackId("t1"), SCHEMA)
        assert same_vectors(found, vectors)
        assert found is not None
        assert not found.values.flags.writeable

    def test_vectors_are_stored_for_each_feature_set(self, store: Store) -> None:
        other = make_schema(6, name="other")
        store.save_track(make_track(), make_vectors(SCHEMA, 1))
        store.save_track(make_track(), make_vectors(other, 2))
        assert same_vectors(store.vectors_of(TrackId("t1"), SCHEMA), make_vectors(SCHEMA, 1))
        assert same_vectors(store.vectors_of(TrackId("t1"), other), make_vectors(other, 2))
        assert store.vectors_of(TrackId("t1"), make_schema(version=2)) is None

    def test_vectors_in_several_sets_are_read_at_once(self, store: Store) -> None:
        other = make_schema(6, name="other")
        store.save_track(make_track(), make_vectors(SCHEMA, 1), make_vectors(other, 2))
        found = store.vectors_in(TrackId("t1"), [other, SCHEMA])
        assert found is not None
        assert same_vectors(found[0], make_vectors(other, 2))
        assert same_vectors(found[1], make_vectors(SCHEMA, 1))
        assert store.vectors_in(TrackId("t1"), [SCHEMA, make_schema(name="third")]) is None
        assert store.vectors_in(TrackId("nobody"), [SCHEMA]) is None
        store.drop_vectors(TrackId("t1"), other.key)
        assert store.vectors_in(TrackId("t1"), [SCHEMA, other]) is None
        with pytest.raises(SchemaMismatchError):
            store.vectors_in(TrackId("t1"), [make_schema(5)])

    def test_new_vectors_replace_those_of_the_same_set(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA, 1))
        store.save_track(make_track(), make_vectors(SCHEMA, 2))
        assert same_vectors(store.vectors_of(TrackId("t1"), SCHEMA), make_vectors(SCHEMA, 2))
        assert len(list(store.track_vectors(SCHEMA))) == 1

    def test_retagging_leaves_vectors_and_new_audio_drops_them(self, store: Store) -> None:
        other = make_schema(name="other")
        store.save_track(make_track(), make_vectors(SCHEMA))
        store.save_track(make_track(title="Retagged"), make_vectors(other))
        assert store.ids_with_vectors(SCHEMA) == store.ids_with_vectors(other) == {"t1"}
        store.save_track(make_track(audio_hash="another"), make_vectors(other, 3))
        assert store.vectors_of(TrackId("t1"), SCHEMA) is None
        assert same_vectors(store.vectors_of(TrackId("t1"), other), make_vectors(other, 3))

    def test_vectors_can_be_dropped(self, store: Store) -> None:
        for track_id in ("t1", "t2"):
            store.save_track(make_track(track_id), make_vectors(SCHEMA))
        store.drop_vectors(TrackId("t1"))
        assert store.ids_with_vectors(SCHEMA) == {"t2"}
        assert store.track(TrackId("t1")) == make_track("t1")

    def test_vectors_are_found_by_audio(self, store: Store) -> None:
        store.save_track(make_track("t1", audio_hash="same"))
        store.save_track(make_track("t2", audio_hash="same", vanished_at=SOME_TIME), make_vectors(SCHEMA, 7))
        store.save_track(make_track("t3"), make_vectors(SCHEMA))
        store.save_track(make_track("t4"))
        assert same_vectors(store.vectors_with_hash(AudioHash("same"), SCHEMA), make_vectors(SCHEMA, 7))
        assert store.vectors_with_hash(AudioHash("hash of t4"), SCHEMA) is None
        assert store.hashes_with_vectors(SCHEMA) == {"same", "hash of t3"}
        assert store.ids_with_vectors(SCHEMA) == {"t2", "t3"}

    def test_every_vector_comes_once_by_id(self, store: Store) -> None:
        ids = [f"t{number:04}" for number in range(1001)]
        tracks = [make_track(name) for name in reversed(ids)]
        save_many(store, tracks, (make_vectors(SCHEMA, number) for number in range(len(ids))))
        store.save_track(make_track("t0500x"))
        found = list(store.track_vectors(SCHEMA))
        assert [item.track_id for item in found] == ids
        assert found[0].audio_hash == "hash of t0000"
        assert same_vectors(found[0].vectors, make_vectors(SCHEMA, 1000))

    def test_vectors_are_never_read_as_other_features(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA))
        impostor = make_schema(5)
        readings: list[Callable[[], object]] = [
            lambda: store.vectors_of(TrackId("t1"), impostor),
            lambda: store.vectors_with_hash(AudioHash("hash of t1"), impostor),
            lambda: store.hashes_with_vectors(impostor),
            lambda: store.ids_with_vectors(impostor),
            lambda: list(store.track_vectors(impostor)),
            lambda: store.save_track(make_track("t2"), make_vectors(impostor)),
        ]
        for read in readings:
            with pytest.raises(SchemaMismatchError, match="tiny-v1"):
                read()
        assert store.track(TrackId("t2")) is None

    def test_a_feature_set_that_nothing_has_is_empty(self, store: Store) -> None:
        assert store.vectors_of(TrackId("t1"), SCHEMA) is None
        assert store.hashes_with_vectors(SCHEMA) == frozenset()
        assert store.ids_with_vectors(SCHEMA) == frozenset()
        assert list(store.track_vectors(SCHEMA)) == []


class ProblemsContract:
    def problems(self, store: Store, path: bytes = b"") -> list[FileProblem]:
        return list(store.problems_under(MUSIC, RelativePath(path)))

    def test_a_problem_comes_back_as_it_was_saved(self, store: Store, subtests: pytest.Subtests) -> None:
        for reason in ProblemReason:
            with subtests.test(reason=reason):
                problem = FileProblem(
                    location=make_location(b"\xff.mp3"),
                    reason=reason,
                    analysed_ms=DurationMs(3500),
                    detail="a\x00\ud800",
                    is_used=True,
                    stamp=FileStamp(5, 2**64),
                )
                store.save_problem(problem)
                assert self.problems(store) == [problem]

    def test_there_is_one_line_for_each_file(self, store: Store) -> None:
        store.save_problem(FileProblem(location=make_location(b"a"), reason=ProblemReason.EMPTY))
        store.save_problem(FileProblem(location=make_location(b"a"), reason=ProblemReason.SILENT))
        assert [problem.reason for problem in self.problems(store)] == [ProblemReason.SILENT]

    def test_problems_under_a_folder_come_by_path(self, store: Store) -> None:
        for path in (b"a/x", b"a", b"", b"ab", b"a/\xff", b"b"):
            store.save_problem(FileProblem(location=make_location(path), reason=ProblemReason.EMPTY))
        store.save_problem(FileProblem(location=make_location(b"a/x", "disk"), reason=ProblemReason.EMPTY))
        assert [p.location.path for p in self.problems(store)] == [b"", b"a", b"a/x", b"a/\xff", b"ab", b"b"]
        assert [p.location.path for p in self.problems(store, b"a")] == [b"a", b"a/x", b"a/\xff"]

    def test_each_part_of_a_file_may_have_a_problem(self, store: Store) -> None:
        first, second = Part(0, 100, 10), Part(100, None, 10)
        track = make_track(path=b"a", part=second)
        problems = [
            FileProblem(location=make_location(path), part=part, reason=ProblemReason.SILENT)
            for path, part in ((b"a", None), (b"a", first), (b"a", second), (b"a/b", first), (b"ab", first))
        ]
        for problem in reversed(problems):
            store.save_problem(problem)
        assert list(store.problems()) == self.problems(store) == problems
        assert self.problems(store, b"a") == problems[:4]
        problems[1] = replace(problems[1], reason=ProblemReason.EMPTY)
        store.save_problem(problems[1])
        store.save_track(track)
        store.remove_problems([problems[3].place])
        assert self.problems(store) == [problems[0], problems[1], problems[4]]

    def test_problems_can_be_removed_while_they_are_gone_through(self, store: Store) -> None:
        for number in range(1100):
            path = b"%04d" % number
            store.save_problem(FileProblem(location=make_location(path), reason=ProblemReason.EMPTY))
        seen = []
        for problem in store.problems_under(MUSIC, RelativePath(b"")):
            seen.append(problem.location)
            store.remove_problems([problem.place, Place(make_location(b"unknown"))])
        assert len(seen) == len(set(seen)) == 1100
        assert self.problems(store) == []

    def test_saving_a_track_clears_the_problem_at_its_location(self, store: Store) -> None:
        track = make_track()
        other = FileProblem(location=make_location(b"other"), reason=ProblemReason.EMPTY)
        store.save_problem(FileProblem(location=file_of(track).location, reason=ProblemReason.EMPTY))
        store.save_problem(other)
        store.save_track(track)
        assert self.problems(store) == [other]

    def test_a_problem_keeps_the_versions_that_found_it(self, store: Store) -> None:
        problem = FileProblem(
            location=make_location(b"a"),
            reason=ProblemReason.SILENT,
            stamp=FileStamp(1, 2),
            read_by="reader 1, libsndfile 1.2.2, av 18.1.0",
        )
        store.save_problem(problem)
        assert self.problems(store) == [problem]

    def test_a_refused_track_clears_nothing(self, store: Store) -> None:
        store.save_track(make_track("t1", path=b"a.mp3"))
        problem = FileProblem(
            location=make_location(b"a.mp3"), reason=ProblemReason.HEADER_TOO_LONG, is_used=True
        )
        store.save_problem(problem)
        with pytest.raises(TrackConflictError):
            store.save_track(make_track("t2", path=b"a.mp3"))
        assert self.problems(store) == [problem]


class ThreadsContract:
    def test_many_threads_may_write_and_read_at_once(self, store: Store) -> None:
        failures: list[BaseException] = []

        def work(thread: int) -> None:
            try:
                for number in range(15):
                    track = make_track(f"t{thread}-{number}", title="Shared")
                    store.save_track(track, make_vectors(SCHEMA))
                    page = store.find_tracks(["shared"], sort=Sort(), limit=100)
                    assert track in page.tracks or page.total > 100
                    assert page.total >= len(page.tracks)
            except BaseException as failure:  # noqa: BLE001 - a thread's failure is the test's
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert store.count_tracks() == len(store.ids_with_vectors(SCHEMA)) == 90

    def test_one_of_two_racing_threads_gets_the_location(self, store: Store) -> None:
        outcomes: list[str] = []
        barrier = threading.Barrier(2)

        def claim(track: Track) -> None:
            barrier.wait()
            try:
                store.save_track(track)
                outcomes.append("saved")
            except TrackConflictError:
                outcomes.append("refused")

        for round_number in range(10):
            racers = [
                threading.Thread(
                    target=claim, args=(make_track(f"{name}{round_number}", path=b"%d" % round_number),)
                )
                for name in "ab"
            ]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
        assert sorted(outcomes) == ["refused"] * 10 + ["saved"] * 10
