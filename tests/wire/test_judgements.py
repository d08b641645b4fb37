"""What is liked and disliked, as the API shows it."""

from making import make_listen
from soundalike.domain.profiles import new_profile, refold
from soundalike.domain.types import UserId
from soundalike.wire import judgements_body

ADA = UserId("ada")


def test_the_latest_come_first_without_those_taken_back() -> None:
    deeds = (
        "liked a",
        "liked b",
        "disliked c",
        "liked d",
        "unliked d",
        "disliked a",
        "finished e",
        "disliked f",
    )
    listens = [
        make_listen(number, user_id=ADA, kind=deed.split()[0], track_id=deed.split()[1], at_ms=1000 * number)
        for number, deed in enumerate(deeds)
    ]
    profile = refold(ADA, listens)
    assert judgements_body(profile) == {
        "profile_version": profile.version,
        "liked": ["b"],
        "disliked": ["f", "a", "c"],
    }


def test_there_are_none_at_first() -> None:
    body = judgements_body(new_profile(ADA))
    assert (body["liked"], body["disliked"]) == ([], [])
