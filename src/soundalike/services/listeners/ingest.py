"""Taking listens from clients: checked, made durable, counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.ports.listening import EventLog, ListenStore, LogHealth
from soundalike.domain.times import to_ms
from soundalike.domain.types import UserId

MAX_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many listens were new, and how many were known already; together those that were sent.

    `is_folded` tells whether recommendations follow from them at once; otherwise they do soon.
    """

    accepted: int
    duplicates: int
    is_folded: bool = True


class Listens:
    """What listeners do, on its way into the event log.

    Parameters
    ----------
    library : LibraryStore
        Knows the tracks.
    listens : ListenStore
        Keeps what was taken.
    log : EventLog
        Makes it durable.
    clock : callable
        Gives the time, UTC.
    """

    def __init__(
        self, library: LibraryStore, listens: ListenStore, log: EventLog, *, clock: Callable[[], datetime]
    ) -> None:
        self._library = library
        self._listens = listens
        self._log = log
        self._clock = clock

    def take(self, listens: Sequence[Listen]) -> Receipt:
        """Take listens, all or none; when this returns they are durable.

        Raises
        ------
        ListenError
            If one names an unknown track or a time more than 5 minutes ahead, with its index.
        EventLogError, StoreBusyError
            If they could not be made durable; send them again.
        """
        latest_ms = to_ms(self._clock() + MAX_AHEAD)
        known = self._library.tracks({listen.track_id for listen in listens})
        for index, listen in enumerate(listens):
            if listen.track_id not in known:
                msg = f"no track has the id {listen.track_id[:60]!r}"
                raise ListenError(msg, index)
            if listen.at_ms > latest_ms:
                msg = "at lies more than 5 minutes in the future; check the clock of the device"
                raise ListenError(msg, index)
        duplicates = self._log.append(listens)
        return Receipt(
            accepted=len(listens) - duplicates, duplicates=duplicates, is_folded=self._log.is_folding
        )

    def of(self, user_id: UserId) -> Iterator[Listen]:
        """Yield every listen of a user, oldest first."""
        return self._listens.listens_of(user_id)

    @property
    def is_folding(self) -> bool:
        """Whether recommendations follow from what was taken at once; otherwise they do soon."""
        return self._log.is_folding

    def log_health(self) -> LogHealth:
        """Tell how the event log is, as it was last known."""
        return self._log.health()
