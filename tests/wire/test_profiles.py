"""A profile is read as it was written, to the bit."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import erased_until, make_listen
from soundalike.domain import taste
from soundalike.domain.listens import NOTHING_ERASED, Listen, ListenKind
from soundalike.domain.profiles import refold
from soundalike.domain.types import UserId
from soundalike.wire import profiles
from soundalike.wire.profiles import profile_body, profile_from

ADA = UserId("ada")
DAY_MS = 24 * 3600 * 1000

listens = st.builds(
    make_listen,
    st.integers(0, 1000),
    track_id=st.text(min_size=1, max_size=3),
    kind=st.sampled_from(list(ListenKind)),
    position_ms=st.none() | st.integers(0, 2**53 - 1),
    at_ms=st.integers(0, 30 * DAY_MS),
)


@given(st.lists(listens, max_size=20), st.integers(0, 40 * DAY_MS), st.none() | st.integers(0, 10 * DAY_MS))
def test_a_profile_is_read_as_it_was_written(
    heard: list[Listen], lateness_ms: int, until_ms: int | None
) -> None:
    profile = refold(ADA, heard, lateness_ms=lateness_ms, erased=erased_until(until_ms))
    text = json.dumps(profile_body(profile))
    read = profile_from(json.loads(text), profile.erased)
    assert read is not None
    assert (read, read.version) == (profile, profile.version)
    assert json.dumps(profile_body(read)) == text


def test_a_profile_of_another_fold_version_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    body = profile_body(refold(ADA, [make_listen()]))
    for other in (taste.FOLD_VERSION + 1, 0):
        monkeypatch.setattr(profiles, "FOLD_VERSION", other)
        assert profile_from(body, NOTHING_ERASED) is None


@pytest.mark.parametrize("name", list(profile_body(refold(ADA, []))))
def test_an_invalid_profile_raises_the_documented_errors(name: str) -> None:
    whole = profile_body(refold(ADA, [make_listen()]))
    lacking = {key: value for key, value in whole.items() if key != name}
    with pytest.raises(KeyError):
        profile_from(lacking, NOTHING_ERASED)


@pytest.mark.parametrize(
    "recent", [None, 1, [[]], [["id"]], [[1, 2, 3, 4, 5]], [["id", "t", "loved", None, 5]]]
)
def test_a_damaged_profile_raises_the_documented_errors(recent: Any) -> None:
    body = profile_body(refold(ADA, [make_listen()])) | {"recent": recent}
    with pytest.raises((KeyError, TypeError, ValueError)):
        profile_from(body, NOTHING_ERASED)
