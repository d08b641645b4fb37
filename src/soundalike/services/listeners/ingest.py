"""Listens from clients: checked, appended to the event log, counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from soundalike.domain.errors import AheadOfClockError, MissingTracksError, UnknownGenerationError
from soundalike.domain.listens import Erased, Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog, LogHealth
from soundalike.domain.times import to_ms
from soundalike.domain.types import UserId

MAX_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of the listens that were sent.

    Parameters
    ----------
    accepted, duplicates, hidden : int
        How many were new, already known, and from before an erasure of the user's data; together all that
        were sent.
    generation : int
        In which generation the user's data is: what the user does from now on belongs in it.
    is_folded : bool
        Whether profiles include them now; otherwise they will soon, and those that the log had already count
        as accepted.
    """

    accepted: int
    duplicates: int = 0
    hidden: int = 0
    generation: int = 0
    is_folded: bool = True


class ListenIngest:
    """Accepts what listeners do, and appends it to the event log.

    Parameters
    ----------
    store : Store
        Knows the tracks, and what is erased of listeners.
    log : EventLog
        Makes listens durable.
    clock : callable
        Gives the time, UTC.
    """

    def __init__(self, store: Store, log: EventLog, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._log = log
        self._clock = clock

    def ingest(self, user_id: UserId, listens: Sequence[Listen]) -> Receipt:
        """Append listens of one user, all or none; when this returns they are durable.

        Those that an erasure hides are left out: by their generation, or by date where they name none. The
        others are appended as listens of the user's generation, so that no date decides about them again.

        Parameters
        ----------
        user_id : UserId
            Who listened.
        listens : sequence of Listen
            What they did.

        Raises
        ------
        UnknownGenerationError, MissingTracksError, AheadOfClockError
            If some are of a generation that has not begun here, of tracks that are not here, or more than 5
            minutes in the future, with their indexes; they may be taken later.
        EventLogError, StoreBusyError
            If they could not be made durable; they may be sent again.
        """
        erased = self._store.erased(user_id)
        _check_generations(listens, erased)
        self._check_tracks(listens, erased)
        self._check_dates(listens, erased)
        visible = erased.visible(listens)
        duplicates = self._log.append(visible)
        accepted, hidden = len(visible) - duplicates, len(listens) - len(visible)
        generation = self._store.erased(user_id).generation if duplicates else erased.generation
        if generation > erased.generation:  # an erasure came in between: what is not new is hidden
            hidden, duplicates = hidden + duplicates, 0
        return Receipt(
            accepted=accepted,
            duplicates=duplicates,
            hidden=hidden,
            generation=generation,
            is_folded=self._log.is_folding,
        )

    def _check_tracks(self, listens: Sequence[Listen], erased: Erased) -> None:
        known = self._store.tracks({listen.track_id for listen in listens})
        missing = [n for n, one in enumerate(listens) if one.track_id not in known and not erased.hides(one)]
        if missing:
            msg = (
                f"there is no track with the id {listens[missing[0]].track_id[:60]!r} now: its disk may "
                "be missing, or an older backup was restored; send the events without those that 'indexes' "
                "names, and send these later"
            )
            raise MissingTracksError(msg, missing)

    def _check_dates(self, listens: Sequence[Listen], erased: Erased) -> None:
        now = self._clock()
        latest_ms = to_ms(now + MAX_AHEAD)
        ahead = [n for n, one in enumerate(listens) if one.at_ms > latest_ms and not erased.hides(one)]
        if ahead:
            msg = (
                "some events are more than 5 minutes ahead of the server's clock; "
                "send the others without them, check both clocks, and send them later"
            )
            raise AheadOfClockError(msg, ahead, server_time=now)

    @property
    def is_folding(self) -> bool:
        """Whether profiles include listens as soon as they are appended; otherwise they will soon."""
        return self._log.is_folding

    def check_store(self) -> None:
        """Raise if it is known that the store takes nothing now; see `LibraryRecord.check_writable`."""
        self._store.check_writable()

    def log_health(self) -> LogHealth:
        """Return the state of the event log, as it was last known."""
        return self._log.health()


def _check_generations(listens: Sequence[Listen], erased: Erased) -> None:
    unknown = [index for index, listen in enumerate(listens) if erased.is_unknown(listen)]
    if unknown:
        msg = (
            "some events are from after a deletion of the user's data that this library does not know, as "
            "when an older backup is restored; send the others without them, and send them later"
        )
        raise UnknownGenerationError(msg, unknown, generation=erased.generation)
