"""Scans over HTTP, and on /metrics."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from soundalike.domain.scans import LEASE_S, ScanProgress, ScanRecord, ScanResult, ScanState
from web.clients import LOCAL
from web.stage import Stage

CURRENT = "/api/scans/current"
RUNNING = ScanRecord(
    owner="a worker",
    beat=1,
    started_ms=0,
    progress=ScanProgress(state=ScanState.ANALYSING, done=30, total=120, seconds_left=95),
    last=ScanResult(finished_ms=1_500, added=3, problem="a disk is away"),
)


def set_record(stage: Stage, record: ScanRecord) -> None:
    assert stage.store.save_scan_record(record, replacing=stage.store.scan_record())


def test_while_nothing_runs_it_is_idle(stage: Stage) -> None:
    assert stage.client().get(CURRENT, headers=LOCAL).json == {
        "state": "idle",
        "is_running": False,
        "is_wanted": False,
        "is_paused": False,
        "started_at": None,
        "done": 0,
        "total": 0,
        "seconds_left": None,
        "last": None,
    }


def test_it_tells_how_far_a_scan_of_any_process_is(stage: Stage) -> None:
    set_record(stage, RUNNING)
    answer = stage.client().get(CURRENT, headers=LOCAL)
    assert answer.headers["Cache-Control"] == "private, no-store"
    body = answer.json
    assert body is not None
    shown = {name: body[name] for name in ("state", "done", "total", "seconds_left", "started_at")}
    assert shown == {
        "state": "analysing",
        "done": 30,
        "total": 120,
        "seconds_left": 95,
        "started_at": "1970-01-01T00:00:00.000Z",
    }
    assert (body["last"]["added"], body["last"]["problem"]) == (3, "a disk is away")


def test_a_scan_whose_process_died_is_not_shown_for_ever(stage: Stage) -> None:
    set_record(stage, RUNNING)
    client = stage.client()
    client.get(CURRENT, headers=LOCAL)
    stage.pass_time(LEASE_S)
    body = client.get(CURRENT, headers=LOCAL).json
    assert body is not None
    assert (body["state"], body["is_running"]) == ("idle", False)


def test_a_scan_is_asked_for_and_this_process_is_told(stage: Stage) -> None:
    answer = stage.client().post("/api/scans", json={}, headers=LOCAL)
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["is_wanted"]
    assert stage.store.scan_record().wanted == 1
    assert stage.wanted.is_set()


def test_scans_are_paused_and_resumed_while_one_runs(stage: Stage) -> None:
    set_record(stage, RUNNING)
    client = stage.client()
    paused = client.post(f"{CURRENT}/pause", json={}, headers=LOCAL).json
    assert paused is not None
    assert (paused["state"], paused["is_running"], paused["done"]) == ("paused", True, 30)
    resumed = client.post(f"{CURRENT}/resume", json={}, headers=LOCAL).json
    assert resumed is not None
    assert resumed["state"] == "analysing"
    assert replace(stage.store.scan_record(), revision=1) == replace(RUNNING, revision=1)


@pytest.mark.parametrize("path", ["/api/scans", f"{CURRENT}/pause", f"{CURRENT}/resume"])
def test_where_there_are_accounts_only_administrators_steer(stage: Stage, path: str) -> None:
    stage.add_user("ann")  # the first is an administrator
    stage.add_user("bob")
    refused = stage.client().post(path, json={}, headers=stage.bearer("bob"))
    assert (refused.status_code, refused.json and refused.json["error"]) == (403, "not_admin")
    assert stage.store.scan_record() == ScanRecord()
    assert stage.client().post(path, json={}, headers=stage.bearer("ann")).status_code in {200, 202}
    assert stage.client().get(CURRENT, headers=stage.bearer("bob")).status_code == 200


def test_only_administrators_are_told_of_folders(stage: Stage) -> None:
    stage.add_user("ann")  # the first is an administrator
    stage.add_user("bob")
    set_record(stage, replace(RUNNING, last=ScanResult(finished_ms=1_500, problem="'/srv/music' is away")))
    shown = stage.client().get(CURRENT, headers=stage.bearer("bob")).json
    assert shown is not None
    assert shown["last"]["problem"] == "an administrator sees why"
    told = stage.client().get(CURRENT, headers=stage.bearer("ann")).json
    assert told is not None
    assert told["last"]["problem"] == "'/srv/music' is away"


def test_prometheus_reads_how_far_it_is(stage: Stage) -> None:
    stage.add("a")
    set_record(stage, RUNNING)
    answer = stage.client().get("/metrics", headers=LOCAL)
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert "soundalike_tracks 1" in lines
    assert 'soundalike_scan_state{state="analysing"} 1' in lines
    assert 'soundalike_scan_state{state="idle"} 0' in lines
    assert "soundalike_scan_files_done 30" in lines
    assert "soundalike_scan_files 120" in lines
    assert "soundalike_scan_seconds_left 95" in lines
    assert "soundalike_scan_last_whole 0" in lines
    assert "soundalike_scan_last_finished_seconds 1.5" in lines


def test_the_figures_are_in_prometheus_text_format(stage: Stage) -> None:
    set_record(stage, RUNNING)
    text = stage.client().get("/metrics", headers=LOCAL).text
    families = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert families["soundalike_scan_state"] == "gauge"
    assert set(families.values()) == {"gauge"}
