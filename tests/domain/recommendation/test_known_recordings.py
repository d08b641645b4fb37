import numpy as np

from making import make_track
from soundalike.domain.files import Part
from soundalike.domain.recommendation.known_recordings import KnownRecordings
from soundalike.domain.tracks import Track, TrackEntry

FAR_APART = np.arange(6, dtype=np.float32)[:, None] * 10
THRESHOLDS = np.full(len(FAR_APART), 0.1, dtype=np.float32)


def recordings_of(*tracks: Track) -> KnownRecordings:
    return KnownRecordings(FAR_APART, thresholds=THRESHOLDS, never=tracks)


def by_one_band(name: str, **named: object) -> Track:
    return make_track(name, artist="Band", **named)  # type: ignore[arg-type] # as `make_track` takes them


def test_a_copy_on_the_same_album_is_the_same_recording() -> None:
    known = recordings_of(by_one_band("a", title="Song", entry=TrackEntry(recording="r1")))
    assert known.has(0, by_one_band("b", title="Song (remaster)", entry=TrackEntry(recording="r1")))
    assert not known.has(0, by_one_band("c", title="Another", entry=TrackEntry(recording="r2")))
    assert not known.has(0, by_one_band("d", title="Another"))


def test_the_same_audio_is_the_same_recording_but_not_another_part_of_it() -> None:
    known = recordings_of(by_one_band("a", audio_hash="h", part=Part(0, 100, 1)))
    assert known.has(0, by_one_band("b", audio_hash="h", part=Part(0, 100, 1)))
    assert not known.has(0, by_one_band("c", audio_hash="h", part=Part(100, None, 1)))


def test_tracks_without_a_file_are_compared_by_name_and_sound() -> None:
    known = recordings_of(by_one_band("a", title="Song", has_file=False))
    assert known.has(0, by_one_band("b", title="SONG", has_file=False))
    assert not known.has(0, by_one_band("c", has_file=False))


def test_what_may_come_again_is_forgotten_and_what_never_may_is_not() -> None:
    known = KnownRecordings(
        FAR_APART, thresholds=THRESHOLDS, never=[by_one_band("a")], recent=[by_one_band("b")]
    )
    known.add(1, by_one_band("c"))
    assert [known.has(2, by_one_band(name)) for name in "abcd"] == [True, True, True, False]
    assert known.has(1, by_one_band("d"))
    again = known.without_recent()
    assert [again.has(2, by_one_band(name)) for name in "abcd"] == [True, False, False, False]
    assert not again.has(1, by_one_band("d"))
