from domain.recommendation.toy_library import heap, lay, scatter, score
from soundalike.domain.recommendation.cold_start import cold_start_order

HEAPS = heap("a", 30, 0, 0) | heap("b", 20, 40, 0) | heap("c", 10, 0, 40)


def names(*deeds: str, count: int = 200) -> list[str]:
    index = lay(HEAPS)
    rows = [row for row, _ in cold_start_order(score(index, *deeds))]
    return [index.artefact.track_ids[row] for row in rows[:count]]


def test_a_start_is_diverse() -> None:
    assert {name[0] for name in names(count=3)} == {"a", "b", "c"}


def test_a_start_reaches_every_track_once() -> None:
    assert sorted(names()) == sorted(HEAPS)
    index = lay(scatter(1500))
    rows = [row for row, _ in cold_start_order(score(index))]
    assert sorted(rows) == list(range(1500))
    assert rows[:128] == index.medoids.tolist()


def test_scores_fall() -> None:
    scores = [score for _, score in cold_start_order(score(lay(HEAPS), "skipped a03"))]
    assert scores == sorted(scores, reverse=True)


def test_what_is_like_a_skipped_track_comes_later() -> None:
    before, after = names(), names("skipped a03", "skipped a07", "skipped a11")
    assert sum(name[0] == "a" for name in after[:20]) < sum(name[0] == "a" for name in before[:20])


def test_a_skipped_track_itself_comes_behind() -> None:
    assert set(names("skipped a03", "less b04")[-2:]) == {"a03", "b04"}
