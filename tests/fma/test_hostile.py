"""Whatever is in FMA's files, what is right in them is read."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fma_files import COLUMNS, FOOD, text_of, write_features, write_genres, write_tracks
from soundalike.domain.fma import FMA_MFCC, BadRow, FmaTrack
from soundalike.fma.folder import FmaFolder
from soundalike.fma.lists import genres_in

PIECES = [
    b",", b"\n", b"\r", b'"', b"\x00", b"\xff", b"\xef\xbb\xbf", b"2", b"7", b"nan", b"inf", b"-1", b"1e999",
    b"[21]", b"[[[[", b"#", b"track_id", b",,,,,,,,", b"x" * 70, b"0x10", b"1_0", b" ", b"\x1a", b"\xc2\xb2",
]  # fmt: skip
RUBBISH = st.one_of(
    st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)
)  # fmt: skip


@given(RUBBISH)
def test_rubbish_among_tracks_costs_no_other_track(rubbish: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_genres(Path(folder), {21: ("Hip-Hop", 0)})
        path = write_tracks(Path(folder), {2: FOOD})
        after = text_of([["5", *(FOOD.get(f"{group}.{name}", "") for group, name in COLUMNS)]])
        # A quote that is not closed takes what follows for its own text, until one closes it.
        path.write_bytes(path.read_bytes() + rubbish.replace(b'"', b"'") + b"\n" + after.encode())
        found = {one.number: one for one in FmaFolder(Path(folder)).tracks() if isinstance(one, FmaTrack)}
    assert found[2].tags.title == "Food"
    assert 5 in found


@given(RUBBISH)
def test_quotes_among_tracks_never_stop_the_reader(rubbish: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_tracks(Path(folder), {2: FOOD})
        path.write_bytes(path.read_bytes() + rubbish)
        (Path(folder) / "genres.csv").write_bytes(b"genre_id,title,parent\n" + rubbish)
        found = [one for one in FmaFolder(Path(folder)).tracks() if isinstance(one, FmaTrack)]
    assert found[0].tags.title == "Food"


@given(RUBBISH)
def test_rubbish_among_features_costs_no_other_row(rubbish: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_features(Path(folder), {2: 1, 5: 2}, families=["mfcc"])
        head, _, last = path.read_bytes().rstrip(b"\n").rpartition(b"\n")
        path.write_bytes(head + b"\n" + rubbish + b"\n" + last + b"\n")
        found = list(FmaFolder(Path(folder)).features(FMA_MFCC))
    numbers = [number for one in found if not isinstance(one, BadRow) for number in one[0].tolist()]
    assert {2, 5} <= set(numbers)


@given(st.one_of(st.text(max_size=100), st.text("[]{}()0123456789,'-+*. 'genre_idjbr\\", max_size=100)))
def test_a_list_is_read_or_refused(cell: str) -> None:
    try:
        found = genres_in(cell)
    except ValueError:
        return
    assert all(isinstance(number, int) for number, _ in found)
