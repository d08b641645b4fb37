"""Random numbers that depend on the question alone."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class SeededRandom:
    """Random numbers from a hash: the same question gives the same numbers.

    Parameters
    ----------
    *question : str, float, None or sequence of str
        All that an answer may depend on.
    """

    def __init__(self, *question: str | float | Sequence[str] | None) -> None:
        self._key = hashlib.blake2b(json.dumps(question).encode(), digest_size=32).digest()

    def numbers(self, purpose: str, count: int) -> npt.NDArray[np.float64]:
        """Return numbers from 0 to 1, others for each purpose, shape (count,).

        Parameters
        ----------
        purpose : str
            What they are for.
        count : int
            How many.
        """
        stream = hashlib.shake_128(self._key + purpose.encode()).digest(4 * count)
        return np.frombuffer(stream, dtype="<u4").astype(np.float64) / 2**32
