"""Scans: who brings the library in step with its folders, how far that is, and what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

LEASE_S = 30.0
"""Whose beat stands still for so long holds the lease no longer."""


class ScanState(StrEnum):
    """What is going on."""

    IDLE = "idle"
    SCANNING = "scanning"
    """Folders are walked."""

    ANALYSING = "analysing"
    LEARNING = "learning"
    PAUSED = "paused"
    """Nothing is begun, and what runs waits, until it is resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """How far a scan is.

    Parameters
    ----------
    state : ScanState
        What it does.
    done, total : int
        Files; `total` is 0 while unknown.
    seconds_left : int or None
        How long the rest will take, None while unknown.
    """

    state: ScanState = ScanState.SCANNING
    done: int = 0
    total: int = 0
    seconds_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What became of a scan.

    Parameters
    ----------
    finished_ms : int
        When, since 1970, UTC.
    found, unusable : int
        Audio files in the folders that were scanned, and those of them that cannot be used.
    added, changed, moved, returned, vanished : int
        Tracks.
    problem : str
        Why it was not whole; empty if it was.
    """

    finished_ms: int
    found: int = 0
    unusable: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    returned: int = 0
    vanished: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """The one record of scans that a store has: the lease, and what those who wait are told.

    Who holds the lease raises `beat` every few seconds. No clock is stored: whoever wants the lease watches
    `beat` on a clock of their own (`BeatWatch`).

    Parameters
    ----------
    revision : int
        Raised by the store with every change.
    owner : str or None
        Who holds the lease.
    beat : int
        Raised as long as its owner lives.
    wanted : int
        How many scans were asked for so far.
    taken : int
        What `wanted` was when the last scan of everything began.
    is_paused : bool
        Whether analysis waits.
    started_ms : int or None
        When the scan that runs began, since 1970, UTC.
    progress : ScanProgress
        Of the scan that runs.
    last : ScanResult or None
        The last one that ended.
    """

    revision: int = 0
    owner: str | None = None
    beat: int = 0
    wanted: int = 0
    taken: int = 0
    is_paused: bool = False
    started_ms: int | None = None
    progress: ScanProgress = ScanProgress()
    last: ScanResult | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether a scan was asked for that nobody has begun."""
        return self.wanted > self.taken

    @property
    def state(self) -> ScanState:
        """What is going on."""
        if self.is_paused:
            return ScanState.PAUSED
        return ScanState.IDLE if self.owner is None else self.progress.state

    def freed(self) -> "ScanRecord":
        """Return the record once nobody holds the lease."""
        return replace(self, owner=None, started_ms=None, progress=ScanProgress())


class BeatWatch:
    """Tells whether the owner of a lease is still alive, by how long its beat stands still.

    Parameters
    ----------
    clock : callable
        Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: tuple[str | None, int, float] = (None, 0, clock())

    def is_free(self, record: ScanRecord) -> bool:
        """Whether nobody holds the lease, or who did has shown no beat for `LEASE_S`, as seen from here."""
        owner, beat, since = self._seen
        now = self._clock()
        if (owner, beat) != (record.owner, record.beat):
            self._seen, since = (record.owner, record.beat, now), now
        return record.owner is None or now - since >= LEASE_S
