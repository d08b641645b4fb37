"""Accounts by the commands that a user types, and what they change on a player that is running."""

import http.client
import json
import os
import pty
import re
import select
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from journeys.program import PATIENCE_S, Program, free_port, write_tune
from soundalike.domain.listens import Erasure
from soundalike.domain.times import to_ms
from soundalike.domain.users import YOU
from soundalike.passwords import Argon2Hasher
from soundalike.store.sqlite.store import SqliteStore
from web.description import check_answer

PASSWORD = "correct horse"  # noqa: S105 - of nobody
OTHER = "battery staple"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "data")


@pytest.fixture
def library(program: Program, tmp_path: Path) -> Program:
    write_tune(tmp_path / "music" / "tune.flac", seed=1, seconds=2)
    program.json("extract", tmp_path / "music")
    return program


def add(program: Program, name: str, password: str = PASSWORD) -> str:
    result = program.run("users", "add", name, input=f"{password}\n")
    assert result.returncode == 0, result.stderr
    assert password not in result.stdout + result.stderr
    return result.stderr


def token_of(program: Program, name: str, *more: str) -> str:
    result = program.run("users", "token", name, *more)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def ask(address: str, path: str, *, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection:
        data = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, data, {**kind, **headers})
        answer = connection.getresponse()
        text = answer.read()
        check_answer(method, path.partition("?")[0], answer.status, answer.headers["Content-Type"], text)
        return answer.status, json.loads(text) if text.startswith(b"{") else None


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Browser:
    """Keeps a cookie, and sends forms as they are found."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        self._cookie = ""

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> tuple[int, str]:
        return self._send("GET", path)

    def log_in(self, name: str, password: str) -> int:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/login")[1])
        # A user who is logged in already is redirected, and has the token of another page.
        token = found or re.search(r'name="csrf_token" value="([^"]+)"', self.get("/account")[1])
        assert token is not None
        fields = {"csrf_token": token[1], "name": name, "password": password}
        return self._send("POST", "/login", urlencode(fields))[0]

    def _send(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, form, {"Cookie": self._cookie, **kind})
        answer = self._connection.getresponse()
        if cookie := answer.headers["Set-Cookie"]:
            self._cookie = cookie.partition(";")[0]
        body = answer.read()
        check_answer(method, path.partition("?")[0], answer.status, answer.headers["Content-Type"], body)
        return answer.status, body.decode()


def liked(track_id: str) -> dict[str, Any]:
    event = {
        "id": str(uuid.uuid4()),
        "track_id": track_id,
        "kind": "liked",
        "position_ms": None,
        "at": datetime.now(UTC).isoformat(),
    }
    return {"events": [event]}


def test_accounts_are_added_listed_and_removed(program: Program) -> None:
    assert "takes over" in add(program, "Ann")
    assert "takes over" not in add(program, "bob")
    assert token_of(program, "bob").startswith("sndl_")
    (ann, bob) = program.json("users", "list")["users"]
    assert (ann["id"], ann["name"], ann["tokens"]) == (YOU, "Ann", 0)
    assert (bob["name"], bob["tokens"]) == ("bob", 1)
    assert set(ann) == {"id", "name", "created_at", "is_admin", "tokens"}
    assert (ann["is_admin"], bob["is_admin"]) == (True, False)
    shown = program.run("users", "list").stdout
    assert re.search(r"Ann .* administrator\n", shown)
    assert shown.count("administrator") == 1
    assert "bob" in shown
    assert "argon2" not in shown
    add(program, "carl")
    assert "carl is an administrator" in program.run("users", "admin", "CARL").stderr
    assert program.run("users", "remove", "ann", "--yes").returncode == 0
    left = [(user["name"], user["is_admin"]) for user in program.json("users", "list")["users"]]
    assert left == [("bob", False), ("carl", True)]
    assert program.run("users", "remove", "carl", "--yes").returncode == 0
    (bob,) = program.json("users", "list")["users"]
    assert bob["is_admin"], "one always is"
    assert program.run("users", "admin", "nobody").returncode == 1


REFUSED = [
    (("add", "a b"), PASSWORD, "not a valid user name"),
    (("add", "ANN"), PASSWORD, "already"),
    (("add", "carol"), "short", "8 to 1024 characters, not 5"),
    (("add", "carol"), "", "8 to 1024 characters, not 0"),
    (("add", "carol"), "qwertyuiop", "this password is easy to guess"),
    (("add", "\u0430nn"), PASSWORD, "mixes letters of several alphabets"),
    (("passwd", "ann"), "annann1987", "made of your name"),
    (("add", "carol"), "x" * 20_000, "8 to 1024 characters"),
    (("passwd", "nobody"), PASSWORD, "there is no account named"),
    (("passwd", "ann"), "short", "8 to 1024 characters, not 5"),
    (("remove", "nobody", "--yes"), "", "there is no account named"),
    (("remove", "ann"), "y\n", "--yes"),
    (("token", "nobody"), "", "there is no account named"),
    (("token", "ann", "--label", "x" * 81), "", "at most 80"),
]


def test_errors_are_one_line(program: Program) -> None:
    add(program, "ann")
    for arguments, given, said in REFUSED:
        result = program.run("users", *arguments, "--debug", input=given)
        assert result.returncode == 1, arguments
        assert said in result.stderr
        assert result.stdout == ""
        assert len(given) < 5 or given not in result.stderr
    assert [user["name"] for user in program.json("users", "list")["users"]] == ["ann"]


def test_a_password_is_no_argument(program: Program) -> None:
    assert program.run("users", "add", "ann", PASSWORD).returncode == 2
    assert program.run("users", "add", "ann", "--password", PASSWORD).returncode == 2


@pytest.mark.parametrize("given", [f"{PASSWORD}\n", PASSWORD, f"{PASSWORD}\r\nmore\n"])
def test_a_password_is_the_first_line_of_stdin(program: Program, given: str) -> None:
    result = subprocess.run(
        program.command("users", "add", "ann"),
        env=program.environment,
        input=given.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0
    assert can_log_in(program, "ann", PASSWORD)


def can_log_in(program: Program, name: str, password: str) -> bool:
    """Whether the hash in the store is that of a password."""
    with closing(SqliteStore(program.data / "library.sqlite")) as store:
        user = store.user_named(name)
    assert user is not None
    return Argon2Hasher().is_right(password, user.password_hash)


class Terminal:
    """A program at a terminal, which sees what is shown and types."""

    def __init__(self, program: Program, *arguments: str) -> None:
        here, there = pty.openpty()
        self._here = here
        self.seen = ""
        self.process = subprocess.Popen(
            program.command(*arguments),
            env=program.environment,
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
        )
        os.close(there)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and type."""
        self._read_until(question)
        self.seen = self.seen.partition(question)[2]
        os.write(self._here, f"{text}\n".encode())

    def end(self) -> str:
        """Wait for the end and return what was shown since the last answer."""
        self._read_until(None)
        assert self.process.wait(PATIENCE_S) is not None
        os.close(self._here)
        return self.seen

    def _read_until(self, words: str | None) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words is None or words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self._here], [], [], 0.1)[0]:
                try:
                    part = os.read(self._here, 10_000)
                except OSError:  # Linux's way to say that the other side is closed
                    part = b""
                if not part:
                    assert words is None, self.seen
                    return
                self.seen += part.decode()


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()


