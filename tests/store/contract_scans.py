"""What every store promises of the record of scans."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from soundalike.domain.ports.library import Store
from soundalike.domain.scans import ScanProgress, ScanRecord, ScanResult, ScanState

FULL = ScanRecord(
    owner="a worker",
    beat=7,
    wanted=3,
    taken=2,
    is_paused=True,
    started_ms=1_790_000_000_000,
    progress=ScanProgress(state=ScanState.ANALYSING, done=12, total=40, seconds_left=90),
    last=ScanResult(
        finished_ms=1_780_000_000_000, found=9, unusable=1, added=2, vanished=3, problem='a "disk" is away'
    ),
)


class ScansContract:
    def test_a_new_store_has_nobody_scanning_and_nothing_wanted(self, store: Store) -> None:
        assert store.scan_record() == ScanRecord()

    def test_the_whole_record_is_stored_with_the_next_revision(self, store: Store) -> None:
        before = store.scan_record()
        assert store.save_scan_record(FULL, replacing=before)
        assert store.scan_record() == replace(FULL, revision=before.revision + 1)

    def test_a_record_that_has_changed_since_is_not_replaced(self, store: Store) -> None:
        old = store.scan_record()
        assert store.save_scan_record(replace(old, owner="first"), replacing=old)
        assert not store.save_scan_record(replace(old, owner="second"), replacing=old)
        assert store.scan_record().owner == "first"

    def test_of_many_who_take_the_lease_at_once_one_has_it(self, store: Store) -> None:
        free = store.scan_record()

        def take(number: int) -> bool:
            return store.save_scan_record(replace(free, owner=str(number)), replacing=free)

        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(take, range(4)))
        assert taken.count(True) == 1
        assert store.scan_record().owner == str(taken.index(True))

    def test_it_changes_no_track(self, store: Store) -> None:
        version = store.library_version()
        store.save_scan_record(FULL, replacing=store.scan_record())
        assert store.library_version() == version
