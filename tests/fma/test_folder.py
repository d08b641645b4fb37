"""FMA's files as they are, and as they are when they are damaged or hostile: nothing is fatal."""

from collections import Counter
from pathlib import Path

import pytest

from fma_files import COLUMNS, FOOD, text_of, write_features, write_genres, write_tracks
from soundalike.domain.errors import FmaError
from soundalike.domain.fma import FMA, FMA_MFCC, BadRow, FmaTrack, Trouble
from soundalike.domain.tags import ExternalId, ExternalIdKind
from soundalike.fma.folder import FmaFolder
from soundalike.fma.rows import LONGEST_FIELD

GENRES = {21: ("Hip-Hop", 0), 45: ("Loud-Rock", 12), 12: ("Rock", 0), 31: ("Metal", 45)}
REAL = Path(__file__).parents[3] / "shared" / "data" / "fma"


def read(folder: Path) -> tuple[dict[int, FmaTrack], Counter[Trouble]]:
    found = list(FmaFolder(folder).tracks())
    tracks = [one for one in found if isinstance(one, FmaTrack)]
    assert len({one.number for one in tracks}) == len(tracks)
    return {one.number: one for one in tracks}, Counter(
        one.trouble for one in found if isinstance(one, BadRow)
    )


def test_a_row_of_tracks_csv_is_a_track(tmp_path: Path) -> None:
    assert len(COLUMNS) == 52
    write_genres(tmp_path, GENRES)
    write_tracks(
        tmp_path, {2: FOOD, 3: FOOD | {"track.genres_all": "[12, 31, 45]", "track.genre_top": "Rock"}}
    )
    tracks, troubles = read(tmp_path)
    tags = tracks[2].tags
    assert (tags.title, tags.artists, tags.album, tags.year) == (
        "Food", ("AWOL",), "AWOL - A Way Of Life", 2009,
    )  # fmt: skip
    assert (tags.track_number, tags.original_date, tracks[2].duration_ms) == (3, "2009-01-05", 168_000)
    assert tags.external_ids == (ExternalId(ExternalIdKind.FMA, "2"),)
    assert tags.licence == "Attribution-NonCommercial-ShareAlike 3.0 International"
    assert tags.dataset == {"subset": "small", "split": "training"}
    assert tags.genres == ("Hip-Hop",)
    assert tracks[3].tags.genres == ("Rock", "Hip-Hop", "Metal", "Loud-Rock")
    assert tracks[3].tags.genre_parents == {"Metal": "Loud-Rock", "Loud-Rock": "Rock"}
    assert not troubles


