"""Libraries as people have them: right in every store, and as the API shows them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from making import make_schema, make_track, make_vectors
from soundalike.domain.catalogue import own_entry
from soundalike.domain.entries import Album, EntrySort
from soundalike.domain.files import Part
from soundalike.domain.ports.library import Store
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags
from soundalike.domain.tracks import Sort, Track, TrackFilter
from soundalike.domain.types import AlbumId, TrackId
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.wire.tracks import album_body, track_body
from store.asking import LATER_MS, found_ids, search


def save_all(store: Store, tracks: Sequence[Track]) -> None:
    for track in tracks:
        store.save_track(track)
    settle_catalogue(store)


def track_of(track_id: str, tags: Tags, *, path: str, kind: str = "audio/mpeg", ms: int = 30_000) -> Track:
    return make_track(
        track_id, tags=tags, entry=own_entry(tags), path=path.encode(), media_type=kind, duration_ms=ms
    )


def albums(store: Store) -> tuple[Album, ...]:
    return store.find_albums(sort=EntrySort(), limit=100).entries


def on(store: Store, album: AlbumId, *, hides_duplicates: bool = False) -> list[str]:
    """Return the tracks of an album, in its order."""
    only = TrackFilter(album=album, hides_duplicates=hides_duplicates)
    return found_ids(store.find_tracks([], sort=Sort.parse("album"), limit=100, only=only))


class CollectionsContract:
    def test_a_removed_track_is_gone_from_everything(self, store: Store) -> None:
        schema, fma = make_schema(), ExternalId(ExternalIdKind.FMA, "2")
        tags = Tags(title="Zebra", artists=("A",), album="One", genres=("Pop",), external_ids=(fma,))
        gone = make_track("gone", tags=tags, has_file=False)
        store.save_track(gone, make_vectors(schema))
        heard = make_track("heard", tags=replace(tags, title="Lion"), path=b"a.mp3")
        stays = make_track("stays", artist="A", album="Two", title="Zebra crossing")
        save_all(store, [heard, stays])
        version = store.library_version()
        assert store.remove_tracks([gone.id, heard.id, TrackId("unknown")]) == 2
        assert store.remove_tracks([gone.id]) == 0
        settle_catalogue(store)
        assert store.library_version() > version
        assert store.changed_since(version)[1] == ("stays",) or not store.changed_since(version)[1]
        assert [track.id for track in store.stored_tracks()] == ["stays"]
        assert search(store, "zebra") == ["stays"]
        assert [album.title for album in albums(store)] == ["Two"]
        assert not store.find_genres(sort=EntrySort(), limit=10).entries
        assert [one.track_count for one in store.find_artists(sort=EntrySort(), limit=10).entries] == [1]
        assert not store.tracks_with_ids([fma])
        assert not store.ids_with_vectors(schema)
        store.save_track(make_track("new", path=b"a.mp3"))

    def test_a_cue_image_is_three_tracks(self, store: Store) -> None:
        second = 44_100
        parts = [Part(0, 180 * second, second), Part(180 * second, 400 * second, second)]
        parts.append(Part(400 * second, None, second))
        tracks = [
            make_track(
                f"t{number}",
                tags=Tags(title=f"Side {number}", artists=("A",), album="Image", track_number=number),
                path=b"A/Image.flac",
                part=part,
                audio_hash=f"part {number}",
                media_type="audio/flac",
            )
            for number, part in enumerate(parts, 1)
        ]
        save_all(store, tracks)
        (album,) = albums(store)
        assert (album.title, album.track_count) == ("Image", 3)
        assert on(store, album.id) == on(store, album.id, hides_duplicates=True) == ["t1", "t2", "t3"]
        shown = [track_body(store.tracks([track.id])[track.id])["part"] for track in tracks]
        assert len({part.pop("file") for part in shown}) == 1
        assert shown == [
            {"start_ms": 0, "end_ms": 180_000},
            {"start_ms": 180_000, "end_ms": 400_000},
            {"start_ms": 400_000, "end_ms": None},
        ]

    def test_a_track_without_a_file_later_gets_its_audio(self, store: Store) -> None:
        said = Tags(
            title="Food", artists=("AWOL",), album="AWOL - A Way Of Life", genres=("Hip-Hop",),
            external_ids=(ExternalId(ExternalIdKind.FMA, "2"),),
        )  # fmt: skip
        bare = make_track("t2", tags=said, has_file=False)
        save_all(store, [bare])
        (album,) = albums(store)
        assert (album.track_count, on(store, album.id)) == (1, ["t2"])
        assert (
            found_ids(store.find_tracks([], sort=Sort(), limit=9, only=TrackFilter(is_playable=True))) == []
        )
        assert not track_body(store.tracks([bare.id])[bare.id])["has_audio"]

        whole = make_track("t2", tags=Tags(title="Food").over(said), path=b"000/000002.mp3")
        save_all(store, [replace(whole, imported=said)])
        found = store.track(TrackId("t2"))
        assert found is not None
        assert (found.is_playable, found.imported, found.tags.external_ids) == (True, said, said.external_ids)
        assert albums(store) == (album,)
        assert found_ids(store.find_tracks([], sort=Sort(), limit=9, only=TrackFilter(is_playable=True))) == [
            "t2"
        ]

    def test_an_album_in_two_formats_has_each_song_once(self, store: Store) -> None:
        save_all(
            store,
            [
                track_of(
                    f"{kind}-{number}",
                    Tags(title=f"Song {number}", artists=("A",), album="Twice", track_number=number),
                    path=f"{kind}/{number}.{kind}",
                    kind=f"audio/{kind}",
                    ms=180_000 + (kind == "mpeg") * 40,
                )
                for kind, number in product(("flac", "mpeg"), range(1, 13))
            ],
        )
        (album,) = albums(store)
        assert (album.track_count, store.count_tracks()) == (12, 24)
        assert len(on(store, album.id)) == 24
        preferred = [f"flac-{number}" for number in range(1, 13)]
        assert on(store, album.id, hides_duplicates=True) == preferred
        recordings = [track.entry.recording for track in store.tracks(list(map(TrackId, preferred))).values()]
        assert len(set(recordings)) == 12

        store.mark_vanished(list(map(TrackId, preferred)), LATER_MS)
        settle_catalogue(store)
        assert on(store, album.id, hides_duplicates=True) == [f"mpeg-{number}" for number in range(1, 13)]
        assert albums(store)[0].track_count == 12

    def test_a_compilation_is_one_album_of_many_artists(self, store: Store) -> None:
        save_all(
            store,
            [
                track_of(
                    f"t{number:02}",
                    Tags(
                        title=f"Hit {number}",
                        artists=(f"Artist {number}",),
                        album="Hits",
                        track_number=number,
                    ),
                    path=f"Hits/{number}.mp3",
                )
                for number in range(1, 21)
            ],
        )
        (album,) = albums(store)
        assert album_body(album)["artist"] is None
        assert (album.is_compilation, album.track_count) == (True, 20)
        assert on(store, album.id) == [f"t{number:02}" for number in range(1, 21)]
        assert store.find_artists(sort=EntrySort(), limit=100).total == 20
        fifth = store.find_artists(sort=EntrySort(), limit=100).entries[4]
        only = TrackFilter(artist=fifth.id)
        assert store.find_tracks([], sort=Sort(), limit=9, only=only).total == 1

    @pytest.mark.parametrize("is_tagged", [True, False], ids=["tags", "folders"])
    def test_a_box_of_three_discs_is_one_album_in_order(self, store: Store, *, is_tagged: bool) -> None:
        box = [
            track_of(
                f"d{disc}-{number:02}",
                Tags(
                    title=f"Take {11 - number}",
                    artists=("B",),
                    album_artist="B",
                    album="Box",
                    track_number=number,
                    disc_number=disc if is_tagged else None,
                ),
                path=f"Box/CD{disc}/{number}.flac",
                kind="audio/flac",
            )
            for disc, number in product((3, 1, 2), range(10, 0, -1))
        ]
        save_all(store, box)
        (album,) = albums(store)
        assert (album.artist, album.track_count, album.is_compilation) == ("B", 30, False)
        in_order = [f"d{disc}-{number:02}" for disc, number in product((1, 2, 3), range(1, 11))]
        assert on(store, album.id) == on(store, album.id, hides_duplicates=True) == in_order
        page = store.find_tracks([], sort=Sort.parse("album"), limit=5, offset=8)
        assert found_ids(page) == in_order[8:13]
