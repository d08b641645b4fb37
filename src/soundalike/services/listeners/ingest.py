"""Listens from clients: checked, appended to the event log, counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.ports.listening import EventLog, LogHealth
from soundalike.domain.times import to_ms

MAX_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many listens were new, and how many were already known; together all that were sent.

    Where `is_folded`, profiles include them now; otherwise they will soon.
    """

    accepted: int
    duplicates: int
    is_folded: bool = True


class ListenIngest:
    """Accepts what listeners do, and appends it to the event log.

    Parameters
    ----------
    library : LibraryStore
        Knows the tracks.
    log : EventLog
        Makes listens durable.
    clock : callable
        Gives the time, UTC.
    """

    def __init__(self, library: LibraryStore, log: EventLog, *, clock: Callable[[], datetime]) -> None:
        self._library = library
        self._log = log
        self._clock = clock

    def ingest(self, listens: Sequence[Listen]) -> Receipt:
        """Append listens, all or none; when this returns they are durable.

        Raises
        ------
        ListenError
            If one has an unknown track or a time more than 5 minutes in the future, with its index.
        EventLogError, StoreBusyError
            If they could not be made durable; they may be sent again.
        """
        latest_ms = to_ms(self._clock() + MAX_AHEAD)
        known = self._library.tracks({listen.track_id for listen in listens})
        for index, listen in enumerate(listens):
            if listen.track_id not in known:
                msg = f"there is no track with the id {listen.track_id[:60]!r}"
                raise ListenError(msg, index)
            if listen.at_ms > latest_ms:
                msg = "its time is more than 5 minutes in the future; check the clock of the device"
                raise ListenError(msg, index)
        duplicates = self._log.append(listens)
        return Receipt(
            accepted=len(listens) - duplicates, duplicates=duplicates, is_folded=self._log.is_folding
        )

    @property
    def is_folding(self) -> bool:
        """Whether profiles include listens as soon as they are appended; otherwise they will soon."""
        return self._log.is_folding

    def log_health(self) -> LogHealth:
        """Return the state of the event log, as it was last known."""
        return self._log.health()
