"""Pages of a journal are read as SQLite reads them: a last one that is not whole is none."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from making import make_listen
from soundalike.store.sqlite.journal import journal_checksum, journal_pages
from soundalike.store.sqlite.store import SqliteStore

HEADER, FRAME, PAGE = 32, 24, 4096
WORDS = st.integers(0, 500).flatmap(lambda pairs: arrays(np.uint32, 2 * pairs))


@given(sums=arrays(np.uint32, 2), words=WORDS)
def test_the_checksum_is_that_of_sqlite(sums: np.ndarray, words: np.ndarray) -> None:
    first, second = map(int, sums)
    for one, other in zip(words[::2].tolist(), words[1::2].tolist(), strict=True):
        first = (first + one + second) % 2**32
        second = (second + other + first) % 2**32
    assert journal_checksum(sums, words).tolist() == [first, second]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a crash, in its second use: pages of the first are behind those of the second."""
    path = tmp_path / "data" / "library.sqlite"
    with closing(SqliteStore(path)) as store:
        for user in range(20):
            store.add_listens([make_listen(100 * user + one, user_id=f"u{user}") for one in range(100)])
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(RESTART)")
        for number in range(5000, 5005):
            store.add_listens([make_listen(10 * number + one, user_id=f"u{one}") for one in range(3)])
        shutil.copytree(path.parent, tmp_path / "crashed")
    return tmp_path / "crashed" / "library.sqlite-wal"


def test_all_pages_of_the_last_use_are_read(journal: Path) -> None:
    pages = [page for _, page in journal_pages(journal)]
    written = journal.read_bytes()
    salts = written[16:24]
    whole = [
        written[start + FRAME : start + FRAME + PAGE]
        for start in range(HEADER, len(written), FRAME + PAGE)
        if written[start + 8 : start + 16] == salts
    ]
    assert pages == whole
    assert len(whole) > 20
    assert len(written) > HEADER + (len(whole) + 5) * (FRAME + PAGE)


def test_a_journal_that_is_cut_or_altered_anywhere_is_read_up_to_there(journal: Path) -> None:
    whole = list(journal_pages(journal))
    written = journal.read_bytes()
    for torn in (b"", written[:HEADER], bytes(HEADER) + written[HEADER:], written[:9] + b"!" + written[10:]):
        journal.write_bytes(torn)
        assert list(journal_pages(journal)) == []
    for number in range(len(whole)):
        start = HEADER + number * (FRAME + PAGE)
        page = slice(start + FRAME, start + FRAME + PAGE)
        for torn in (
            written[: start + 10],
            written[: page.stop - 1],
            written[: page.start] + bytes(PAGE) + written[page.stop :],
            written[: page.start] + whole[0][1][::-1] + written[page.stop :],
        ):
            journal.write_bytes(torn)
            assert list(journal_pages(journal)) == whole[:number]


def test_a_store_opens_with_a_last_page_of_which_only_the_header_was_written(
    journal: Path, tmp_path: Path
) -> None:
    whole = list(journal_pages(journal))
    written = journal.read_bytes()
    old = dict(reversed(whole))  # what was written first of each page
    for count, (number, _) in enumerate(whole):
        start = HEADER + count * (FRAME + PAGE) + FRAME
        for stale in (bytes(PAGE), old[number], whole[0][1]):
            folder = tmp_path / "killed"
            shutil.copytree(journal.parent, folder)
            (folder / journal.name).write_bytes(written[:start] + stale + written[start + PAGE :])
            (folder / "library.sqlite-shm").unlink(missing_ok=True)
            with closing(SqliteStore(folder / "library.sqlite")) as store:
                assert store.has_users() is False
            shutil.rmtree(folder)
