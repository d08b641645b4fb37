"""Forms carry a token of ours, which no page elsewhere can know."""

from flask import Flask, request
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped] # ships no types

from soundalike.web.errors.responses import ErrorAnswer, RequestRefusedError, is_api_path

_FORGED = ErrorAnswer(
    400,
    "forged_form",
    "this form is too old, or not ours; go back, load the page again, and send it once more",
)


def refuse_forged_forms(app: Flask) -> None:
    """Ask for the token with every change but those of the JSON API, which no form can send."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    protection = CSRFProtect(app)

    @app.before_request
    def refuse() -> None:
        if is_api_path(request.path):
            return
        try:
            protection.protect()
        except CSRFError:
            raise RequestRefusedError(_FORGED) from None
