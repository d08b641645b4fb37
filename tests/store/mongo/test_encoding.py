import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import make_location
from soundalike.store.mongo.encoding import (
    from_path,
    from_text,
    join_texts,
    location_key,
    to_path,
    to_text,
)

# Lone surrogates, their neighbours, and the separators of keys.
letters = st.sampled_from("\0\1\ud7fe\ud7ff\ud800\udbff\udc00\udfff\ue000\U00010000\U0010ffffaz%.$;-v1")
texts = st.text() | st.text(letters, max_size=5)
several = st.lists(texts, min_size=3, max_size=3)


@given(texts)
def test_any_text_is_encoded_as_utf_8_and_decoded(text: str) -> None:
    assert to_text(text).encode().decode() == to_text(text)
    assert from_text(to_text(text)) == text


@given(texts, texts)
def test_texts_keep_their_order(one: str, other: str) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)
    assert (to_text(one).encode() < to_text(other).encode()) == (one < other)


@given(texts, texts)
def test_prefixes_stay_prefixes(one: str, other: str) -> None:
    assert to_text(one + other).startswith(to_text(one))


@given(several, several)
def test_joined_texts_are_distinct_and_keep_their_order(some: list[str], others: list[str]) -> None:
    assert (join_texts(*some) == join_texts(*others)) == (some == others)
    assert (join_texts(*some) < join_texts(*others)) == (some < others)


@given(st.binary(), st.binary())
def test_paths_keep_their_order(one: bytes, other: bytes) -> None:
    assert from_path(to_path(one)) == one
    assert (to_path(one).encode() < to_path(other).encode()) == (one < other)


@given(st.tuples(texts, st.binary()), st.tuples(texts, st.binary()))
def test_locations_come_by_root_then_path(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    here, there = (make_location(path, root) for root, path in (one, other))
    assert (location_key(here) < location_key(there)) == (here < there)
    assert (location_key(here) == location_key(there)) == (here == there)


@pytest.mark.parametrize("stored", [None, 5, b"text", ["text"]])
def test_only_text_is_read_as_text(stored: object) -> None:
    with pytest.raises(TypeError, match="not text"):
        from_text(stored)
