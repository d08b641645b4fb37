"""What listeners and commands ask of scans, whichever process runs them."""

from collections.abc import Callable
from dataclasses import replace

from soundalike.domain.ports.scans import ScanStore
from soundalike.domain.scans import BeatWatch, ScanRecord


def change_record(store: ScanStore, change: Callable[[ScanRecord], ScanRecord]) -> ScanRecord:
    """Change the record of scans, however many do so at once; return it as it is now.

    Parameters
    ----------
    store : ScanStore
        Has it.
    change : callable
        Returns what is to be stored instead of what is; the same where nothing is.
    """
    while True:
        record = store.scan_record()
        changed = change(record)
        if changed == record or store.save_scan_record(changed, replacing=record):
            return changed


class ScanControl:
    """Asks for scans, pauses and resumes them, and tells how far they are.

    Parameters
    ----------
    store : ScanStore
        The port it uses.
    clock : callable
        Returns seconds that never go back.
    on_wanted : callable
        Called after a scan was asked for, where this process has to see to it that somebody runs it.
    """

    def __init__(
        self,
        store: ScanStore,
        *,
        clock: Callable[[], float],
        on_wanted: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._watch = BeatWatch(clock)
        self._on_wanted = on_wanted

    def current(self) -> ScanRecord:
        """Return the record; who died while scanning scans no longer."""
        record = self._store.scan_record()
        return record.freed() if self._watch.is_free(record) else record

    def want(self) -> ScanRecord:
        """Ask for a scan of everything; one that runs already goes on, and another follows it."""
        record = change_record(self._store, lambda one: replace(one, wanted=one.wanted + 1))
        self._on_wanted()
        return record

    def pause(self, *, is_paused: bool) -> ScanRecord:
        """Let what runs wait, and nothing begin; or go on."""
        return change_record(self._store, lambda one: replace(one, is_paused=is_paused))
