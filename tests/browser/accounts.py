"""Logging in and out at the browser, as each listener of it does."""

from playwright.sync_api import Page, expect

from web.clients import PASSWORD


def fill_login(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def log_in(page: Page, name: str) -> None:
    """Log in, and wait until the scripts of the library have run."""
    fill_login(page, name)
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.wait_for_load_state("networkidle")


def log_out(page: Page, url: str) -> None:
    page.goto(f"{url}account")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def open_account(page: Page, name: str) -> None:
    page.get_by_role("link", name=f"Your account, {name}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
