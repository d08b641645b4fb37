"""From a folder of music to what sounds alike, by the commands a user types."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from functools import partial
from pathlib import Path

import pyarrow.parquet
import pytest

from journeys.program import Program, free_port, get, wait_until, write_tune


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number in range(8):
        write_tune(tmp_path / "music" / f"tune {number}.flac", seed=number)
    return tmp_path / "music"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "data")


@pytest.fixture
def library(program: Program, music: Path) -> Program:
    """A program that has analysed and learned."""
    program.json("extract", music)
    program.json("build", "--engine", "local")
    return program


def test_each_step_is_a_command(program: Program, music: Path, tmp_path: Path) -> None:
    report = program.json("extract", music)
    assert (report["found"], report["added"], report["problems"]) == (8, 8, [])
    tuned = program.json("tune")
    assert tuned["space"]["tracks"] == 8
    built = program.json("build", "--engine", "local")
    assert (built["artefact"], built["tracks"], built["engine"]) == ("000001", 8, "local")
    pairs = program.json("pairs", "--limit", "3")
    assert len(pairs["pairs"]) == 3
    similar = program.json("similar", "tune 3", "--limit", "4")
    away = [neighbour["distance"] for neighbour in similar["neighbours"]]
    assert (len(away), away) == (4, sorted(away))
    exported = program.json("export", tmp_path / "out.parquet")
    assert exported["tracks"] == pyarrow.parquet.read_table(tmp_path / "out.parquet").num_rows == 8


def test_up_serves_what_it_learned_and_starts_at_once_the_second_time(program: Program, music: Path) -> None:
    with program.serving("up", music, "--engine", "local") as address:
        assert get(f"{address}/healthz") == {"status": "ok", "tracks": 8, "artefact": "000001"}
        track = get(f"{address}/api/tracks?query=tune+3")["tracks"][0]
        over_http = get(f"{address}/api/tracks/{track['id']}/similar?limit=5")
    assert program.json("similar", track["id"], "--limit", "5") == over_http
    with program.serving("up", music, "--engine", "local") as address:
        assert get(f"{address}/healthz")["artefact"] == "000001"


def test_a_rescan_places_new_tracks_without_fitting_anew(library: Program, music: Path) -> None:
    before = library.json("similar", "tune 1")
    write_tune(music / "new.flac", seed=1)  # sounds the same as tune 1
    assert library.json("extract", music)["placed"] == 1
    after = library.json("similar", "tune 1")
    assert after["artefact"] == "000002"
    assert after["neighbours"][0]["track"]["title"] == "new"
    assert after["neighbours"][0]["distance"] == pytest.approx(0, abs=1e-5)
    old = {n["track"]["id"]: n["distance"] for n in before["neighbours"]}
    new = {n["track"]["id"]: n["distance"] for n in after["neighbours"]}
    assert old == {track_id: pytest.approx(new[track_id], abs=1e-5) for track_id in old}


def test_a_player_takes_up_a_new_artefact_without_a_restart(library: Program) -> None:
    with library.serving("serve") as address:
        assert get(f"{address}/healthz")["artefact"] == "000001"
        library.json("build", "--engine", "local")
        assert get(f"{address}/healthz")["artefact"] == "000002"


def test_a_taken_port_names_the_next_free_one(program: Program, music: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        result = program.run("up", music, "--port", str(holder.getsockname()[1]))
    assert result.returncode == 1
    assert "is taken" in result.stderr
    assert "free" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("similar", "nobody"), 1, "there is no library in"),
        (("extract", "/nowhere"), 1, "not a folder"),
        (("extract", "~nobody/music"), 1, "not a folder"),
        (("extract", ""), 2, "path is empty"),
        (("build",), 1, "soundalike up DIR"),
        (("similar", "x", "--limit", "0"), 2, "1<=x<=100"),
        (("extract",), 2, "Missing argument"),
        (("frobnicate",), 2, "No such command"),
        (("serve", "--port", "99999"), 1, "port must be a whole number"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    program: Program, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = program.run(*arguments)
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_link_that_loops_is_no_folder(program: Program, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    result = program.run("extract", tmp_path / "loop")
    assert (result.returncode, "not a folder" in result.stderr) == (1, True)


def test_an_output_that_knows_few_letters_gets_the_rest_as_question_marks(
    library: Program, music: Path
) -> None:
    write_tune(music / "Ærø.wav", seed=99)
    library.environment |= {"PYTHONIOENCODING": "ascii"}
    assert library.run("extract", music).returncode == 0
    result = library.run("similar", "aero")
    assert (result.returncode, "?r?" in result.stdout) == (0, True)


def test_debug_shows_where(program: Program) -> None:
    assert "Traceback" in program.run("similar", "nobody", "--debug").stderr


def test_options_may_stand_before_the_command(program: Program, tmp_path: Path) -> None:
    result = subprocess.run(
        [*program.command()[:3], "--data", str(tmp_path / "other"), "doctor", "--json"],
        env=program.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path / "other") in result.stdout


def test_artefacts_may_live_elsewhere(program: Program, music: Path, tmp_path: Path) -> None:
    program.json("extract", music)
    program.json("build", "--engine", "local", "--artefacts", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "current").is_file()
    assert not (program.data / "artefacts").exists()


def test_tuning_lsh_without_spark_still_shows_the_space_it_chose(library: Program, music: Path) -> None:
    for number in range(20):
        write_tune(music / f"more {number}.flac", seed=number)
    library.json("extract", music)
    result = library.run("tune", "--lsh", "--engine", "local")
    assert result.returncode == 1
    assert "has no LSH" in result.stderr
    assert "min-max, Euclid" in result.stdout


def test_doctor_tells_what_is_there(library: Program) -> None:
    found = library.json("doctor")
    statuses = {check["name"]: check["status"] for check in found["checks"]}
    assert found["is_healthy"]
    assert statuses["store"] == statuses["artefact"] == statuses["soundfile"] == "ok"


@pytest.mark.parametrize("store", ["whole", "damaged"])
def test_doctor_says_once_what_is_wrong_with_the_event_log(library: Program, store: str) -> None:
    if store == "damaged":
        damage(library)
    result = library.run("doctor", "--json", "--events", "kafka://h")
    assert result.returncode == 1
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert (checks["events"]["status"], checks["events"]["detail"]) == ("wrong", "kafka://h")
    assert checks["events"]["remedy"].startswith(
        "a topic must have 1 to 244 letters, digits and . _ -; write kafka://"
    )
    assert checks["store"]["status"] == ("ok" if store == "whole" else "wrong")
    assert "kafka" not in checks["store"]["remedy"]


def test_doctor_finds_a_store_that_is_none(library: Program) -> None:
    damage(library)
    result = library.run("doctor", "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["is_healthy"] is False


def damage(library: Program) -> None:
    for name in ("library.sqlite-wal", "library.sqlite-shm"):
        (library.data / name).unlink(missing_ok=True)
    (library.data / "library.sqlite").write_bytes(b"no database at all" * 1000)


def test_an_interrupt_keeps_what_is_done_and_says_how_to_go_on(program: Program, music: Path) -> None:
    for number in range(60):
        write_tune(music / f"more {number}.flac", seed=number, seconds=10)
    with program.start("extract", music) as process:
        wait_until(lambda: _count(program) >= 5, process)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run the same command again" in err
    assert "Traceback" not in err
    done = _count(program)
    report = program.json("extract", music)
    assert (report["unchanged"], report["analysed"]) == (done, 68 - done)


@pytest.mark.faults
def test_extract_may_be_killed_ten_times_and_nothing_is_lost_or_doubled(
    program: Program, music: Path
) -> None:
    for number in range(60):
        write_tune(music / f"more {number}.flac", seed=number, seconds=10)
    seen: dict[bytes, str] = {}
    for _ in range(10):
        goal = _count(program) + 3
        with program.start("extract", music) as process:
            wait_until(partial(_has_done, program, goal), process)
            process.kill()
        now = _ids(program)
        assert seen.items() <= now.items()
        seen = now
    report = program.json("extract", music)
    assert report["unchanged"] >= 30
    assert (report["found"], _count(program), len(set(_ids(program).values()))) == (68, 68, 68)


@pytest.mark.faults
def test_build_may_be_killed_ten_times_and_the_last_artefact_stays_in_use(library: Program) -> None:
    before = library.json("similar", "tune 3")
    for step in range(10):
        with library.start("build", "--engine", "local") as process:
            time.sleep(0.25 + 0.1 * step)
            process.kill()
        after = library.json("similar", "tune 3")
        assert after["neighbours"] == before["neighbours"]
    report = library.json("build", "--engine", "local")
    assert library.json("similar", "tune 3")["artefact"] == report["artefact"]
    kept = [path.name for path in (library.data / "artefacts").glob("*/[0-9]*")]
    assert report["artefact"] in kept
    assert len(kept) <= 3


def test_two_extracts_at_once_make_one_library(program: Program, music: Path) -> None:
    with program.start("extract", music, "--json") as one, program.start("extract", music, "--json") as other:
        reports = [json.loads(process.communicate(timeout=120)[0]) for process in (one, other)]
    assert [report["found"] for report in reports] == [8, 8]
    assert sum(report["added"] for report in reports) == 8
    assert _count(program) == 8


def test_no_worker_outlives_a_killed_extract(program: Program, music: Path) -> None:
    for number in range(30):
        write_tune(music / f"more {number}.flac", seed=number, seconds=20)
    with program.start("extract", music) as process:
        wait_until(lambda: _count(program) >= 1, process)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while _is_session_alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not _is_session_alive(process.pid)


def test_the_second_port_is_really_free(program: Program, music: Path) -> None:
    program.json("extract", music)
    port = free_port()
    with program.start("serve", "--port", str(port)) as first:
        wait_until(lambda: _is_open(port), first)
        result = program.run("serve", "--port", str(port))
    assert f"{port} is taken" in result.stderr


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_session_alive(session: int) -> bool:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            return True
    return False


def _has_done(program: Program, goal: int) -> bool:
    return _count(program) >= goal


def _count(program: Program) -> int:
    return len(_ids(program))


def _ids(program: Program) -> dict[bytes, str]:
    database = program.data / "library.sqlite"
    if not database.exists():
        return {}
    connection = sqlite3.connect(database, timeout=30)
    try:
        return dict(connection.execute("SELECT path, id FROM track").fetchall())
    except sqlite3.OperationalError:  # not migrated yet
        return {}
    finally:
        connection.close()