def test_at_a_terminal_a_password_is_asked_twice_and_never_shown(
    program: Program, terminals: list[Terminal]
) -> None:
    terminal = Terminal(program, "users", "add", "ann")
    terminals.append(terminal)
    terminal.answer("Password", PASSWORD)
    terminal.answer("Again", OTHER)
    terminal.answer("Password", PASSWORD)
    terminal.answer("Again", PASSWORD)
    shown = terminal.end()
    assert terminal.process.returncode == 0
    assert "ann can now log in" in shown
    assert PASSWORD not in shown
    assert can_log_in(program, "ann", PASSWORD)


@pytest.mark.parametrize(("answer", "is_removed"), [("y", True), ("n", False), ("", False)])
def test_at_a_terminal_removing_asks_first(
    program: Program, terminals: list[Terminal], answer: str, *, is_removed: bool
) -> None:
    add(program, "ann")
    terminal = Terminal(program, "users", "remove", "ann")
    terminals.append(terminal)
    terminal.answer("Remove ann", answer)
    terminal.end()
    assert terminal.process.returncode == (0 if is_removed else 1)
    assert (program.json("users", "list")["users"] == []) == is_removed


def test_accounts_take_effect_on_a_player_that_is_running(library: Program) -> None:
    with library.serving("serve") as address:
        _, found = ask(address, "/api/tracks")
        track_id = found["tracks"][0]["id"]
        assert ask(address, "/api/me") == (
            200,
            {"id": "you", "name": None, "is_admin": True, "generation": 0},
        )
        assert ask(address, "/api/listens", method="POST", body=liked(track_id))[0] == 202
        assert ask(address, "/api/me", **{"X-Forwarded-For": "192.0.2.1"})[0] == 403

        add(library, "ann")
        assert ask(address, "/api/me")[0] == 401
        ann = bearer(token_of(library, "ann"))
        assert ask(address, "/api/me", **ann) == (
            200,
            {"id": "you", "name": "ann", "is_admin": True, "generation": 0},
        )
        assert len(ask(address, "/api/me/export", **ann)[1]["listens"]) == 1
        assert ask(address, "/api/me", **ann, **{"X-Forwarded-For": "192.0.2.1"})[0] == 200

        add(library, "bob")
        bob = bearer(token_of(library, "bob", "--label", "script"))
        assert ask(address, "/api/me/export", **bob)[1]["listens"] == []
        assert ask(address, "/api/listens", method="POST", body=liked(track_id), **bob)[0] == 202

        assert library.run("users", "remove", "ann", "--yes").returncode == 0
        assert ask(address, "/api/me", **ann)[0] == 401
        assert len(ask(address, "/api/me/export", **bob)[1]["listens"]) == 1

        assert library.run("users", "remove", "bob", "--yes").returncode == 0
        # Ann's data was that of "you", and removing an account erases before and after it is locked out.
        status, you = ask(address, "/api/me")
        assert you.pop("generation") > 1
        assert (status, you) == (200, {"id": "you", "name": None, "is_admin": True})
        assert ask(address, "/api/me/export")[1]["listens"] == []
    with closing(SqliteStore(library.data / "library.sqlite")) as store:
        assert store.listen_counts() == {}
        assert {erasure.user_id for erasure in store.erasures()} > {YOU}


