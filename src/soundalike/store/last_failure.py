"""What a store that cannot be written to failed at, for those who ask without writing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from soundalike.domain.errors import StoreReplacedError, StoreUnfitError

_COUNTS_S = 10.0


class LastFailure:
    """The last write that failed because of the store itself; safe for several threads.

    It counts until a write succeeds. Not for ever, since nobody might write again and find that the store is
    repaired.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[str, float] | None = None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Remember that the block fails, if it does and the store is why.

        Whether it was replaced, each caller sees for themselves.
        """
        try:
            yield
        except StoreReplacedError:
            raise
        except StoreUnfitError as error:
            self._last = str(error), self._clock()
            raise

    def forget(self) -> None:
        """Take the store for writable again."""
        self._last = None

    def check(self) -> None:
        """Raise what the last write failed at, if that counts.

        Raises
        ------
        StoreUnfitError
            With the same text.
        """
        last = self._last
        if last is not None and self._clock() - last[1] <= _COUNTS_S:
            raise StoreUnfitError(last[0])
