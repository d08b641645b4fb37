from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.domain.scans import ScanProgress, ScanRecord, ScanResult, ScanState
from soundalike.wire.scans import scan_body, scan_record_from, scan_record_text

COUNTS = st.integers(0, 2**53)
RECORDS = st.builds(
    ScanRecord,
    revision=COUNTS,
    owner=st.none() | st.text(),
    beat=COUNTS,
    wanted=COUNTS,
    taken=COUNTS,
    is_paused=st.booleans(),
    started_ms=st.none() | COUNTS,
    progress=st.builds(
        ScanProgress,
        state=st.sampled_from(ScanState),
        done=COUNTS,
        total=COUNTS,
        seconds_left=st.none() | COUNTS,
    ),
    last=st.none() | st.builds(ScanResult, finished_ms=COUNTS, added=COUNTS, problem=st.text()),
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: ScanRecord) -> None:
    assert scan_record_from(scan_record_text(record), record.revision) == record


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "7", '{"progress": 1, "last": null}', '{"newer": 1}'])
def test_a_damaged_record_is_one_of_defaults_that_can_be_replaced(text: str) -> None:
    assert scan_record_from(text, 12) == ScanRecord(revision=12)


def test_what_is_shown_names_no_process() -> None:
    record = ScanRecord(owner="host 12", started_ms=0, last=ScanResult(finished_ms=1_000, vanished=2))
    body = scan_body(record)
    assert "host 12" not in str(body)
    assert (body["is_running"], body["started_at"]) == (True, "1970-01-01T00:00:00.000Z")
    assert body["last"]["finished_at"] == "1970-01-01T00:00:01.000Z"
    assert body["last"]["vanished"] == 2


def test_nothing_is_left_of_a_scan_that_does_not_run() -> None:
    stale = ScanRecord(progress=ScanProgress(seconds_left=9))
    assert scan_body(stale)["seconds_left"] is None
    assert scan_body(replace(stale, owner="a"))["seconds_left"] == 9
