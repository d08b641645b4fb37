"""What every store promises of whole tracks that are copied from store to store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from making import SOME_TIME, file_of, make_location, make_schema, make_track, make_vectors, with_halves
from soundalike.domain.errors import SchemaMismatchError, TrackConflictError
from soundalike.domain.features import whole_and_halves
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.ports.library import Store
from soundalike.domain.stored_tracks import StoredTrack, StoredVectors
from soundalike.domain.types import TrackId
from store.asking import HOSTILE_TEXTS, SCHEMA, same_vectors, search, stored


def same_stored(found: Sequence[StoredTrack], expected: Sequence[StoredTrack]) -> bool:
    return [(one.track, *map(_bits, one.vectors)) for one in found] == [
        (one.track, *map(_bits, one.vectors)) for one in expected
    ]


def _bits(vectors: StoredVectors) -> tuple[object, ...]:
    values = vectors.values
    about = (vectors.feature_set, vectors.version, vectors.fingerprint, vectors.patches)
    return (*about, values.dtype, values.shape, values.tobytes())


def ids(store: Store) -> list[str]:
    return [one.track.id for one in store.stored_tracks()]


class CopyingContract:
    def test_a_track_comes_with_all_its_vectors(self, store: Store) -> None:
        sets = [make_schema(3, name="a", version=10), make_schema(5, name="a", version=9), SCHEMA]
        for seed, schema in enumerate(sets):
            store.save_track(make_track(), make_vectors(schema, seed))
        by_name = [make_vectors(sets[1], 1), make_vectors(sets[0], 0), make_vectors(SCHEMA, 2)]
        assert same_stored(list(store.stored_tracks()), [stored(make_track(), *by_name)])
        for vectors in next(store.stored_tracks()).vectors:
            assert not vectors.values.flags.writeable

    def test_tracks_without_vectors_and_vanished_ones_come_too(self, store: Store) -> None:
        gone = make_track("t2", vanished_at=SOME_TIME)
        store.save_track(make_track("t1"))
        store.save_track(gone, make_vectors(SCHEMA))
        assert same_stored(
            list(store.stored_tracks()), [stored(make_track("t1")), stored(gone, make_vectors(SCHEMA))]
        )

    def test_stored_tracks_come_by_id(self, store: Store) -> None:
        names = [f"t{number:04}" for number in range(1001)]
        store.save_stored_tracks([stored(make_track(name)) for name in reversed(names)])
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
        vectors = make_vectors(SCHEMA)
        store.save_stored_tracks([stored(track, vectors), stored(make_track("t2", title="Found"))])
        assert store.track(track.id) == store.track_at(file_of(track).location) == track
        assert same_vectors(store.vectors_of(track.id, SCHEMA), vectors)
        assert store.ids_with_vectors(SCHEMA) == {"t1"}
        assert search(store, "found") == search(store, "") == ["t2"]

    def test_any_text_in_tags_is_copied(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                track = make_track(title=text, artist=text, album=text, genre=text)
                store.save_stored_tracks([stored(track)])
                assert same_stored(list(store.stored_tracks()), [stored(track)])

    def test_vectors_are_copied_bit_for_bit(self, store: Store) -> None:
        odd = np.array([-0.0, np.inf, np.float32(1e-45), np.nan], dtype=np.float32)
        vectors = with_halves(SCHEMA, odd, odd[::-1].copy(), odd * 2)
        store.save_stored_tracks([stored(make_track(), vectors)])
        assert same_stored(list(store.stored_tracks()), [stored(make_track(), vectors)])

    def test_an_unknown_feature_set_is_copied(self, store: Store) -> None:
        part = np.arange(7, dtype=np.float32)
        unknown = StoredVectors(
            feature_set="from the future",
            version=99,
            fingerprint="of features to come",
            patches=whole_and_halves(0, 30_000),
            values=np.stack([part, part * 2, part * 3]),
        )
        copied = StoredTrack(track=make_track(), vectors=(unknown,))
        store.save_stored_tracks([copied])
        assert same_stored(list(store.stored_tracks()), [copied])

    def test_copying_again_replaces_the_track_and_all_its_vectors(self, store: Store) -> None:
        other = make_schema(name="other")
        store.save_track(make_track(title="Old"), make_vectors(SCHEMA, 1))
        store.save_track(make_track(title="Old"), make_vectors(other, 2))
        again = stored(make_track(title="New"), make_vectors(other, 3))
        store.save_stored_tracks([again])
        assert same_stored(list(store.stored_tracks()), [again])
        assert search(store, "old") == []
        assert search(store, "new") == ["t1"]

    def test_copying_leaves_problems_alone(self, store: Store) -> None:
        track = make_track()
        problem = FileProblem(
            location=file_of(track).location, reason=ProblemReason.HEADER_TOO_LONG, is_used=True
        )
        store.save_problem(problem)
        store.save_stored_tracks([stored(track)])
        assert list(store.problems()) == [problem]

    def test_the_location_of_another_track_is_refused(self, store: Store) -> None:
        store.save_track(make_track("t1", path=b"a.mp3"))
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_stored_tracks([stored(make_track("t2", path=b"a.mp3"))])
        with pytest.raises(TrackConflictError, match="t3"):
            store.save_stored_tracks([stored(make_track(name, path=b"b.mp3")) for name in ("t3", "t4")])
        assert store.track(TrackId("t2")) is None
        assert store.track(TrackId("t4")) is None

    def test_other_features_of_the_same_name_are_refused(self, store: Store) -> None:
        store.save_track(make_track("t1"), make_vectors(SCHEMA))
        with pytest.raises(SchemaMismatchError, match="tiny-v1"):
            store.save_stored_tracks([stored(make_track("t2"), make_vectors(make_schema(5)))])
        assert store.track(TrackId("t2")) is None

    def test_tracks_that_change_during_iteration_come_once(self, store: Store) -> None:
        names = [f"t{number:04}" for number in range(700)]
        store.save_stored_tracks([stored(make_track(name)) for name in names])
        seen = []
        for one in store.stored_tracks():
            seen.append(one.track.id)
            store.save_track(replace(one.track, title="Changed"))
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
