import ipaddress
import logging
import threading

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from clocks import Clock
from soundalike.web.security.client_address import Proxies
from soundalike.web.security.rate_limit import (
    LINES_LOGGED,
    LISTENS_A_USER,
    LOGINS_A_NAME,
    LOGINS_AN_ADDRESS,
    PASSWORDS_A_USER,
    WINDOW_S,
    MovingWindow,
)
from web.clients import LOCAL, PASSWORD, form_token
from web.stage import Stage


def test_the_limit_holds_within_any_minute() -> None:
    clock = Clock()
    window = MovingWindow(2, clock=clock)
    assert window.admit("ann") == 0
    clock.now_s += 50
    assert window.admit("ann") == 0
    assert window.admit("ann") == 10
    clock.now_s += 9
    assert window.admit("ann") == 1
    clock.now_s += 1
    assert window.admit("ann") == 0
    assert window.admit("ann") == 50


def test_refused_requests_do_not_count() -> None:
    clock = Clock()
    window = MovingWindow(1, clock=clock)
    assert window.admit("ann") == 0
    for _ in range(100):
        assert window.admit("ann") > 0
    clock.now_s += WINDOW_S
    assert window.admit("ann") == 0


def test_each_key_is_counted_separately() -> None:
    window = MovingWindow(1, clock=Clock())
    assert window.admit("ann") == window.admit("bob") == 0
    assert window.admit("ann") == window.admit("bob") == WINDOW_S


def test_memory_is_bounded_and_an_active_key_is_not_forgotten() -> None:
    window = MovingWindow(1, clock=Clock(), max_keys=100)
    for number in range(1000):
        window.admit("often")
        assert window.admit(f"once {number}") == 0
        assert len(window) <= 100
    assert window.admit("often") > 0


