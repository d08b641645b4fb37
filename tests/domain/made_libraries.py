"""Tracks with tags, and libraries of them, for tests of the catalogue."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from fakes import MemoryStore
from making import make_track
from soundalike.domain.catalogue import own_entry
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags
from soundalike.domain.tracks import Track
from soundalike.services.library.catalogue import settle_catalogue


def tagged(
    track_id: str, *, path: str | None = None, ms: int = 30_000, kind: str = "audio/mpeg", **tags: Any
) -> Track:
    made = Tags(**{"title": "Song", "album": "Album", **tags})
    name = (path or f"{track_id}.mp3").encode()
    return make_track(track_id, tags=made, entry=own_entry(made), path=name, duration_ms=ms, media_type=kind)


def ids(kind: str, *values: str) -> tuple[ExternalId, ...]:
    return tuple(ExternalId(ExternalIdKind(f"musicbrainz_{kind}"), value) for value in values)


def catalogued(tracks: Iterable[Track]) -> MemoryStore:
    store = MemoryStore()
    for track in tracks:
        store.save_track(track)
    settle_catalogue(store)
    return store


names = st.sampled_from(["A", "a", "B", "Various Artists"])
tag_sets = st.builds(
    Tags,
    title=st.sampled_from(["One", "Two", None]),
    artists=st.lists(names, max_size=2).map(tuple),
    album=st.sampled_from(["X", "x", "Y", None]),
    album_artist=st.none() | names,
    genres=st.lists(st.sampled_from(["Rock", "rock", "Pop"]), max_size=2).map(tuple),
    track_number=st.none() | st.integers(1, 2),
    is_compilation=st.booleans(),
    external_ids=st.lists(
        st.builds(
            ExternalId,
            st.sampled_from([ExternalIdKind.ARTIST, ExternalIdKind.ALBUM, ExternalIdKind.ALBUM_ARTIST]),
            st.sampled_from(["m1", "m2"]),
        ),
        max_size=2,
    ).map(tuple),
)


@st.composite
def libraries(draw: st.DrawFn) -> list[Track]:
    tracks = []
    for number in range(draw(st.integers(1, 6))):
        tags, folder = draw(tag_sets), draw(st.sampled_from(["p", "q"]))
        tracks.append(
            make_track(
                f"t{number}", tags=tags, entry=own_entry(tags), path=f"{folder}/{number}".encode(),
                duration_ms=draw(st.sampled_from([30_000, 31_000, 33_000])),
                media_type=draw(st.sampled_from(["audio/flac", "audio/mpeg"])),
                vanished_at=draw(st.sampled_from([None, None, make_track().added_at])),
            )
        )  # fmt: skip
    return tracks
