"""Requests as browsers and scripts send them."""

import re
from collections.abc import Mapping

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

LOCAL = {"Host": "localhost"}
PASSWORD = "correct horse"  # noqa: S105 - of a test's account


def me(client: FlaskClient, headers: dict[str, str] = LOCAL) -> TestResponse:
    """Ask who the user is."""
    return client.get("/api/me", headers=headers)


def form_token(client: FlaskClient, page: str) -> str:
    """Return the CSRF token in the forms of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, headers=LOCAL).text)
    assert found is not None, f"{page} has no form"
    return found[1]


def send_form(
    client: FlaskClient,
    page: str,
    action: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str] = LOCAL,
) -> TestResponse:
    """Load a page and send one of its forms."""
    return client.post(action, data={"csrf_token": form_token(client, page), **fields}, headers=headers)
