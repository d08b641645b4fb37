"""The address that a login leads to: never one of another site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.web.pages.protocol import safe_target
from web.clients import LOCAL, PASSWORD, send_form
from web.stage import Stage

OURS = [
    "/",
    "/tracks/a",
    "/?query=x&sort=-year",
    "/tracks/a#more",
    "/account",
    "/%5cevil",
    "/a//b",
    "/@x",
    "/a:b",
]
NOT_OURS = [
    "",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\evil.example",
    "\\\\evil.example",
    "@evil.example",
    "/\\/evil.example",
    "http://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\u2028/x",
    "/\0",
    "/tracks/\u00e9",
    "/api/me",
    "/api/me/export",
    "/api",
    "/healthz",
    "/" + "x" * 3000,
    "/a\\b",
    "/\x7f",
]


@pytest.mark.parametrize("address", OURS)
def test_logging_in_leads_to_the_requested_page(stage: Stage, address: str) -> None:
    stage.add_user("ann")
    fields = {"name": "ann", "password": PASSWORD, "next": address}
    assert send_form(stage.client(), "/login", "/login", fields).location == address


@pytest.mark.parametrize("address", NOT_OURS)
def test_logging_in_never_leads_to_another_site(stage: Stage, address: str) -> None:
    stage.add_user("ann")
    fields = {"name": "ann", "password": PASSWORD, "next": address}
    assert send_form(stage.client(), "/login", "/login", fields).location == "/"
    already = stage.log_in("ann")
    assert already.get("/login", query_string={"next": address}, headers=LOCAL).location == "/"
    page = stage.client().get("/login", query_string={"next": address}, headers=LOCAL).text
    assert 'name="next" value="/"' in page


@given(st.text(alphabet="/\\.:@?#%\t\n\r aeh5cft0", max_size=12))
def test_a_safe_target_begins_with_one_slash_and_has_nothing_that_browsers_drop(text: str) -> None:
    address = safe_target(text)
    assert address.startswith("/")
    assert not address.startswith(("//", "/\\"))
    assert not set(address) & set("\\\t\r\n ")


def test_only_a_read_request_is_continued_after_the_login(stage: Stage) -> None:
    stage.add_user("ann")
    client = stage.client()
    assert client.post("/account/delete", headers=LOCAL).location == "/login"
    assert client.get("//evil.example", headers=LOCAL).location in {"/login", "/login?next=/evil.example"}
    assert client.get("/" + "x" * 5000, headers=LOCAL).location == "/login"
    assert client.get("/tracks/%C3%A9%3F", headers=LOCAL).location == "/login?next=/tracks/%25C3%25A9%253F"
