"""Tags as stores keep them: all of them come back, whatever they contain."""

from hypothesis import given
from hypothesis import strategies as st

from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags
from soundalike.wire.tags import tags_from_text, tags_text

texts = st.text(max_size=5) | st.sampled_from(["\ud800", "\x00", '"'])
names = st.none() | texts
numbers = st.none() | st.integers(1, 10_000)
decibels = st.none() | st.floats(-100, 100)
all_tags = st.builds(
    Tags,
    title=names,
    artists=st.lists(texts, max_size=3).map(tuple),
    album=names,
    album_artist=names,
    genres=st.lists(texts, max_size=3).map(tuple),
    genre_parents=st.none() | st.dictionaries(texts, texts, max_size=2),
    year=numbers,
    original_date=names,
    track_number=numbers,
    disc_number=numbers,
    is_compilation=st.booleans(),
    gains=st.builds(Gains, track_db=decibels, album_peak=decibels, r128_track=st.none() | st.integers()),
    external_ids=st.lists(st.builds(ExternalId, st.sampled_from(ExternalIdKind), texts), max_size=3).map(
        tuple
    ),
    lyrics=names,
)


@given(all_tags)
def test_tags_come_back_from_ascii(tags: Tags) -> None:
    text = tags_text(tags)
    assert text.isascii()
    assert tags_from_text(text) == tags


def test_what_tags_do_not_say_takes_no_room() -> None:
    assert tags_text(Tags()) == "{}"
    assert tags_text(Tags(title="A")) == '{"title":"A"}'
