"""Cross-site request forgery: forms have a token that no other site can know."""

from flask import Flask, current_app
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped] # ships no types

from soundalike.web.routes.protocol import ErrorAnswer, RequestRefusedError

_FORGED = ErrorAnswer(
    400,
    "forged_form",
    "this form is out of date, or not from soundalike; go back, load the page again, and send it again",
)


def prepare_csrf_tokens(app: Flask) -> None:
    """Make tokens for the forms of an app; whoever answers a form checks its token."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    CSRFProtect(app)


def check_csrf_token() -> None:
    """Refuse a form without the token of the session.

    Raises
    ------
    RequestRefusedError
        If it has none, or another.
    """
    try:
        current_app.extensions["csrf"].protect()
    except CSRFError:
        raise RequestRefusedError(_FORGED) from None
