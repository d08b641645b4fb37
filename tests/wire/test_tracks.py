"""Tracks, albums, artists and genres as the API shows them."""

from making import SOME_TIME, make_track
from soundalike.domain.catalogue import artist_id, own_entry
from soundalike.domain.entries import Album, Artist, Genre
from soundalike.domain.files import Part
from soundalike.domain.genres import genre_id
from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags
from soundalike.domain.types import AlbumId, ArtistId, DurationMs, GenreId
from soundalike.wire.tracks import album_body, artist_body, genre_body, track_body, track_details


def test_a_track_names_its_artists_album_and_genres_by_id() -> None:
    tags = Tags(
        title="Song", artists=("A", "B"), album="X", album_artist="C", genres=("Lo-Fi", "Rock"),
        genre_parents={"Lo-Fi": "Indie"}, track_number=3, disc_number=2, original_date="1973",
        gains=Gains(track_db=-7.25), external_ids=(ExternalId(ExternalIdKind.FMA, "7"),),
    )  # fmt: skip
    body = track_body(make_track(tags=tags))
    assert (body["artist"], body["genre"]) == ("A, B", "Lo-Fi")
    assert body["artists"] == [{"id": artist_id("a"), "name": "A"}, {"id": artist_id("b"), "name": "B"}]
    assert body["album_id"] == own_entry(tags).album_id
    assert body["album_artist"] == {"id": artist_id("c"), "name": "C"}
    assert body["genres"] == [
        {"id": genre_id("lo-fi"), "name": "Lo-Fi", "parent": genre_id("indie")},
        {"id": genre_id("rock"), "name": "Rock", "parent": None},
    ]
    assert (body["track_number"], body["disc_number"], body["original_date"]) == (3, 2, "1973")
    assert body["gains"]["track_db"] == -7.25
    assert body["external_ids"] == {"fma": ["7"]}


def test_lyrics_are_among_the_details_of_a_track_alone() -> None:
    track = make_track(tags=Tags(title="Song", lyrics="One\ntwo"))
    assert track_details(track) == {**track_body(track), "lyrics": "One\ntwo"}
    assert "lyrics" not in track_body(track)


def test_a_part_says_where_in_which_file_it_is() -> None:
    one, last, elsewhere, other = (
        track_body(make_track(path=path, root=root, part=Part(44_100, end, 44_100)))["part"]
        for path, root, end in [
            (b"a\xff.flac", "music", 88_200),
            (b"a\xff.flac", "music", None),
            (b"a\xff.flac", "disk", None),
            (b"b.flac", "music", None),
        ]
    )
    assert {name: one[name] for name in ("start_ms", "end_ms")} == {"start_ms": 1000, "end_ms": 2000}
    assert {name: last[name] for name in ("start_ms", "end_ms")} == {"start_ms": 1000, "end_ms": None}
    assert one["file"] == last["file"]
    assert len({last["file"], elsewhere["file"], other["file"]}) == 3


def test_a_track_without_a_file_has_no_audio() -> None:
    body = track_body(make_track(has_file=False))
    assert (body["has_audio"], body["part"]) == (False, None)


def test_entries() -> None:
    album = Album(
        id=AlbumId("1"), key="x", title="X", artist_id=ArtistId("2"), artist="A", year=1973,
        track_count=3, duration_ms=DurationMs(90), added_at=SOME_TIME,
    )  # fmt: skip
    assert album_body(album) == {
        "id": "1", "title": "X", "artist": {"id": "2", "name": "A"}, "is_compilation": False, "year": 1973,
        "track_count": 3, "duration_ms": 90, "added_at": "2026-01-02T03:04:05.678Z",
    }  # fmt: skip
    assert artist_body(Artist(id=ArtistId("2"), key="a", name="A", track_count=3)) == {
        "id": "2", "name": "A", "track_count": 3,
    }  # fmt: skip
    assert genre_body(Genre(id=GenreId("4"), key="g", name="G", parent_id=GenreId("5"), track_count=1)) == {
        "id": "4", "name": "G", "parent": "5", "track_count": 1,
    }  # fmt: skip
