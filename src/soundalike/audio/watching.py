"""Noticing that files below folders changed: watchdog's events, gathered until they are quiet."""

import errno
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from soundalike.audio.ignore import is_hidden
from soundalike.audio.mounts import mount_without_events

QUIET_S = 2.0
LATEST_S = 30.0

_EVENTS: list[type[FileSystemEvent]] = [
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,  # times and permissions; reading a file gives none
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]
_IGNORE_FILE = ".soundalikeignore"
_LIMIT = {errno.ENOSPC: "fs.inotify.max_user_watches", errno.EMFILE: "fs.inotify.max_user_instances"}


class Changes:
    """What has changed below some folders: of each, the innermost folder that has all of it.

    Parameters
    ----------
    clock : callable
        Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._folders: dict[str, str] = {}
        self._first = self._last = 0.0

    def note(self, place: str, folder: str) -> None:
        """Note that something changed.

        Parameters
        ----------
        place : str
            The folder that is watched.
        folder : str
            It, or one below it.
        """
        with self._lock:
            self._last = self._clock()
            if not self._folders:
                self._first = self._last
            known = self._folders.get(place)
            self._folders[place] = folder if known is None else os.path.commonpath((known, folder))

    def take(self) -> frozenset[Path]:
        """Return what changed, once it has been quiet for `QUIET_S`, or `LATEST_S` after it began."""
        with self._lock:
            now = self._clock()
            if not self._folders or (now - self._last < QUIET_S and now - self._first < LATEST_S):
                return frozenset()
            taken = frozenset(map(Path, self._folders.values()))
            self._folders.clear()
            return taken


@dataclass(slots=True)
class _Watched:
    """A folder that is watched, and what it was when that began: another disk may be mounted there since."""

    inode: tuple[int, int]
    watch: ObservedWatch | None
    reason: str = ""


@dataclass(eq=False)
class _Noter(FileSystemEventHandler):
    """Notes the events of one folder, but for hidden files and what the program itself writes."""

    place: str
    changes: Changes
    ignored: tuple[str, ...]
    has_new_folders: threading.Event = field(default_factory=threading.Event)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note the folders of an event."""
        if isinstance(event, DirCreatedEvent | DirMovedEvent):
            self.has_new_folders.set()
        is_whole = isinstance(event, DirCreatedEvent | DirAttribEvent)  # all of it may be new, or readable
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path and self._concerns(path):
                self.changes.note(self.place, path if is_whole else self._folder_of(path))

    def _folder_of(self, path: str) -> str:
        return self.place if path == self.place else os.path.dirname(path)  # noqa: PTH120 - any bytes

    def _concerns(self, path: str) -> bool:
        if path.startswith(self.ignored):
            return False
        names = path[len(self.place) :].split("/")
        return names[-1] == _IGNORE_FILE or not any(is_hidden(os.fsencode(name)) for name in names)


class LocalFolderWatcher:
    """Watches folders on this machine; the port `FolderWatcher`.

    Parameters
    ----------
    ignored : sequence of str
        Beginnings of paths: what has one of them is written by the program itself.
    clock : callable
        Returns seconds that never go back.
    observer : callable
        Makes watchdog's observer.
    mounts : callable
        Returns the type of a mount without events that a folder touches, else None.
    """

    def __init__(
        self,
        ignored: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        observer: Callable[[], BaseObserver] = Observer,
        mounts: Callable[[Path], str | None] = mount_without_events,
    ) -> None:
        self._ignored = tuple(ignored)
        self._changes = Changes(clock)
        self._make_observer = observer
        self._mounts = mounts
        self._observer: BaseObserver | None = None
        self._watched: dict[Path, _Watched] = {}
        self._noters: dict[Path, _Noter] = {}
        self._overflow = _OverflowHandler(self._note_all)
        logging.getLogger("watchdog").addHandler(self._overflow)

    def watch(self, places: Sequence[Path]) -> Mapping[Path, str]:
        """Watch these folders and no others; return those that tell nothing, and why; see the port."""
        for place in [one for one in self._watched if one not in places]:
            self._forget(place)
        for place in places:
            inode = _inode(place)
            known = self._watched.get(place)
            if known is not None and known.inode == inode:
                noter = self._noters.get(place)
                if noter is not None and noter.has_new_folders.is_set():
                    noter.has_new_folders.clear()
                    known.reason = self._limit_reached()
                continue
            if known is not None:
                self._forget(place)
                self._changes.note(str(place), str(place))
            if inode is not None:
                self._watched[place] = self._begin(place, inode)
        return {place: one.reason for place, one in self._watched.items() if one.reason}

    def changed(self) -> frozenset[Path]:
        """Return the folders in which something changed, once that is over; see the port."""
        return self._changes.take()

    def close(self) -> None:
        """Watch nothing any more."""
        logging.getLogger("watchdog").removeHandler(self._overflow)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()

    def _begin(self, place: Path, inode: tuple[int, int]) -> _Watched:
        if kind := self._mounts(place):
            return _Watched(inode, None, f"a mount of type {kind} tells nothing of what others change")
        noter = _Noter(str(place), self._changes, self._ignored)
        try:
            if self._observer is None:
                self._observer = self._make_observer()
                self._observer.start()
            watch = self._observer.schedule(noter, str(place), recursive=True, event_filter=_EVENTS)
        except OSError as error:
            return _Watched(inode, None, _why(error))
        self._noters[place] = noter
        return _Watched(inode, watch, self._limit_reached())

    def _limit_reached(self) -> str:
        """Return why one more folder cannot be watched: watchdog leaves out those below, and says nothing."""
        if self._observer is None:
            return ""
        with tempfile.TemporaryDirectory(prefix="soundalike-") as probe:
            try:
                watch = self._observer.schedule(FileSystemEventHandler(), probe, event_filter=_EVENTS)
            except OSError as error:
                return _why(error)
            self._observer.unschedule(watch)
        return ""

    def _forget(self, place: Path) -> None:
        known = self._watched.pop(place)
        self._noters.pop(place, None)
        if known.watch is not None and self._observer is not None:
            self._observer.unschedule(known.watch)

    def _note_all(self) -> None:
        for place in list(self._noters):
            self._changes.note(str(place), str(place))


class _OverflowHandler(logging.Handler):
    """Hears from watchdog's log, which alone tells it, that events were lost."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._on_lost = on_lost

    def emit(self, record: logging.LogRecord) -> None:
        """Have everything scanned if events were lost."""
        if "overflow" in record.getMessage():
            self._on_lost()


def _inode(place: Path) -> tuple[int, int] | None:
    try:
        status = place.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _why(error: OSError) -> str:
    limit = _LIMIT.get(error.errno or 0)
    if limit:
        return f"the system watches no more folders for you; raise {limit} with sysctl"
    return f"it cannot be watched: {error.strerror}"