def test_threads_share_one_limit() -> None:
    window = MovingWindow(500, clock=Clock())
    admitted: list[float] = []
    threads = [
        threading.Thread(target=lambda: admitted.extend(window.admit("x") for _ in range(200)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted.count(0) == 500


@given(st.lists(st.floats(min_value=0, max_value=WINDOW_S), max_size=60), st.integers(1, 5))
@example([1.1842294187762104, 0.0], 1)  # its sum with a minute rounds up
def test_no_window_has_more_requests_than_the_limit(pauses: list[float], most: int) -> None:
    clock = Clock()
    window = MovingWindow(most, clock=clock)
    admitted: list[float] = []
    for pause in pauses:
        clock.now_s += pause
        wait_s = window.admit("x")
        within = [at for at in admitted if clock.now_s - at < WINDOW_S]
        assert (wait_s == 0) == (len(within) < most)
        assert wait_s <= WINDOW_S
        if wait_s == 0:
            admitted.append(clock.now_s)


def test_preflight_requests_are_not_counted(stage: Stage) -> None:
    client = stage.client()
    for _ in range(LISTENS_A_USER + 1):
        client.options("/api/listens", headers={**LOCAL, "Origin": "http://evil.example"})
    assert client.post("/api/listens", json={"events": []}, headers=LOCAL).status_code == 202


def test_a_name_has_ten_attempts_however_its_letters_are_composed(stage: Stage) -> None:
    stage.add_user("\xe1\xe9")
    spellings = ["\xe1\xe9", "a\u0301\xe9", "\xe1e\u0301", "a\u0301e\u0301"]
    for number in range(LOGINS_A_NAME):
        assert log_in(stage, spellings[number % 4], "wrong")[0] == 401
    assert {log_in(stage, spelling, PASSWORD)[0] for spelling in spellings} == {429}


def log_in(stage: Stage, name: str, password: str, **headers: str) -> tuple[int, str | None]:
    client = stage.client()
    fields = {"csrf_token": form_token(client, "/login"), "name": name, "password": password}
    answer = client.post("/login", data=fields, headers={**LOCAL, **headers})
    assert answer.status_code != 429 or "too many" in answer.text.lower()
    return answer.status_code, answer.headers.get("Retry-After")


@pytest.mark.parametrize("name", ["ann", "ANN", "nobody", "\u2713", "", "x" * 1000])
def test_a_name_has_ten_attempts_a_minute(stage: Stage, name: str) -> None:
    stage.add_user("ann")
    for _ in range(LOGINS_A_NAME):
        assert log_in(stage, name, "wrong password") == (401, None)
    compared = len(stage.hasher.compared)
    status, retry_after = log_in(stage, name, PASSWORD)
    assert status == 429
    assert 0 < int(retry_after or 0) <= 60
    assert len(stage.hasher.compared) == compared
    stage.pass_time(61)
    assert log_in(stage, "ann", PASSWORD)[0] == 303


def from_address(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"192.0.2.{number}"}


@pytest.fixture
def behind_proxy(stage: Stage) -> Stage:
    """The player with the account ann, behind a proxy that says where each request comes from."""
    stage.add_user("ann")
    stage.proxies = Proxies([ipaddress.ip_network("127.0.0.1")])
    return stage


def test_whoever_knows_a_name_cannot_keep_its_owner_out(behind_proxy: Stage) -> None:
    for stranger in (1, 2):
        for _ in range(LOGINS_A_NAME):
            assert log_in(behind_proxy, "ann", "wrong password", **from_address(stranger))[0] == 401
        assert log_in(behind_proxy, "ann", PASSWORD, **from_address(stranger))[0] == 429
    assert log_in(behind_proxy, "ann", PASSWORD, **from_address(3))[0] == 303


def test_nor_use_up_the_forms_of_a_session(behind_proxy: Stage) -> None:
    owner = behind_proxy.log_in("ann")
    for stranger in (1, 2):
        for _ in range(LOGINS_A_NAME + 1):
            log_in(behind_proxy, "ann", "wrong password", **from_address(stranger))
    for stranger in (1, 3):  # also from where they are
        assert change_password(owner, "wrong", **from_address(stranger)) == 400
    assert change_password(owner, PASSWORD, **from_address(1)) == 303


def test_another_user_s_session_does_not_use_up_those_forms_either(behind_proxy: Stage) -> None:
    behind_proxy.add_user("bob")
    ann, bob = behind_proxy.log_in("ann"), behind_proxy.log_in("bob")
    assert {change_password(bob, "wrong") for _ in range(PASSWORDS_A_USER)} == {400}
    assert change_password(bob, PASSWORD) == 429
    assert change_password(ann, "wrong") == 400


def change_password(client: FlaskClient, password: str, **headers: str) -> int:
    fields = {
        "csrf_token": form_token(client, "/account"),
        "password": password,
        "new_password": "seven other quiet words",
        "repeated": "seven other quiet words",
    }
    return client.post("/account/password", data=fields, headers={**LOCAL, **headers}).status_code


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_a_limit_that_is_reached_is_logged_once_a_minute(
    behind_proxy: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(LOGINS_A_NAME):
        log_in(behind_proxy, "ann", "wrong password", **from_address(1))
    assert logged(caplog) == []
    for _ in range(5):
        log_in(behind_proxy, "ann", "wrong password", **from_address(1))
    assert logged(caplog) == [
        "too many attempts to log in as 'ann' from 192.0.2.1 within a minute; more are refused for now"
    ]
    behind_proxy.pass_time(61)
    for _ in range(LOGINS_A_NAME + 5):
        log_in(behind_proxy, "ann", "wrong password", **from_address(1))
    assert len(logged(caplog)) == 2


def test_the_log_stays_short_whatever_names_and_addresses_somebody_makes_up(
    behind_proxy: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    name = "\x1b[31m\n" + "x" * 1000
    for stranger in range(LINES_LOGGED + 5):
        for number in range(LOGINS_AN_ADDRESS + 2):
            log_in(behind_proxy, f"{name}{number % 2}", "wrong password", **from_address(stranger))
    lines = logged(caplog)
    assert len(lines) == LINES_LOGGED
    assert "as '\\x1b[31m\\nxxx" in lines[0]
    assert all("\n" not in line and len(line) < 200 for line in lines)


def test_an_address_has_thirty_attempts_a_minute_over_all_names(stage: Stage) -> None:
    stage.add_user("ann")
    for number in range(LOGINS_AN_ADDRESS):
        assert log_in(stage, f"name{number}", "wrong password")[0] == 401
    assert log_in(stage, "ann", PASSWORD)[0] == 429
    assert log_in(stage, "ann", PASSWORD, **{"X-Forwarded-For": "192.0.2.1"})[0] == 429


@pytest.mark.parametrize(
    ("addresses", "is_one"),
    [
        (["192.0.2.1"], True),
        (["192.0.2.%d"], False),
        (["198.51.100.%d, 192.0.2.1"], True),
        (["2001:db8::%x"], True),
        (["::ffff:192.0.2.1", "192.0.2.1"], True),
        (["2001:db8:%x::1"], False),
        (["192.0.2.1:%d", "192.0.2.1"], True),
        (["192.0.2.%d:1000"], False),
        (["[2001:db8:%x::1]:443"], False),
        (["nonsense %d"], True),
    ],
)
def test_a_named_proxy_names_the_client(stage: Stage, addresses: list[str], *, is_one: bool) -> None:
    stage.add_user("ann")
    stage.proxies = Proxies([ipaddress.ip_network("127.0.0.1")])
    for number in range(LOGINS_AN_ADDRESS):
        address = addresses[number % len(addresses)]
        address = address % number if "%" in address else address
        assert log_in(stage, f"name{number}", "wrong", **{"X-Forwarded-For": address})[0] == 401
    address = addresses[0] % 100 if "%" in addresses[0] else addresses[0]
    assert log_in(stage, "ann", PASSWORD, **{"X-Forwarded-For": address})[0] == (429 if is_one else 303)


def test_other_machines_cannot_name_another_client(stage: Stage) -> None:
    stage.add_user("ann")
    client = stage.client()
    token = form_token(client, "/login")
    for number in range(LOGINS_AN_ADDRESS + 1):
        answer = client.post(
            "/login",
            data={"csrf_token": token, "name": f"name{number}", "password": "wrong"},
            headers={**LOCAL, "X-Forwarded-For": f"192.0.2.{number}"},
            environ_overrides={"REMOTE_ADDR": "203.0.113.5"},
        )
    assert answer.status_code == 429


def test_events_have_a_limit_for_each_user(stage: Stage) -> None:
    stage.add_user("ann")
    stage.add_user("bob")
    ann, bob = stage.bearer("ann"), stage.bearer("bob")
    client = stage.client()

    def send(headers: dict[str, str]) -> int:
        return client.post("/api/listens", json={"events": []}, headers=headers).status_code

    assert {send(ann) for _ in range(LISTENS_A_USER)} == {202}
    refused = client.post("/api/listens", json={"events": []}, headers=ann)
    assert refused.status_code == 429
    assert refused.json is not None
    assert refused.json["error"] == "too_many_requests"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert send(bob) == 202
    stage.pass_time(61)
    assert send(ann) == 202


def test_password_attempts_within_a_session_are_limited_too(stage: Stage) -> None:
    stage.add_user("ann")
    client = stage.log_in("ann")
    token = form_token(client, "/account")
    statuses = []
    for path in ("/account/delete", "/account/password") * LOGINS_A_NAME:
        fields = {
            "csrf_token": token,
            "password": "wrong password",
            "new_password": "x" * 8,
            "repeated": "x" * 8,
        }
        statuses.append(client.post(path, data=fields, headers=LOCAL).status_code)
    assert statuses.count(400) == statuses.count(429) == LOGINS_A_NAME
    assert stage.services.accounts.has_users()
