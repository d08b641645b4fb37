"""Importing exported listens: line by line, in batches; repeating it changes nothing."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Erased, Erasure, Listen, LogEntry
from soundalike.domain.ports.library import OnProgress, Store
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.times import from_ms, rfc3339, to_ms
from soundalike.domain.types import LibraryId, TrackId, UserId
from soundalike.services.listeners.ingest import MAX_AHEAD
from soundalike.wire.listens import imported_from

MAX_LINE_BYTES = 64 * 1024
_BATCH = 5_000
_USER = attrgetter("user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Listens that were left out, since they are dated ahead of the clock; a later import takes them.

    Parameters
    ----------
    listens : int
        How many.
    first_line : int
        In which line the first is, from 1.
    until : str
        The latest of their dates, by RFC 3339.
    now : str
        What the clock showed when the import began, by RFC 3339.
    """

    listens: int
    first_line: int
    until: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The result of an import.

    Parameters
    ----------
    accepted, duplicates, hidden : int
        Listens that were new, already known, and hidden by an erasure.
    erasures : int
        Erasures that were applied.
    unknown_tracks, unknown_listens : int
        How many tracks are not in the library (yet), and how many listens of them; these are stored.
    left_out : LeftOut or None
        Listens that are dated ahead of the clock.
    """

    accepted: int
    duplicates: int
    hidden: int
    erasures: int
    unknown_tracks: int
    unknown_listens: int
    left_out: LeftOut | None


class ListenImporter:
    """Appends JSON lines, as ``events export`` writes them, to the event log.

    A listen that is already in the log counts once, so an interrupted import is simply repeated. Nothing
    is folded here: call `Profiles.catch_up` at the end, which folds each user once.

    Listens that are dated more than 5 minutes ahead of the clock are left out, as a device with a fast clock
    made them, or a server that had one when it took them: folded now, they would count as the newest of all
    for as long as they are ahead. An erasure that is dated so counts as one of now.

    Parameters
    ----------
    store : Store
        Knows the tracks, and what is erased of users.
    log : EventLog
        Where listens and erasures go; it should not fold each batch.
    library_id : LibraryId
        Only what an export of this library says of its users' generations is believed.
    clock : callable
        Gives the time, UTC.
    """

    def __init__(
        self,
        store: Store,
        log: EventLog,
        *,
        library_id: LibraryId,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._log = log
        self._library_id = library_id
        self._clock = clock

    def import_lines(
        self, lines: Iterable[bytes], progress: OnProgress = lambda _done, _total: None
    ) -> ImportReport:
        """Import every line; blank ones are skipped.

        Parameters
        ----------
        lines : iterable of bytes
            One JSON object each.
        progress : callable
            Is called with (lines done, 0).

        Raises
        ------
        ListenError
            At the first line that is invalid, or an erasure without a number that is dated ahead of the
            clock, with its number from 1; the lines before it are imported.
        EventLogError, StoreBusyError
            If listens could not be made durable; import them again.
        """
        run = _Run(now=self._clock())
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                self._take(run, _entry(line, self._library_id), number)
            except ListenError as error:
                self._append(run)
                done = "the lines before it are imported"
                msg = f"line {number:,}: {error}; {done}; correct it and run the import again"
                raise ListenError(msg) from None
            if len(run.batch) == _BATCH:
                self._append(run)
                progress(number, 0)
        self._append(run)
        return run.report()

    def _erased(self, run: "_Run", user_id: UserId) -> Erased:
        """Return what is erased of a user, with what this import appended: the store may not have it yet."""
        if user_id not in run.erased:
            run.erased[user_id] = self._store.erased(user_id)
        return run.erased[user_id]

    def _take(self, run: "_Run", entry: LogEntry, number: int) -> None:
        """Apply an erasure; put a listen into the batch, unless it is left out."""
        erased = self._erased(run, entry.user_id)
        if isinstance(entry, Erasure):
            self._erase(run, entry, erased)
        elif erased.is_unknown(entry):
            msg = (
                f"it is from after an erasure of {entry.user_id!r} that this library does not know; "
                "import the whole export, in which erasures come first"
            )
            raise ListenError(msg)
        elif run.is_ahead(entry) and not erased.hides(entry):
            run.leave_out(entry, number)
        else:
            run.batch.append(entry)

    def _erase(self, run: "_Run", erasure: Erasure, erased: Erased) -> None:
        run.erasures += 1
        if run.is_ahead(erasure):
            if erasure.generation is None:
                # Only its date says what it hides: all that is stored, and all that is done until then.
                msg = (
                    f"the erasure of {erasure.user_id!r} is dated {rfc3339(from_ms(erasure.at_ms))}, and the "
                    f"clock of this machine says {rfc3339(run.now)}; if it is right, a fast clock dated the "
                    "erasure: set erased_until to when it was asked for"
                )
                raise ListenError(msg)
            if erasure.generation <= erased.generation:
                return  # known, with a date that was not ahead at the start
            erasure = replace(erasure, at_ms=to_ms(run.now))
        self._log.erase(erasure)
        run.erased[erasure.user_id] = erased.after(erasure)

    def _append(self, run: "_Run") -> None:
        """Append a batch, and remember which tracks are unknown."""
        if not run.batch:
            return
        asked = {listen.track_id for listen in run.batch} - run.known - run.unknown.keys()
        run.known |= self._store.tracks(asked).keys()
        run.unknown.update(one.track_id for one in run.batch if one.track_id not in run.known)
        # Stores keep a user's listens together. The sort is stable: of one id, the first stays first.
        of_users = groupby(sorted(run.batch, key=_USER), key=_USER)
        visible = [one for user_id, some in of_users for one in self._erased(run, user_id).visible(some)]
        duplicates = self._log.append(visible)
        run.duplicates += duplicates
        run.hidden += len(run.batch) - len(visible)
        run.accepted += len(visible) - duplicates
        run.batch = []


@dataclass(slots=True, kw_only=True)
class _Run:
    """The state of one import."""

    now: datetime
    batch: list[Listen] = field(default_factory=list)
    known: set[TrackId] = field(default_factory=set)
    unknown: Counter[TrackId] = field(default_factory=Counter)
    erased: dict[UserId, Erased] = field(default_factory=dict)
    accepted: int = 0
    duplicates: int = 0
    hidden: int = 0
    erasures: int = 0
    ahead: int = 0
    first_ahead: int = 0
    until_ms: int = 0

    def is_ahead(self, entry: LogEntry) -> bool:
        return entry.at_ms > to_ms(self.now + MAX_AHEAD)

    def leave_out(self, listen: Listen, number: int) -> None:
        self.first_ahead = self.first_ahead or number
        self.ahead += 1
        self.until_ms = max(self.until_ms, listen.at_ms)

    def left_out(self) -> LeftOut | None:
        if not self.ahead:
            return None
        return LeftOut(
            listens=self.ahead,
            first_line=self.first_ahead,
            until=rfc3339(from_ms(self.until_ms)),
            now=rfc3339(self.now),
        )

    def report(self) -> ImportReport:
        return ImportReport(
            accepted=self.accepted,
            duplicates=self.duplicates,
            hidden=self.hidden,
            erasures=self.erasures,
            unknown_tracks=len(self.unknown),
            unknown_listens=self.unknown.total(),
            left_out=self.left_out(),
        )


def _entry(line: bytes, library_id: LibraryId) -> LogEntry:
    if len(line) > MAX_LINE_BYTES:
        msg = f"it is longer than {MAX_LINE_BYTES:,} bytes"
        raise ListenError(msg)
    try:
        body = json.loads(line.decode())
    except (ValueError, RecursionError):
        msg = "it is not JSON"
        raise ListenError(msg) from None
    return imported_from(body, library_id)
