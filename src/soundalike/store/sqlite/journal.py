"""Reading the journal of a store as SQLite does where it recovers one: each page that was written whole.

A process that is killed may leave a last page of which only the header is new. So every page is checked by
its checksum: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_BIG_ENDIAN_SUMS = 0x377F0683

Sums = npt.NDArray[np.uint32]


def journal_pages(journal: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the pages in a journal, in the order in which they were written, with their numbers in the file.

    Raises
    ------
    OSError
        If the journal cannot be read.
    """
    with journal.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return
        order = ">u4" if int.from_bytes(header[:4], "big") == _BIG_ENDIAN_SUMS else "<u4"
        page_size, salts = int.from_bytes(header[8:12], "big"), header[16:24]
        sums = journal_checksum(np.zeros(2, np.uint32), np.frombuffer(header[:24], order))
        if sums.astype(">u4").tobytes() != header[24:]:
            return
        while len(frame := file.read(_FRAME_HEADER_BYTES)) == _FRAME_HEADER_BYTES and frame[8:16] == salts:
            page = file.read(page_size)
            if len(page) < page_size:
                return
            sums = journal_checksum(sums, np.frombuffer(frame[:8] + page, order))
            if sums.astype(">u4").tobytes() != frame[16:24]:
                return
            yield int.from_bytes(frame[:4], "big"), page


def journal_checksum(sums: Sums, words: npt.NDArray[np.integer]) -> Sums:
    """Continue the checksum of a journal.

    SQLite adds two words at a time, ``s0 += w[i] + s1; s1 += w[i + 1] + s0``. Written out, each word counts
    as often as a Fibonacci number says, modulo 2**32.

    Parameters
    ----------
    sums : array of uint32, shape (2,)
        Of what comes before.
    words : array of int, shape (n,)
        What comes now; `n` is even.

    Returns
    -------
    array of uint32, shape (2,)
    """
    return np.asarray(_weights(len(words)) @ np.concatenate([words.astype(np.uint32), sums]))


@lru_cache(maxsize=8)
def _weights(count: int) -> Sums:
    """Return how often each word, and both sums before, count in the sums after, shape (2, count + 2)."""
    numbers = [1, 0]  # F(-1), F(0)
    for _ in range(count + 1):
        numbers.append((numbers[-1] + numbers[-2]) % (1 << 32))
    first, second = numbers[1 : count + 1], numbers[2 : count + 2]
    rows = [[*first[::-1], *numbers[count : count + 2]], [*second[::-1], *numbers[count + 1 : count + 3]]]
    return np.array(rows, dtype=np.uint32)
