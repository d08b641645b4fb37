"""Cross-site request forgery: forms have a token that no other site can know."""

from flask import Flask, request
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped] # ships no types

from soundalike.web.errors.responses import ErrorAnswer, RequestRefusedError, is_api_path

_FORGED = ErrorAnswer(
    400,
    "forged_form",
    "this form is out of date, or not from soundalike; go back, load the page again, and send it again",
)


def check_csrf_tokens(app: Flask) -> None:
    """Require the token of every form; no form can send what the JSON API takes."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    protection = CSRFProtect(app)

    @app.before_request
    def check() -> None:
        if is_api_path(request.path):
            return
        try:
            protection.protect()
        except CSRFError:
            raise RequestRefusedError(_FORGED) from None
