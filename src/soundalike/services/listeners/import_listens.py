"""Importing exported listens: line by line, in batches; repeating it changes nothing."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from soundalike.domain.errors import ListenError
from soundalike.domain.listens import Erasure, Listen, LogEntry
from soundalike.domain.ports.library import LibraryStore, OnProgress
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.times import to_ms
from soundalike.domain.types import LibraryId, TrackId
from soundalike.services.listeners.ingest import MAX_AHEAD
from soundalike.wire.listens import imported_from

MAX_LINE_BYTES = 64 * 1024
_BATCH = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The result of an import.

    Parameters
    ----------
    accepted, duplicates : int
        Listens that were new, and those that were already known or erased.
    erasures : int
        Erasures that were applied.
    unknown_tracks, unknown_listens : int
        How many tracks are not in the library (yet), and how many listens of them; these are stored.
    """

    accepted: int
    duplicates: int
    erasures: int
    unknown_tracks: int
    unknown_listens: int


class ListenImporter:
    """Appends JSON lines, as ``events export`` writes them, to the event log.

    A listen that is already in the log counts once, so an interrupted import is simply repeated. Nothing
    is folded here: call `Profiles.catch_up` at the end, which folds each user once.

    Parameters
    ----------
    library : LibraryStore
        Knows the tracks.
    log : EventLog
        Where listens and erasures go; it should not fold each batch.
    library_id : LibraryId
        Only what an export of this library says of its users' generations is believed.
    clock : callable
        Gives the time, UTC.
    """

    def __init__(
        self,
        library: LibraryStore,
        log: EventLog,
        *,
        library_id: LibraryId,
        clock: Callable[[], datetime],
    ) -> None:
        self._library = library
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
            At the first line that is invalid, with its number from 1; the lines before it are imported.
        EventLogError, StoreBusyError
            If listens could not be made durable; import them again.
        """
        run = _Run(latest_ms=to_ms(self._clock() + MAX_AHEAD))
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                entry = _entry(line, run.latest_ms, self._library_id)
            except ListenError as error:
                self._append(run)
                done = "the lines before it are imported"
                msg = f"line {number:,}: {error}; {done}; correct it and run the import again"
                raise ListenError(msg) from None
            if isinstance(entry, Erasure):
                self._log.erase(entry)
                run.erasures += 1
                continue
            run.batch.append(entry)
            if len(run.batch) == _BATCH:
                self._append(run)
                progress(number, 0)
        self._append(run)
        return run.report()

    def _append(self, run: "_Run") -> None:
        """Append a batch, and remember which tracks are unknown."""
        if not run.batch:
            return
        asked = {listen.track_id for listen in run.batch} - run.known - run.unknown.keys()
        run.known |= self._library.tracks(asked).keys()
        run.unknown.update(one.track_id for one in run.batch if one.track_id not in run.known)
        # Stores keep a user's listens together. The sort is stable: of one id, the first stays first.
        duplicates = self._log.append(sorted(run.batch, key=attrgetter("user_id")))
        run.duplicates += duplicates
        run.accepted += len(run.batch) - duplicates
        run.batch = []


@dataclass(slots=True, kw_only=True)
class _Run:
    """The state of one import."""

    latest_ms: int
    batch: list[Listen] = field(default_factory=list)
    known: set[TrackId] = field(default_factory=set)
    unknown: Counter[TrackId] = field(default_factory=Counter)
    accepted: int = 0
    duplicates: int = 0
    erasures: int = 0

    def report(self) -> ImportReport:
        return ImportReport(
            accepted=self.accepted,
            duplicates=self.duplicates,
            erasures=self.erasures,
            unknown_tracks=len(self.unknown),
            unknown_listens=self.unknown.total(),
        )


def _entry(line: bytes, latest_ms: int, library_id: LibraryId) -> LogEntry:
    if len(line) > MAX_LINE_BYTES:
        msg = f"it is longer than {MAX_LINE_BYTES:,} bytes"
        raise ListenError(msg)
    try:
        body = json.loads(line.decode())
    except (ValueError, RecursionError):
        msg = "it is not JSON"
        raise ListenError(msg) from None
    entry = imported_from(body, library_id)
    if entry.at_ms > latest_ms:
        msg = "its time is more than 5 minutes in the future; check the clock"
        raise ListenError(msg)
    return entry
