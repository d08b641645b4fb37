"""What every store promises of tags, of parts of files and of tracks without files."""

from dataclasses import replace
from datetime import timedelta

import pytest

from making import SOME_TIME, file_of, make_track
from soundalike.domain.catalogue import own_entry
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.files import NOWHERE, Part
from soundalike.domain.ports.library import Store
from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags
from soundalike.domain.tracks import Sort, Track
from soundalike.domain.types import RelativePath
from store.asking import HOSTILE_TEXTS, LATER_MS, MUSIC, found_ids


def tagged(track_id: str, **tags: object) -> Track:
    """Return a track with these tags, and the entry that they give it."""
    made = Tags(**{"title": f"Title {track_id}", **tags})  # type: ignore[arg-type] # checked by Tags' users
    return make_track(track_id, tags=made, entry=own_entry(made))


class TagsContract:
    def test_all_that_tags_say_comes_back(self, store: Store) -> None:
        tags = Tags(
            title="One", artists=("A", "B"), album="Two", album_artist="C", genres=("Rock", "Pop"),
            genre_parents={"Pop": "Music"}, year=1999, original_date="1973-03-01", track_number=3,
            disc_number=2, is_compilation=True,
            gains=Gains(track_db=-7.25, track_peak=0.98, album_db=1.5, album_peak=1.0, r128_track=-1),
            external_ids=(ExternalId(ExternalIdKind.ISRC, "x"), ExternalId(ExternalIdKind.ARTIST, "y")),
            lyrics="One\ntwo",
        )  # fmt: skip
        track = replace(
            make_track(tags=tags, entry=own_entry(tags)), imported=Tags(title="Zero"), tags_version=7
        )
        store.save_track(track)
        assert store.track(track.id) == track
        assert list(store.stored_tracks()) == [track]

    def test_any_text_in_lists_of_tags_is_stored(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                ids = (ExternalId(ExternalIdKind.FMA, text),)
                track = tagged(
                    "t1", artists=(text, text), genres=(text,), album_artist=text, external_ids=ids
                )
                store.save_track(track)
                assert store.track(track.id) == track

    def test_an_entry_is_stored_with_its_track(self, store: Store) -> None:
        entry = replace(own_entry(Tags(album="A")), recording="r", is_preferred=False, is_compilation=True)
        track = make_track(tags=Tags(album="A"), entry=entry)
        store.save_track(track)
        assert store.track(track.id) == track


class PlacesContract:
    def test_parts_of_one_file_are_tracks_of_their_own(self, store: Store) -> None:
        parts = [Part(0, 100, 10), Part(100, 200, 10), Part(200, None, 10)]
        tracks = [
            make_track(f"t{number}", path=b"image.flac", part=part, audio_hash=f"h{number}")
            for number, part in enumerate(parts)
        ]
        for track in tracks:
            store.save_track(track)
        where = file_of(tracks[0]).location
        assert [store.track_at(where, part) for part in parts] == tracks
        assert store.track_at(where) is None
        assert store.track_at(where, Part(0, 100, 20)) is None
        assert list(store.tracks_under(MUSIC, RelativePath(b"image.flac"))) == tracks

    def test_a_part_belongs_to_one_track(self, store: Store) -> None:
        store.save_track(make_track("t1", path=b"image.flac", part=Part(0, 100, 10)))
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_track(make_track("t2", path=b"image.flac", part=Part(0, 100, 10)))
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_stored_tracks([make_track("t2", path=b"image.flac", part=Part(0, 100, 10))])
        store.save_track(make_track("t2", path=b"image.flac"))
        assert store.count_tracks() == 2

    def test_a_part_may_become_another(self, store: Store) -> None:
        track = make_track(path=b"image.flac", part=Part(0, 100, 10))
        moved = make_track(path=b"image.flac", part=Part(0, 90, 10))
        store.save_track(track)
        store.save_track(moved)
        store.save_track(make_track("t2", path=b"image.flac", part=Part(0, 100, 10)))
        assert store.track_at(file_of(moved).location, Part(0, 90, 10)) == moved

    def test_any_number_of_tracks_may_have_no_file(self, store: Store) -> None:
        tracks = [make_track(f"t{number}", has_file=False) for number in range(3)]
        store.save_track(tracks[0])
        store.save_stored_tracks(tracks[1:])
        assert [store.track(track.id) for track in tracks] == tracks
        assert list(store.stored_tracks()) == tracks
        assert store.count_tracks() == 3
        assert list(store.tracks_under(MUSIC, RelativePath(b""))) == []
        assert found_ids(store.find_tracks(["title"], sort=Sort(), limit=10)) == ["t0", "t1", "t2"]

    def test_a_track_without_a_file_may_get_one(self, store: Store) -> None:
        track = make_track(path=b"a.mp3")
        store.save_track(replace(track, file=None))
        store.save_track(track)
        assert store.track(track.id) == store.track_at(file_of(track).location) == track
        store.save_track(replace(track, file=None))
        assert store.track_at(file_of(track).location) is None
        store.save_track(make_track("t2", path=b"a.mp3"))

    def test_of_two_that_give_a_track_its_first_file_one_does(self, store: Store) -> None:
        track = make_track(path=b"a.mp3")
        store.save_track(replace(track, file=None))
        store.save_track(track, moved_from=NOWHERE)
        with pytest.raises(TrackConflictError, match="t1"):
            store.save_track(make_track(path=b"b.mp3"), moved_from=NOWHERE)
        assert store.track(track.id) == track
        with pytest.raises(TrackConflictError, match="t2"):
            store.save_track(make_track("t2", path=b"b.mp3"), moved_from=NOWHERE)

    def test_tracks_are_found_by_their_external_ids(self, store: Store) -> None:
        fma, isrc = ExternalId(ExternalIdKind.FMA, "7"), ExternalId(ExternalIdKind.ISRC, "7")
        album = ExternalId(ExternalIdKind.ALBUM, "7")
        first = replace(tagged("t2", external_ids=(isrc, album)), added_at=SOME_TIME - timedelta(1))
        second, third = tagged("t1", external_ids=(fma, isrc)), tagged("t3", external_ids=(fma, album))
        for track in (third, second, first):
            store.save_track(track)
        store.mark_vanished([third.id], LATER_MS)
        assert [one.id for one in store.tracks_with_ids([isrc])] == ["t2", "t1"]
        assert [one.id for one in store.tracks_with_ids([fma, isrc])] == ["t2", "t1", "t3"]
        assert store.tracks_with_ids([album]) == store.tracks_with_ids([]) == ()
        store.save_track(tagged("t1"))
        assert [one.id for one in store.tracks_with_ids([fma])] == ["t3"]
