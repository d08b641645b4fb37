"""What every store promises of feature sets: any number, of any shape, known to this program or not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from making import SOME_TIME, make_schema, make_track, make_vectors, with_halves
from soundalike.domain.errors import SchemaMismatchError, StoreError
from soundalike.domain.features import FeatureVectors, Patch, PatchRole
from soundalike.domain.ports.library import Store
from soundalike.domain.stored_vectors import StoredSet, StoredVectors
from soundalike.domain.types import AudioHash, TrackId
from store.asking import HOSTILE_TEXTS, SCHEMA, same_vectors, save_many

OTHER = make_schema(6, name="other")
MANY = replace(make_schema(64, name="many"), dtype="float16")

# A store is made once for all examples, which replace what is stored; each store's class runs its own.
ONE_STORE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    max_examples=30,
)

PATCHES = st.builds(
    Patch,
    st.sampled_from([PatchRole.HALF, PatchRole.PART]),
    st.integers(0, 2**53),
    st.integers(0, 2**53),
)


@st.composite
def any_vectors(draw: st.DrawFn) -> FeatureVectors:
    width, dtype = draw(st.integers(1, 70)), draw(st.sampled_from(["float16", "float32"]))
    patches = [*draw(st.lists(PATCHES, max_size=45)), Patch(PatchRole.WHOLE, 0, draw(st.integers(0, 10**9)))]
    first = 0 if draw(st.booleans()) else 1
    chosen = tuple(patches[-2::-1]) if first and len(patches) > 1 else tuple(patches)
    elements = st.floats(width=16 if dtype == "float16" else 32)
    values = draw(npst.arrays(dtype, (len(chosen), width), elements=elements, fill=st.nothing() | elements))
    schema = replace(make_schema(width, name=f"{dtype} by {width}"), dtype=dtype)
    return FeatureVectors(schema, chosen, values)


def many_parts(seed: int = 0) -> FeatureVectors:
    """Return 40 parts of 64 numbers, as learned features have."""
    patches = tuple(Patch(PatchRole.PART, 750 * number, 750) for number in range(40))
    values = np.random.default_rng(seed).normal(size=(40, len(MANY))).astype(np.float16)
    return FeatureVectors(MANY, patches, values)


def stored_of(store: Store) -> list[tuple[Any, ...]]:
    return [
        (one.track_id, one.key, one.fingerprint, one.patches, one.values.dtype.name, one.values.tobytes())
        for one in store.stored_vectors()
    ]


def unknown_set(track_id: str = "t1") -> StoredVectors:
    return StoredVectors(
        track_id=TrackId(track_id),
        feature_set="from the future",
        version=99,
        fingerprint="of features to come",
        patches=(Patch(PatchRole.PART, 1, 2),),
        values=np.arange(7, dtype=np.float16)[np.newaxis],
    )


class FeaturesContract:
    @ONE_STORE
    @given(vectors=any_vectors())
    def test_vectors_of_any_shape_come_back_bit_for_bit(self, store: Store, vectors: FeatureVectors) -> None:
        store.save_track(make_track(), vectors)
        assert same_vectors(store.vectors_of(TrackId("t1"), vectors.schema), vectors)
        assert same_vectors(store.vectors_with_hash(AudioHash("hash of t1"), vectors.schema), vectors)
        (of_track,) = store.track_vectors(vectors.schema)
        assert same_vectors(of_track.vectors, vectors)
        assert not of_track.vectors.values.flags.writeable

    def test_a_track_has_any_number_of_sets(self, store: Store) -> None:
        vectors = [make_vectors(make_schema(name=f"set {number}"), number) for number in range(20)]
        store.save_track(make_track(), *vectors, many_parts())
        for one in (*vectors, many_parts()):
            assert same_vectors(store.vectors_of(TrackId("t1"), one.schema), one)
        assert len(store.feature_sets()) == 21

    def test_sets_are_saved_with_the_track_or_not_at_all(self, store: Store) -> None:
        store.save_track(make_track("t1"), make_vectors(OTHER))
        with pytest.raises(SchemaMismatchError, match="other-v1"):
            store.save_track(
                make_track("t2"), make_vectors(SCHEMA), make_vectors(make_schema(5, name="other"))
            )
        assert store.track(TrackId("t2")) is None
        assert store.ids_with_vectors(SCHEMA) == frozenset()

    def test_a_set_can_be_added_and_replaced_alone(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA, 1), many_parts(1))
        store.save_track(make_track(), many_parts(2))
        store.save_track(make_track(), make_vectors(OTHER, 3))
        assert same_vectors(store.vectors_of(TrackId("t1"), SCHEMA), make_vectors(SCHEMA, 1))
        assert same_vectors(store.vectors_of(TrackId("t1"), MANY), many_parts(2))
        assert same_vectors(store.vectors_of(TrackId("t1"), OTHER), make_vectors(OTHER, 3))

    def test_new_audio_removes_all_sets_of_that_track_alone(self, store: Store) -> None:
        for name in ("t", "t1", "t10"):
            store.save_track(make_track(name), make_vectors(SCHEMA), many_parts())
        store.save_track(make_track("t1", audio_hash="another"))
        assert [one.track_id for one in store.stored_vectors()] == ["t", "t", "t10", "t10"]

    def test_a_track_without_a_file_has_vectors_and_keeps_them(self, store: Store) -> None:
        without = replace(make_track(), file=None)
        for save in (store.save_track, lambda track: store.save_stored_tracks([track])):
            store.save_track(without, make_vectors(SCHEMA))
            assert store.hashes_with_vectors(SCHEMA) == frozenset()
            assert [one.audio_hash for one in store.track_vectors(SCHEMA)] == [None]
            save(make_track())
            assert store.hashes_with_vectors(SCHEMA) == {"hash of t1"}
            assert [one.audio_hash for one in store.track_vectors(SCHEMA)] == ["hash of t1"]
            found = store.vectors_with_hash(AudioHash("hash of t1"), SCHEMA)
            assert same_vectors(found, make_vectors(SCHEMA))
            save(without)
            assert store.ids_with_vectors(SCHEMA) == frozenset()

    def test_vectors_are_dropped_of_one_track_in_one_set_or_in_all(self, store: Store) -> None:
        for name in ("t", "t1", "t10"):
            store.save_track(make_track(name), make_vectors(SCHEMA), make_vectors(OTHER))
        store.drop_vectors(TrackId("t1"), "other-v1")
        assert store.ids_with_vectors(OTHER) == {"t", "t10"}
        assert store.ids_with_vectors(SCHEMA) == {"t", "t1", "t10"}
        store.drop_vectors(TrackId("t1"), "unknown-v1")
        store.drop_vectors(TrackId("t1"))
        store.drop_vectors(TrackId("nobody"))
        assert store.ids_with_vectors(SCHEMA) == {"t", "t10"}

    def test_each_set_has_its_tracks_and_bytes(self, store: Store) -> None:
        assert store.feature_sets() == ()
        store.save_track(make_track("t1"), make_vectors(SCHEMA), many_parts())
        store.save_track(make_track("t2", vanished_at=SOME_TIME), make_vectors(SCHEMA))
        store.save_track(make_track("t3"))
        assert store.feature_sets() == (
            StoredSet(key="many-v1", track_count=1, size_bytes=40 * 64 * 2),
            StoredSet(key="tiny-v1", track_count=2, size_bytes=2 * 3 * 4 * 4),
        )

    def test_a_set_is_forgotten_and_others_stay(self, store: Store) -> None:
        tracks = [make_track(f"t{number:04}") for number in range(1_200)]
        save_many(store, tracks, (make_vectors(SCHEMA, number) for number in range(1_200)))
        save_many(store, tracks[:3], (make_vectors(replace(SCHEMA, version=2)) for _ in range(3)))
        assert store.forget_set("tiny-v1") == 1_200
        assert store.forget_set("tiny-v1") == store.forget_set("never there-v1") == 0
        assert [one.key for one in store.feature_sets()] == ["tiny-v2"]
        assert store.ids_with_vectors(SCHEMA) == frozenset()
        assert list(store.stored_tracks()) == tracks

    def test_a_forgotten_set_may_come_again_with_other_features(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA))
        store.forget_set("tiny-v1")
        impostor = make_schema(7)
        store.save_track(make_track(), make_vectors(impostor, 7))
        assert same_vectors(store.vectors_of(TrackId("t1"), impostor), make_vectors(impostor, 7))
        with pytest.raises(SchemaMismatchError, match="tiny-v1"):
            store.vectors_of(TrackId("t1"), SCHEMA)

    def test_vectors_come_by_track_and_set(self, store: Store) -> None:
        sets = [make_schema(3, name="a", version=10), make_schema(5, name="a", version=9), MANY, SCHEMA]
        for name in ("t2", "t10", "t1"):
            for schema in sets:
                vectors = many_parts() if schema is MANY else make_vectors(schema)
                store.save_track(make_track(name, vanished_at=SOME_TIME if name == "t2" else None), vectors)
        keys = ["a-v10", "a-v9", "many-v1", "tiny-v1"]
        assert [(one.track_id, one.key) for one in store.stored_vectors()] == [
            (name, key) for name in ("t1", "t10", "t2") for key in keys
        ]

    def test_vectors_are_copied_bit_for_bit(self, store: Store) -> None:
        odd = np.array([-0.0, np.inf, np.float32(1e-45), np.nan], dtype=np.float32)
        for vectors in (with_halves(SCHEMA, odd, odd[::-1], odd * 2), many_parts()):
            copied = StoredVectors.of(TrackId("t1"), vectors)
            store.save_stored_tracks([make_track()])
            store.save_stored_vectors([copied])
            (found,) = [one for one in store.stored_vectors() if one.key == copied.key]
            assert (found.patches, found.values.tobytes()) == (copied.patches, copied.values.tobytes())
            assert not found.values.flags.writeable
            assert same_vectors(store.vectors_of(TrackId("t1"), vectors.schema), vectors)

    def test_a_set_that_this_program_does_not_know_is_copied(self, store: Store) -> None:
        store.save_stored_tracks([make_track()])
        store.save_stored_vectors([unknown_set()])
        (found,) = store.stored_vectors()
        assert (found.key, found.fingerprint) == ("from the future-v99", "of features to come")
        assert (found.patches, found.values.tolist()) == (
            unknown_set().patches,
            unknown_set().values.tolist(),
        )
        assert store.feature_sets() == (StoredSet(key="from the future-v99", track_count=1, size_bytes=14),)
        assert store.forget_set("from the future-v99") == 1

    def test_a_set_of_any_name_is_copied(self, store: Store, subtests: pytest.Subtests) -> None:
        store.save_stored_tracks([make_track()])
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                named = replace(unknown_set(), feature_set=text, fingerprint=text)
                store.save_stored_vectors([named])
                (found,) = store.stored_vectors()
                assert (found.feature_set, found.fingerprint, found.key) == (text, text, f"{text}-v99")
                assert [one.key for one in store.feature_sets()] == [named.key]
                store.drop_vectors(TrackId("t1"), named.key)
                assert list(store.stored_vectors()) == []
                store.save_stored_vectors([named])
                assert store.forget_set(named.key) == 1

    def test_copying_again_replaces_the_vectors_of_that_set(self, store: Store) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA, 1), make_vectors(OTHER, 2))
        store.save_stored_vectors([StoredVectors.of(TrackId("t1"), make_vectors(OTHER, 3))])
        assert same_vectors(store.vectors_of(TrackId("t1"), SCHEMA), make_vectors(SCHEMA, 1))
        assert same_vectors(store.vectors_of(TrackId("t1"), OTHER), make_vectors(OTHER, 3))

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            (unknown_set("nobody"), StoreError),
            (replace(unknown_set(), feature_set="tiny", version=1), SchemaMismatchError),
        ],
    )
    def test_what_cannot_be_copied_is_refused(
        self, store: Store, wrong: StoredVectors, error: type[Exception]
    ) -> None:
        store.save_track(make_track(), make_vectors(SCHEMA))
        before = stored_of(store)
        with pytest.raises(error):
            store.save_stored_vectors([StoredVectors.of(TrackId("t1"), make_vectors(OTHER)), wrong])
        assert stored_of(store) == before

    def test_what_changes_while_vectors_are_copied_comes_once(self, store: Store) -> None:
        tracks = [make_track(f"t{number:04}") for number in range(1_100)]
        save_many(store, tracks, (make_vectors(SCHEMA, number) for number in range(1_100)))
        seen = []
        for one in store.stored_vectors():
            seen.append(one.track_id)
            if len(seen) % 50 == 0:
                store.save_track(make_track(one.track_id, title="Changed"), make_vectors(SCHEMA, 7))
        assert seen == [track.id for track in tracks]
