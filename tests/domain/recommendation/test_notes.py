import pytest

from domain.recommendation.toy_library import candidate
from soundalike.domain.recommendation.explanations import describe
from soundalike.domain.recommendation.slate import Candidate, Role


def note(
    served: list[Candidate], *, limit: int = 3, left_out: int = 0, disliked: int = 0, exceeded: bool = False
) -> str | None:
    return describe(served, limit=limit, left_out=left_out, disliked=disliked, has_exceeded_cap=exceeded)


def of(*roles: Role) -> list[Candidate]:
    return [candidate(row, role=role) for row, role in enumerate(roles)]


def test_of_a_full_list_by_taste_there_is_nothing_to_say() -> None:
    assert note(of(Role.TASTE, Role.TASTE, Role.EXPLORATION)) is None


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ([Role.COLD_START] * 3, "nothing is known of your taste"),
        ([Role.TASTE], "no more to play"),
        ([Role.REPEAT] * 3, "all was played lately"),
        ([Role.TASTE, Role.REPEAT, Role.REPEAT], "little that is new"),
    ],
)
def test_what_is_unusual_is_said(roles: list[Role], words: str) -> None:
    assert words in (note(of(*roles)) or "")


def test_an_empty_list_says_what_became_of_the_tracks() -> None:
    assert "disliked" in (note([], disliked=3) or "")
    assert "left out" in (note([], left_out=3) or "")
    assert "disliked or left out" in (note([], left_out=3, disliked=1) or "")
    assert "soundalike up" in (note([]) or "")


def test_a_list_of_one_artist_says_so() -> None:
    alone = [candidate(row, artist="A") for row in range(3)]
    assert note(alone, exceeded=True) == "all is by one artist, for want of others"
    assert "much is" in (note([*alone[:2], candidate(7)], exceeded=True) or "")
    assert note(alone) is None
