import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.recommendation.toy_library import best, blob, build_index, scatter, score
from soundalike.domain.recommendation import scoring as scoring_module
from soundalike.domain.recommendation.library_index import damp_hubs
from soundalike.domain.recommendation.scoring import closeness

TWO_BLOBS = blob("harp", 12, 0, 0) | blob("metal", 12, 20, 0) | blob("between", 12, 10, 0)


def test_closeness_is_one_at_a_centre_and_half_a_spread_away() -> None:
    index = build_index({"a": [0.0, 0.0], "b": [0.0, 2.0], "c": [0.0, 4.0]})
    centre = np.zeros((1, 2), dtype=np.float32)
    assert closeness(index.lifted, centre, 2.0)[0].tolist() == pytest.approx([1.0, 1 / 2, 1 / 5])


def test_tracks_similar_to_a_finished_one_come_first() -> None:
    assert best(score(build_index(TWO_BLOBS), "finished metal03"))[0].startswith("metal")


def test_more_of_what_was_finished_than_of_what_was_skipped() -> None:
    index = build_index(blob("left", 8, -4, 0) | blob("right", 8, 4, 0) | {"mid": [0.0, 0.0]})
    for skipped, other in (("left", "right"), ("right", "left")):
        before = best(score(index, "finished mid"))
        after = best(score(index, "finished mid", f"skipped {skipped}00"))
        assert all(after.index(f"{other}0{n}") <= before.index(f"{other}0{n}") for n in range(8))
        assert sum(after.index(f"{skipped}0{n}") - before.index(f"{skipped}0{n}") for n in range(8)) > 8


def test_an_early_skip_counts_more_than_a_late_one() -> None:
    index = build_index(scatter(30))
    rows = index.rows_of(index.artefact.track_ids)
    early = score(index, ("skipped t001", 500)).negative_feedback(rows)
    late = score(index, ("skipped t001", 90_000)).negative_feedback(rows)
    assert (early > late).all()


def test_rejected_tracks_come_last() -> None:
    assert best(score(build_index(scatter(20)), "finished t001", "less t005", "skipped t007"))[-2:] in (
        ["t005", "t007"],
        ["t007", "t005"],
    )


def test_metal_and_harp_are_two_tastes_and_neither_is_in_between() -> None:
    index = build_index(TWO_BLOBS)
    scoring = score(index, "finished harp01", "finished metal01", "finished harp02", "finished metal02")
    firsts = {best(scoring, taste)[0].rstrip("0123456789") for taste in range(len(scoring.candidate_lists))}
    assert firsts == {"harp", "metal"}
    for taste in range(2):
        assert not any(name.startswith("between") for name in best(scoring, taste)[:10])


def test_a_taste_that_is_played_more_counts_more_but_less_than_in_proportion() -> None:
    index = build_index(TWO_BLOBS)
    harp, metal = score(index, *(f"finished harp0{n}" for n in range(4)), "finished metal01").shares
    assert harp / metal == pytest.approx(2.0, rel=1e-3)


def test_the_latest_tracks_count_as_turns_of_their_taste() -> None:
    scoring = score(build_index(TWO_BLOBS), "finished harp01", "finished metal01", "skipped harp05")
    by_first = {best(scoring, taste)[0][:4]: scoring.served[taste] for taste in range(2)}
    assert by_first == {"harp": 2, "meta": 1}


def test_of_two_equally_close_tracks_the_hub_comes_later() -> None:
    points = {"liked": [0.0, 0.0], "left": [-1.0, 0.0], "right": [1.0, 0.0], "far": [0.0, 9.0]}
    index = build_index(points, k=1)
    for hub, other in (("left", "right"), ("right", "left")):
        hubness = np.array([30.0 if name == hub else 0.5 for name in points], dtype=np.float32)
        object.__setattr__(index, "damping", damp_hubs(hubness))
        order = best(score(index, "finished liked"))
        assert order.index(other) < order.index(hub)