def test_an_album_of_three_artists_is_a_compilation(tmp_path: Path) -> None:
    write_tracks(
        tmp_path,
        {number: FOOD | {"artist.id": number, "album.id": number // 10} for number in (11, 12, 13, 21, 22)},
    )
    tracks, _ = read(tmp_path)
    assert {number: track.tags.is_compilation for number, track in tracks.items()} == {
        11: True, 12: True, 13: True, 21: False, 22: False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "trouble"),
    [
        ("x,1\n", Trouble.OTHER_COLUMNS),
        (text_of([["", *[""] * 52]]), Trouble.NO_ID),
        (text_of([["-3", *[""] * 52]]), Trouble.NO_ID),
        (text_of([["9" * 400, *[""] * 52]]), Trouble.NO_ID),
        (text_of([["2", *[""] * 52]]), Trouble.TWICE),
        ("7," + "x" * (LONGEST_FIELD + 10) + "\n", Trouble.TOO_LONG),
    ],
)
def test_a_bad_row_is_named_and_those_after_it_are_read(tmp_path: Path, cells: str, trouble: Trouble) -> None:
    path = write_tracks(tmp_path, {2: FOOD})
    after = text_of([["5", *(FOOD.get(f"{group}.{name}", "") for group, name in COLUMNS)]])
    path.write_text(path.read_text() + cells + after)
    tracks, troubles = read(tmp_path)
    assert set(tracks) == {2, 5}
    assert troubles == {trouble: 1}


@pytest.mark.parametrize(
    "cell",
    [
        "[21", "__import__('os').abort()", "[" * 9_000, "(" * 90 + ")" * 90, "{21}", "['x']", "[True]", "21",
        "[2**99**99]", "[" + "1," * 400 + "]", "[{'genre': 1}]", "[1j]",
    ],
)  # fmt: skip
def test_a_list_that_is_none_costs_only_itself(tmp_path: Path, cell: str) -> None:
    write_genres(tmp_path, GENRES)
    write_tracks(tmp_path, {2: FOOD | {"track.genres": cell}})
    tracks, troubles = read(tmp_path)
    assert tracks[2].tags.genres == ("Hip-Hop",)
    assert troubles == {Trouble.BAD_LIST: 1}


def test_a_genre_that_no_file_names_is_counted(tmp_path: Path) -> None:
    write_genres(tmp_path, GENRES)
    write_tracks(tmp_path, {2: FOOD | {"track.genres": "[21, 999]"}})
    tracks, troubles = read(tmp_path)
    assert (tracks[2].tags.genres, troubles) == (("Hip-Hop",), {Trouble.UNKNOWN_GENRE: 1})


def test_genres_that_are_their_own_parents_end(tmp_path: Path) -> None:
    write_genres(tmp_path, {21: ("Hip-Hop", 22), 22: ("Rap", 21)})
    write_tracks(tmp_path, {2: FOOD})
    tracks, _ = read(tmp_path)
    assert tracks[2].tags.genres == ("Hip-Hop", "Rap")


def test_bytes_that_are_not_utf8_are_read_as_windows_1252(tmp_path: Path) -> None:
    path = write_tracks(tmp_path, {2: FOOD | {"track.title": "Caf? \u00e9t\u00e9"}})
    path.write_bytes(path.read_bytes().replace(b"Caf?", b"Caf\xe9-\x80\x81"))
    tracks, troubles = read(tmp_path)
    assert tracks[2].tags.title == "Caf\u00e9-\u20ac \u00e9t\u00e9"
    assert troubles == {Trouble.NOT_UTF8: 1}


def test_letters_that_are_written_as_in_a_page_are_read(tmp_path: Path) -> None:
    write_tracks(tmp_path, {2: FOOD | {"artist.name": "Tom &amp; Ann  &#233;"}})
    assert read(tmp_path)[0][2].tags.artists == ("Tom & Ann \u00e9",)


def test_control_characters_are_left_out(tmp_path: Path) -> None:
    write_genres(tmp_path, {21: ("Hip\0-Hop", 0)})
    write_tracks(tmp_path, {2: FOOD | {"track.title": "Ti\0tle\x1b &#7;5", "artist.name": "A\x85n\x9bn"}})
    tags = read(tmp_path)[0][2].tags
    assert (tags.title, tags.artists, tags.genres) == ("Title 5", ("A nn",), ("Hip-Hop",))


def test_text_of_several_lines_is_one_cell_and_long_names_are_cut(tmp_path: Path) -> None:
    write_tracks(tmp_path, {2: FOOD | {"album.information": "<p>a\nb\r\nc</p>", "track.title": "x" * 9_000}})
    tracks, troubles = read(tmp_path)
    assert (len(tracks[2].tags.title or ""), troubles) == (500, {})


def test_raw_tracks_complete_tracks_and_stand_in_for_them(tmp_path: Path) -> None:
    header = [
        "track_id",
        "track_title",
        "artist_name",
        "album_title",
        "track_disc_number",
        "track_duration",
        "track_genres",
    ]
    genres = "[{'genre_id': '21', 'genre_title': 'Hip-Hop', 'genre_url': 'u'}]"
    rows = [[2, "Food", "AWOL", "One", 2, "02:48", genres], [9, "Only raw", "", "", 1, "1:00:00", ""]]
    (tmp_path / "raw_tracks.csv").write_text(text_of([header, *rows]))
    tracks, _ = read(tmp_path)
    assert {number: track.duration_ms for number, track in tracks.items()} == {2: 168_000, 9: 3_600_000}
    assert (tracks[2].tags.genres, tracks[2].tags.disc_number) == (("Hip-Hop",), 2)
    write_tracks(tmp_path, {2: FOOD})
    tracks, _ = read(tmp_path)
    assert set(tracks) == {2}
    assert (tracks[2].tags.album, tracks[2].tags.disc_number) == ("AWOL - A Way Of Life", 2)


def test_a_file_that_is_not_fmas_is_said(tmp_path: Path) -> None:
    with pytest.raises(FmaError, match="has none of FMA's files"):
        FmaFolder(tmp_path)
    (tmp_path / "tracks.csv").write_text("id,name\n1,x\n")
    with pytest.raises(FmaError, match=r"tracks\.csv.*lacks.*title"):
        list(FmaFolder(tmp_path).tracks())
    (tmp_path / "features.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FmaError, match=r"features\.csv.*518 features"):
        FmaFolder(tmp_path).feature_set()


def test_features_are_read_by_their_headers(tmp_path: Path) -> None:
    cells = ["1.5"] * len(FMA)
    rows = {
        2: 7, 3: [""] * len(FMA), 4: ["nan"] * len(FMA), 5: [*cells[:-1], "inf"], 6: cells[:-1],
        7: [*cells[:-1], "1e300"], 8: [*cells[:-1], "x"], 9: cells, 0: cells,
    }  # fmt: skip
    path = write_features(tmp_path, rows)
    path.write_text(path.read_text() + "\n")
    folder = FmaFolder(tmp_path)
    assert folder.feature_set() == FMA
    found = list(folder.features(FMA))
    troubles = {one.number: one.trouble for one in found if isinstance(one, BadRow)}
    assert troubles == {
        3: Trouble.NO_FEATURES, 4: Trouble.NO_FEATURES, 5: Trouble.BAD_FEATURES, 6: Trouble.OTHER_COLUMNS,
        7: Trouble.BAD_FEATURES, 8: Trouble.BAD_FEATURES, None: Trouble.NO_ID,
    }  # fmt: skip
    ((numbers, values),) = [one for one in found if not isinstance(one, BadRow)]
    assert (numbers.tolist(), values.shape, values.dtype.name) == ([2, 9], (2, 518), "float32")
    assert (values[1] == 1.5).all()


def test_a_file_of_mfccs_is_a_set_of_its_own(tmp_path: Path) -> None:
    write_features(tmp_path, {2: 7}, families=["mfcc"])
    assert FmaFolder(tmp_path).feature_set() == FMA_MFCC


@pytest.mark.skipif(not REAL.is_dir(), reason="no real FMA metadata beside the checkout")
def test_the_real_excerpts_and_the_index_of_fma_small() -> None:
    tracks, troubles = read(REAL)
    assert troubles == {Trouble.NOT_UTF8: 1, Trouble.BAD_CLIP: 12}
    assert len(tracks) == 9_855
    assert sum((track.tags.dataset or {}).get("subset") == "small" for track in tracks.values()) == 8_000
    assert (tracks[2].tags.title, tracks[2].tags.dataset) == ("Food", {"subset": "small"})
    assert tracks[3451].tags.album == "Live at WFMU on Brian Turner's Show on 12/5/2006?\u20ac?"
