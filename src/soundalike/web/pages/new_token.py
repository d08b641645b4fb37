"""The secret of a new token on its way from the form that made it to the page that shows it, once.

It is in no address, and not in the session, whose cookie lasts for weeks: a cookie of its own, for the
account's pages alone, is gone once it was shown, and after a minute in any case.
"""

from collections.abc import Iterable

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from soundalike.domain.users import Credential
from soundalike.services.listeners.accounts import NewToken
from soundalike.web.security.same_origin import is_https

COOKIE = "soundalike_new_token"
LASTS_S = 60

_PATH = "/account"


def hand_over(response: Response, made: NewToken) -> Response:
    """Let a response bring a new token to the page that it leads to.

    Parameters
    ----------
    response : Response
        Leads to the account's page.
    made : NewToken
        The token.
    """
    value = _signer().dumps([made.token.id, made.secret])
    is_secure = is_https(request)
    response.set_cookie(
        COOKIE, value, max_age=LASTS_S, path=_PATH, httponly=True, samesite="Lax", secure=is_secure
    )
    return response


def handed_over(tokens: Iterable[Credential]) -> NewToken | None:
    """Return the new token that a request brings, if it is one of the user's."""
    try:
        token_id, secret = _signer().loads(request.cookies.get(COOKIE, ""), max_age=LASTS_S)
    except BadData:
        return None
    return next((NewToken(token, secret) for token in tokens if token.id == token_id), None)


def forget(response: Response) -> Response:
    """Remove what a request brought from the browser."""
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="Lax", secure=is_https(request))
    return response


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or b"", salt=COOKIE)
