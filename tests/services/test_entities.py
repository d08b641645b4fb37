"""What a store has is declared in one table."""

from soundalike.services.entities import ENTITIES


def test_no_kind_of_record_is_declared_twice() -> None:
    kinds = [entity.kind for entity in ENTITIES]
    assert sorted(set(kinds)) == sorted(kinds)


def test_successors_are_copied_after_the_tracks_that_make_some() -> None:
    kinds = [entity.kind for entity in ENTITIES]
    assert kinds.index("tracks") < kinds.index("successors")


def test_erasures_are_copied_before_what_they_hide() -> None:
    kinds = [entity.kind for entity in ENTITIES]
    assert kinds.index("erasures") < kinds.index("listens") < kinds.index("profiles")
