from domain.recommendation.toy_library import blob, build_index, scatter, score
from soundalike.domain.recommendation.cold_start import cold_start_order

BLOBS = blob("a", 30, 0, 0) | blob("b", 20, 40, 0) | blob("c", 10, 0, 40)


def names(*listens: str, count: int = 200) -> list[str]:
    index = build_index(BLOBS)
    rows = [row for row, _ in cold_start_order(score(index, *listens))]
    return [index.artefact.track_ids[row] for row in rows[:count]]


def test_a_cold_start_is_diverse() -> None:
    assert {name[0] for name in names(count=3)} == {"a", "b", "c"}


def test_a_cold_start_yields_every_track_once() -> None:
    assert sorted(names()) == sorted(BLOBS)
    index = build_index(scatter(1500))
    rows = [row for row, _ in cold_start_order(score(index))]
    assert sorted(rows) == list(range(1500))
    assert rows[:128] == index.medoids.tolist()


def test_scores_are_descending() -> None:
    scores = [score for _, score in cold_start_order(score(build_index(BLOBS), "skipped a03"))]
    assert scores == sorted(scores, reverse=True)


def test_tracks_similar_to_a_skipped_one_come_later() -> None:
    before, after = names(), names("skipped a03", "skipped a07", "skipped a11")
    assert sum(name[0] == "a" for name in after[:20]) < sum(name[0] == "a" for name in before[:20])


def test_a_skipped_track_itself_comes_last() -> None:
    assert set(names("skipped a03", "less b04")[-2:]) == {"a03", "b04"}
