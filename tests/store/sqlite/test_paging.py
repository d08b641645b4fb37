"""Pages of a table are those of the sorted list, wherever they begin."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from soundalike.store.sqlite.paging import Listing, page_rows

KEYS = st.none() | st.integers(0, 3)
Rows = list[tuple[int | None, str]]


def in_order(keys: list[int | None], *, is_descending: bool) -> Rows:
    """Return key and id of every row: by key, ties by ascending id, missing keys last."""
    rows = [(key, f"{number:02}") for number, key in enumerate(keys)]
    having = sorted((key, one) for key, one in rows if key is not None)
    if is_descending:
        having.sort(key=lambda row: -row[0])
    return [*having, *((key, one) for key, one in rows if key is None)]


@given(st.lists(KEYS, max_size=12), st.booleans(), st.booleans(), st.data())
def test_a_page_is_a_part_of_the_sorted_list(
    keys: list[int | None],
    is_descending: bool,  # noqa: FBT001 - drawn
    is_indexed: bool,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    expected = in_order(keys, is_descending=is_descending)
    after = data.draw(st.none() | st.sampled_from(expected)) if expected else None
    offset, count = data.draw(st.integers(0, 14) | st.just(2**70)), data.draw(st.integers(0, 14))
    listing = Listing(
        table=f"things {'INDEXED BY by_key' if is_indexed else 'NOT INDEXED'}",
        column="key",
        where="is_there = ?",
        parameters=(1,),
        is_indexed=is_indexed,
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (id TEXT, key INTEGER, is_there INTEGER)")
        connection.execute("CREATE INDEX by_key ON things (key, id, is_there)")
        connection.executemany("INSERT INTO things VALUES (?, ?, 1)", [(one, key) for key, one in expected])
        connection.execute("INSERT INTO things VALUES ('hidden', 1, 0)")
        found = page_rows(
            connection, listing, is_descending=is_descending, after=after, offset=offset, count=count
        )
    first = 0 if after is None else expected.index(after) + 1
    assert [(key, one) for _, key, one in found] == expected[first:][offset:][:count]
