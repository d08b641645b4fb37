"""Files that take each other's names within one scan: a track goes where its sound is."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener
from soundalike.domain.types import TrackId

NAMES = ("1.mp3", "2.mp3", "3.mp3", "new/4.mp3", "new/5.mp3")


def ids(user: Listener) -> dict[str, TrackId]:
    return {track.title: track.id for track in user.tracks()}


def arrange(folder: Path, songs: dict[str, str]) -> None:
    """Write which song has which name; what is not named is removed."""
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
    for name, song in songs.items():
        write_song(folder / name, audio=song * 5, title=song + "!" * NAMES.index(name))


@pytest.fixture
def album(user: Listener) -> Listener:
    arrange(user.folder, {"1.mp3": "One", "2.mp3": "Two", "3.mp3": "Three"})
    user.extract()
    return user


def sounds(user: Listener) -> dict[str, TrackId]:
    """Return which track each song is, by its name without what `arrange` adds."""
    found = {title.rstrip("!"): track_id for title, track_id in ids(user).items()}
    assert len(found) == len(user.tracks())
    return found


def test_two_that_swap_names_keep_their_tracks_and_are_not_analysed_again(album: Listener) -> None:
    before = sounds(album)
    arrange(album.folder, {"1.mp3": "Two", "2.mp3": "One", "3.mp3": "Three"})
    report = album.extract()
    assert sounds(album) == before
    assert (report.moved, report.added, report.vanished) == (2, 0, 0)
    assert album.analyser.computed == []


def test_an_inserted_song_moves_all_others_on_and_is_the_new_one(album: Listener) -> None:
    before = sounds(album)
    arrange(album.folder, {"1.mp3": "Zero", "2.mp3": "One", "3.mp3": "Two", "new/4.mp3": "Three"})
    report = album.extract()
    after = sounds(album)
    assert after.pop("Zero") not in before.values()
    assert after == before
    assert (report.moved, report.added, report.vanished) == (3, 1, 0)


def test_one_that_replaces_another_takes_its_place_and_the_other_vanishes(album: Listener) -> None:
    before = sounds(album)
    arrange(album.folder, {"1.mp3": "One", "3.mp3": "Two"})
    report = album.extract()
    assert sounds(album) == {name: before[name] for name in ("One", "Two", "Anna", "Berta")}
    assert (report.moved, report.added, report.vanished) == (1, 0, 1)
    assert album.extract().vanished == 0
    arrange(album.folder, {"1.mp3": "One", "3.mp3": "Two", "new/5.mp3": "Three"})
    assert album.extract().moved == 1
    assert sounds(album) == before


def test_a_copy_over_another_file_takes_no_track_from_the_one_that_is_there(album: Listener) -> None:
    before = sounds(album)
    shutil.copy(album.folder / "1.mp3", album.folder / "2.mp3")
    report = album.extract()
    assert ids(album)["Three!!"] == before["Three"]
    assert {track.id for track in album.tracks()} == set(before.values())
    assert (report.moved, report.added, report.vanished) == (0, 0, 0)


def test_of_two_copies_at_names_of_others_one_is_the_track(album: Listener) -> None:
    before = sounds(album)
    arrange(album.folder, {"1.mp3": "Three", "2.mp3": "Three", "3.mp3": "One"})
    album.extract()
    assert ids(album)["One!!"] == before["One"]
    assert before["Three"] in {ids(album)["Three"], ids(album)["Three!"]}
    assert len({track.id for track in album.tracks()}) == 5


def test_more_that_wait_than_can_be_kept_are_stored_all_the_same(
    album: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.services.library.ingest._MOST_OPEN", 1)
    arrange(album.folder, {"1.mp3": "Two", "2.mp3": "Three", "3.mp3": "One"})
    album.extract()
    assert sounds(album).keys() == {"One", "Two", "Three", "Anna", "Berta"}
    assert album.extract().analysed == 0


@given(st.permutations(["One", "Two", "Three", "Four", None]), st.integers(0, 12))
def test_wherever_songs_go_and_whenever_it_is_interrupted_all_keep_their_tracks(
    tmp_path_factory: pytest.TempPathFactory, order: list[str | None], stops_after: int
) -> None:
    user = Listener(tmp_path_factory.mktemp("music"))
    arrange(user.folder, dict(zip(NAMES, ["One", "Two", "Three", "Four"], strict=False)))
    user.extract()
    before = sounds(user)
    arrange(user.folder, {name: song for name, song in zip(NAMES, order, strict=True) if song})
    save, count = user.store.save_track, 0

    def save_some(*arguments: object, **more: object) -> None:
        nonlocal count
        count += 1
        if count > stops_after:
            raise KeyboardInterrupt
        save(*arguments, **more)  # type: ignore[arg-type] # passed on

    user.store.save_track = save_some  # type: ignore[method-assign] # to be killed at any time
    try:
        user.extract()
    except KeyboardInterrupt:
        assert sounds(user).items() <= before.items()
    user.store.save_track = save  # type: ignore[method-assign] # as it was
    user.extract()
    assert sounds(user) == before
    assert user.store.ids_with_vectors(SCHEMA) == set(before.values())
    assert user.extract().analysed == 0