def test_the_nearest_tracks_count_for_a_score_too() -> None:
    # Both are as far from the liked track, but the nearest of one is nearer to it.
    points = {"liked": [0.0], "in": [3.0], "next to in": [2.5], "out": [-3.0], "next to out": [-3.5]}
    index = build_index({name.replace(" ", "-"): place for name, place in points.items()}, k=1)
    order = best(score(index, "finished liked"))
    assert order.index("in") < order.index("out")


def test_a_seed_comes_before_the_profile() -> None:
    index = build_index(TWO_BLOBS)
    place = index.coordinates[index.rows["metal05"]].tolist()  # type: ignore[index] # a plain id
    scoring = score(index, *(f"finished harp0{n}" for n in range(9)), seed=place)
    assert all(name.startswith("metal") for name in best(scoring)[:10])
    assert len(scoring.candidate_lists) == 1


def test_after_the_candidate_list_every_other_track_comes_once() -> None:
    index = build_index(scatter(700))
    scoring = score(index, "finished t003", "skipped t004")
    candidates, beyond = scoring.candidate_lists[0], list(scoring.beyond(0, scoring.raw_scores()))
    rows = candidates.rows.tolist() + [row for row, _ in beyond]
    assert sorted(rows) == list(range(700))
    scores = candidates.scores.tolist() + [score for _, score in beyond]
    assert len(beyond) == 300
    assert scores[400] == max(scores[400:])


def test_of_a_larger_library_only_what_is_near_is_scored_and_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = build_index(scatter(700))
    listens = ("finished t003", "liked t400", "skipped t004")
    whole = score(index, *listens)
    monkeypatch.setattr(scoring_module, "RETRIEVED", 60)
    part = score(index, *listens)
    for taste, (few, many) in enumerate(zip(part.candidate_lists, whole.candidate_lists, strict=True)):
        known = dict(zip(many.rows.tolist(), many.scores.tolist(), strict=True))
        known |= dict(whole.beyond(taste, whole.raw_scores()))
        assert 60 <= len(few.rows) < 400
        assert few.scores.tolist() == pytest.approx([known[row] for row in few.rows.tolist()], abs=1e-5)
        assert few.rows[0] == many.rows[0]
    assert list(part.beyond(0, part.raw_scores())) == []


@settings(max_examples=25)
@given(st.permutations(range(12)))
def test_the_order_of_the_rows_changes_no_score(order: list[int]) -> None:
    points = scatter(12)
    names = list(points)
    listens = ("finished t001", "liked t007", "skipped t003")
    plain = dict(
        zip(
            best(score(build_index(points), *listens)),
            score(build_index(points), *listens).candidate_lists[0].scores,
            strict=True,
        )
    )
    shuffled = score(build_index({names[place]: points[names[place]] for place in order}), *listens)
    for name, value in zip(best(shuffled), shuffled.candidate_lists[0].scores, strict=True):
        assert value == pytest.approx(plain[name], abs=1e-4)


def test_scores_of_single_rows_are_those_of_the_candidate_lists() -> None:
    index = build_index(scatter(40))
    scoring = score(index, "finished t003", "skipped t004", "liked t030")
    rows = np.array([5, 17, 39], dtype=np.int32)
    of_lanes = [
        max(
            dict(zip(candidates.rows.tolist(), candidates.scores.tolist(), strict=True))[row]
            for candidates in scoring.candidate_lists
        )
        for row in rows.tolist()
    ]
    assert scoring.scores_of(rows).tolist() == pytest.approx(of_lanes, abs=0.05)


def test_the_feedback_of_tracks_and_seed_adds_up_to_the_score() -> None:
    index = build_index(scatter(40))
    object.__setattr__(index, "damping", np.ones(40, dtype=np.float32))
    for seed in (None, [0.1, 0.2, 0.3]):
        scoring = score(index, "finished t003", "liked t020", "finished t021", seed=seed)
        candidates = scoring.candidate_lists[0]
        said, of_seed = scoring.positive_feedback(
            candidates.rows, np.zeros(len(candidates.rows), dtype=np.int32)
        )
        assert (said.sum(axis=1) + of_seed).tolist() == pytest.approx(candidates.scores.tolist(), abs=1e-5)
