"""Logging in and out, and one's account, in a real browser: its own headers and cookies pass the door."""

import json

import pytest
from playwright.sync_api import Page, expect

from soundalike.domain.users import YOU
from soundalike.web.server.serve import HttpServer
from web.clients import PASSWORD
from web.stage import Stage

pytestmark = pytest.mark.browser

NEW = "a longer password"


@pytest.fixture
def ann(stage: Stage) -> None:
    stage.add_user("Ann")


@pytest.fixture
def visitor(ann: None, page: Page) -> Page:  # noqa: ARG001 - that she has an account is what matters
    """A browser that has been sent to log in."""
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    return page


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def open_account(page: Page) -> None:
    page.get_by_role("link", name="Your account, Ann").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")


def test_one_logs_in_lands_where_one_wanted_to_be_and_logs_out(visitor: Page, server: HttpServer) -> None:
    visitor.goto(f"{server.url}tracks/cedar")
    log_in(visitor)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Cedar")
    assert visitor.evaluate("document.body.dataset.user") == YOU
    assert visitor.evaluate("document.cookie") == ""
    open_account(visitor)
    visitor.get_by_role("button", name="Log out").click()
    expect(visitor.get_by_role("heading", name="Log in")).to_be_visible()
    visitor.goto(server.url)
    expect(visitor.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.complains("401")
def test_a_wrong_password_is_said_and_the_name_is_kept(visitor: Page, complaints: list[str]) -> None:
    log_in(visitor, "wrong password")
    expect(visitor.get_by_role("alert")).to_have_text("name and password do not belong together")
    expect(visitor.get_by_label("Name")).to_have_value("ann")
    assert len(complaints) == 1


@pytest.mark.complains("400")
def test_tokens_password_export_and_deletion_on_the_page(
    stage: Stage, visitor: Page, complaints: list[str]
) -> None:
    log_in(visitor)
    open_account(visitor)
    visitor.get_by_label("What is it for?").fill("phone")
    visitor.get_by_role("button", name="Make a token").click()
    secret = visitor.locator(".secret").inner_text()
    assert stage.services.accounts.user_of_token(secret) is not None
    visitor.get_by_role("button", name="Revoke phone").click()
    expect(visitor.get_by_text("The token is revoked.")).to_be_visible()
    assert stage.services.accounts.user_of_token(secret) is None

    visitor.get_by_label("Password now").fill(PASSWORD)
    visitor.get_by_label("New password", exact=True).fill(NEW)
    visitor.get_by_label("New password, again").fill(NEW)
    visitor.get_by_role("button", name="Change password").click()
    expect(visitor.get_by_text("Your password is changed")).to_be_visible()

    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Export").click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["account"]["name"] == "Ann"

    visitor.get_by_label("Your password").fill(PASSWORD)
    visitor.get_by_role("button", name="Delete my account").click()
    expect(visitor.get_by_role("alert")).to_have_text("this is not your password")
    expect(visitor.get_by_label("Your password")).to_be_focused()
    assert len(complaints) == 1
    visitor.get_by_label("Your password").fill(NEW)
    visitor.get_by_role("button", name="Delete my account").click()
    expect(visitor.get_by_text("All your data is deleted.")).to_be_visible()
    assert not stage.services.accounts.has_users()


def test_without_accounts_you_are_forgotten_once_you_have_typed_so(stage: Stage, page: Page) -> None:
    stage.listen(YOU, track_id="elm")
    page.get_by_role("link", name="You", exact=True).click()
    page.get_by_label("Type delete").fill("delete")
    page.get_by_role("button", name="Delete my data").click()
    expect(page.get_by_text("All your data is deleted.")).to_be_visible()
    assert list(stage.store.listens_of(YOU)) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_of_an_account_is_wider_than_the_screen(visitor: Page, stage: Stage, width: int) -> None:
    visitor.set_viewport_size({"width": width, "height": 800})
    assert overflow(visitor) <= 0
    stage.services.accounts.make_token(YOU, "x" * 80)
    log_in(visitor)
    open_account(visitor)
    assert overflow(visitor) <= 0


def overflow(page: Page) -> int:
    pixels: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return pixels