def test_a_start_lowers_what_was_erased_by_a_fast_clock(library: Program) -> None:
    with closing(SqliteStore(library.data / "library.sqlite")) as store:
        store.erase_listens(Erasure(YOU, to_ms(datetime.now(UTC)) + 24 * 3600 * 1000, 1))
    with library.serving("serve") as address:
        _, found = ask(address, "/api/tracks")
        body = liked(found["tracks"][0]["id"])  # without a generation
        status, answer = ask(address, "/api/listens", method="POST", body=body)
        assert (status, answer) == (202, {"accepted": 1, "duplicates": 0, "hidden": 0, "generation": 1})


def test_other_machines_are_served_with_an_account_alone(library: Program) -> None:
    everywhere = "0.0.0.0"  # noqa: S104 - what the test is about
    refused = library.run("serve", "--host", everywhere, "--port", str(free_port()))
    assert refused.returncode == 1
    assert "soundalike users add NAME" in refused.stderr
    add(library, "ann")
    with library.serving("serve", "--host", everywhere) as address:
        assert ask(address, "/api/me")[0] == 401
        assert ask(address, "/healthz")[0] == 200
        assert ask(address, "/api/me", **bearer(token_of(library, "ann")))[0] == 200
        assert library.run("users", "remove", "ann", "--yes").returncode == 0
        assert ask(address, "/api/me")[0] == 401
        assert ask(address, "/")[0] == 303
        own = socket.gethostbyname(socket.gethostname())
        assert ask(address, "/healthz", Host=f"{own}:80")[0] == 200
        assert ask(address, "/healthz", Host="evil.example")[0] == 400


def test_sessions_outlive_a_restart_and_the_key_is_shown_nowhere(library: Program) -> None:
    add(library, "ann")
    with library.serving("serve") as address:
        assert ask(address, "/login")[0] == 200
    key = (library.data / "session.key").read_bytes()
    assert (library.data / "session.key").stat().st_mode & 0o777 == 0o600
    with library.serving("serve", "--debug") as address:
        assert ask(address, "/login")[0] == 200
    assert (library.data / "session.key").read_bytes() == key
    library.environment["SOUNDALIKE_SECRET_KEY"] = "too short a key"  # noqa: S105 - nothing secret
    refused = library.run("serve", "--debug", "--port", str(free_port()))
    assert refused.returncode == 1
    assert "secret_key" in refused.stderr
    assert "too short a key" not in refused.stderr + refused.stdout


def test_a_new_password_from_the_command_line_ends_sessions_elsewhere(library: Program) -> None:
    add(library, "ann")
    with library.serving("serve") as address, closing(Browser(address)) as browser:
        assert browser.log_in("ann", PASSWORD) == 303
        assert browser.get("/api/me")[0] == 200
        assert library.run("users", "passwd", "ann", input=f"{OTHER}\n").returncode == 0
        assert browser.get("/api/me")[0] == 401
        assert browser.log_in("ann", PASSWORD) == 401
        assert browser.log_in("ann", OTHER) == 303
