from domain.recommendation.toy_library import blob, build_index, ids, scatter, score
from soundalike.domain.recommendation.exploration import explore
from soundalike.domain.recommendation.seeded_random import SeededRandom


def test_a_small_library_is_drawn_completely_and_each_track_once() -> None:
    rows, scores = explore(score(build_index(scatter(30)), "finished t001"), SeededRandom("q"), places=5)
    assert sorted(rows.tolist()) == list(range(30))
    assert len(scores) == 30


def test_of_a_large_library_some_are_drawn() -> None:
    rows, _ = explore(score(build_index(scatter(400)), "finished t001"), SeededRandom("q"), places=5)
    assert len(set(rows.tolist())) == len(rows)
    assert 20 <= len(rows) <= 100


def test_the_same_question_draws_the_same_tracks() -> None:
    scoring = score(build_index(scatter(300)), "finished t001")
    first, again, other = (
        explore(scoring, SeededRandom(text), places=5)[0].tolist() for text in ("q", "q", "r")
    )
    assert first == again
    assert first != other


def test_the_better_half_of_the_drawn_tracks_comes_first() -> None:
    rows, scores = explore(score(build_index(scatter(30)), "finished t001"), SeededRandom("q"), places=5)
    assert scores[:15].min() >= scores[15:].max()
    # In the order drawn, not by score: chance decides within a half.
    assert scores[:15].tolist() != sorted(scores[:15], reverse=True)
    assert len(rows) == 30


def test_rejected_tracks_are_not_in_the_better_half() -> None:
    index = build_index(blob("liked", 10, 0, 0) | blob("skipped", 10, 30, 0))
    scoring = score(index, "finished liked01", *(f"skipped skipped0{n}" for n in range(4)))
    rows, _ = explore(scoring, SeededRandom("q"), places=5)
    assert all(name.startswith("liked") for name in ids(index, rows[:10]))


def test_an_only_track_is_drawn() -> None:
    rows, scores = explore(score(build_index(scatter(1)), "finished t000"), SeededRandom("q"), places=1)
    assert (rows.tolist(), len(scores)) == ([0], 1)
