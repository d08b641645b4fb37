"""Scans as JSON: as stores keep their record, and as the API shows it."""

import json
from dataclasses import asdict, replace
from typing import Any

from soundalike.domain.scans import ScanProgress, ScanRecord, ScanResult, ScanState
from soundalike.domain.times import from_ms, rfc3339


def scan_record_text(record: ScanRecord) -> str:
    """Return all of a record but its revision."""
    body = asdict(record)
    del body["revision"]
    return json.dumps(body)


def scan_record_from(text: str, revision: int) -> ScanRecord:
    """Parse what `scan_record_text` returned; defaults for what is damaged.

    Parameters
    ----------
    text : str
        The JSON.
    revision : int
        As it is stored.
    """
    try:
        body = json.loads(text)
        progress = body.pop("progress")
        last = body.pop("last")
        return ScanRecord(
            **body,
            revision=revision,
            progress=ScanProgress(**{**progress, "state": ScanState(progress["state"])}),
            last=None if last is None else ScanResult(**last),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return ScanRecord(revision=revision)


def scan_body(record: ScanRecord) -> dict[str, Any]:
    """Return what the API shows of a record, and of the scan that runs or ran last."""
    is_running = record.owner is not None
    progress = record.progress if is_running else replace(record.progress, seconds_left=None)
    return {
        "state": record.state.value,
        "is_running": is_running,
        "is_wanted": record.is_wanted,
        "is_paused": record.is_paused,
        "started_at": None if record.started_ms is None else rfc3339(from_ms(record.started_ms)),
        "done": progress.done,
        "total": progress.total,
        "seconds_left": progress.seconds_left,
        "last": None if record.last is None else _result_body(record.last),
    }


def _result_body(result: ScanResult) -> dict[str, Any]:
    body = asdict(result)
    return {"finished_at": rfc3339(from_ms(body.pop("finished_ms"))), **body}
