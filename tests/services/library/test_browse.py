from pathlib import Path

import pytest

from fakes import MemoryStore
from making import make_track
from soundalike.domain.errors import AmbiguousTrackError, QueryError, UnknownTrackError
from soundalike.domain.files import Root
from soundalike.domain.tracks import Sort
from soundalike.domain.types import RootName, TrackId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    store.save_root(Root(RootName("music"), tmp_path))
    store.save_track(make_track("t1", title="Blue in Green", artist="Miles", path=b"miles/blue.mp3"))
    store.save_track(make_track("t2", title="Blue Train", artist="Coltrane", path=b"blue \xff.mp3"))
    store.save_track(make_track("t3", title="Blue", artist="Joni", album="Blue", path=b"j.mp3"))
    return store


@pytest.fixture
def library(store: MemoryStore) -> Library:
    return Library(store, RootMap(store, {}))


def test_a_track_is_known_by_its_id(library: Library) -> None:
    assert library.match("t2").title == "Blue Train"
    assert library.track(TrackId("t2")).title == "Blue Train"


def test_a_track_is_known_by_its_path(library: Library, tmp_path: Path) -> None:
    assert library.match(str(tmp_path / "miles" / "blue.mp3")).id == "t1"


def test_a_track_is_known_by_a_path_from_here(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "..")
    assert library.match(f"{tmp_path.name}/j.mp3").id == "t3"


def test_a_track_is_known_by_a_path_through_a_link(
    library: Library, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    link.symlink_to(tmp_path)
    assert library.match(str(link / "miles" / "blue.mp3")).id == "t1"


def test_a_title_may_look_like_a_home_folder(library: Library, store: MemoryStore) -> None:
    store.save_track(make_track("t4", title="~~~", path=b"tilde.mp3"))
    assert library.match("~~~").id == "t4"


def test_a_path_may_have_bytes_that_are_not_text(library: Library, tmp_path: Path) -> None:
    assert library.match(str(tmp_path) + "/blue \udcff.mp3").id == "t2"


@pytest.mark.parametrize("words", ["green", "GREEN blue", "blue gr", "blue in green"])
def test_a_track_is_known_by_words_of_its_title(library: Library, words: str) -> None:
    assert library.match(words).id == "t1"


def test_a_complete_title_wins_over_longer_ones(library: Library) -> None:
    assert library.match("blue").id == "t3"


def test_words_that_match_several_titles_list_them(library: Library) -> None:
    with pytest.raises(AmbiguousTrackError, match=r"'blu' matches 3 tracks; give the id of one") as caught:
        library.match("blu")
    assert caught.value.items == (
        "t3  Blue by Joni, Blue, 0:30",
        "t1  Blue in Green by Miles, Some Album, 0:30",
        "t2  Blue Train by Coltrane, Some Album, 0:30",
    )


def test_tracks_that_share_everything_else_are_told_apart_by_their_paths(
    library: Library, store: MemoryStore, tmp_path: Path
) -> None:
    for number in range(25):
        path = b"copies/%02d.mp3" % number
        store.save_track(
            make_track(f"x{number:02}", title="Twin", artist="Joni", album="Blue", year=1971, path=path)
        )
    store.save_track(make_track("y", title="Twin", artist="Joni", path=b"y.mp3"))
    with pytest.raises(AmbiguousTrackError, match="matches 26 tracks") as caught:
        library.match("twin")
    first, *_, last = caught.value.items
    assert first == f"x00  Twin by Joni, Blue (1971), 0:30, {tmp_path}/copies/00.mp3"
    assert (len(caught.value.items), last) == (21, "and 6 more; add words of the title to see fewer")


def test_a_folder_is_no_track(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UnknownTrackError, match=r"is a folder, not a track; give one of the files in it"):
        library.match(str(tmp_path))


@pytest.mark.parametrize("text", ["nobody", "miles", "", "!!!", "\udcff", "/etc/passwd", "x\0y"])
def test_words_that_match_nothing_are_unknown(library: Library, text: str) -> None:
    with pytest.raises(UnknownTrackError):
        library.match(text)


def test_an_unknown_id_is_unknown(library: Library) -> None:
    with pytest.raises(UnknownTrackError, match="'nobody'"):
        library.track(TrackId("nobody"))


@pytest.mark.parametrize("limit", [0, 101, -5])
def test_a_page_has_1_to_100_tracks(library: Library, limit: int) -> None:
    with pytest.raises(QueryError, match="1 to 100"):
        library.page(sort=Sort(), limit=limit)


def test_a_page_is_of_the_tracks_that_match(library: Library) -> None:
    page = library.page("blue", sort=Sort.parse("-title"), limit=2)
    assert ([track.id for track in page.tracks], page.total) == (["t2", "t1"], 3)
    assert library.count() == 3
