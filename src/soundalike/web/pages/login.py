"""The pages to log in and out."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from soundalike.domain.errors import LoginError
from soundalike.domain.users import account_key
from soundalike.services import Services
from soundalike.services.listeners.account_rules import composed
from soundalike.web.caching import no_store
from soundalike.web.pages.protocol import LOGIN_ENDPOINT, page_target
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import RequestRefusedError, WebProtocol
from soundalike.web.security.authentication import end_session, start_session
from soundalike.web.security.current_user import current_listener_or_none
from soundalike.web.security.rate_limit import RateLimits


def login_blueprint(services: Services, limits: RateLimits, pages: WebProtocol) -> RouteBlueprint:
    """Return the routes to log in and out.

    Parameters
    ----------
    services : Services
        The use cases.
    limits : RateLimits
        Bound the attempts at a password.
    pages : WebProtocol
        That of pages, which finds users by their sessions alone.
    """
    login = RouteBlueprint("login", pages)

    @login.handler
    def show() -> Response:
        target = page_target(request.args.get("next", "/"))
        return _page(services, target) if current_listener_or_none() is None else see_other(target)

    @login.handler
    def submit() -> Response:
        target = page_target(request.form.get("next", "/"))
        # Without accounts nobody logs in, and there is no password to guess.
        return _log_in(services, limits, target) if services.accounts.has_users() else see_other(target)

    @login.handler
    def log_out() -> Response:
        end_session(services.accounts)
        return see_other(url_for(LOGIN_ENDPOINT))

    login.after_request(no_store)
    return login


def see_other(address: str) -> Response:
    """Redirect by GET to the page that shows the result of a form."""
    return make_response(redirect(address, code=303))


def _log_in(services: Services, limits: RateLimits, target: str) -> Response:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        limits.check_login(request.remote_addr or "", account_key(composed(name)))
        user = services.accounts.login(name, password)
    except RequestRefusedError as refused:
        response = _page(services, target, name=name, error=refused.answer.message)
        response.status_code = refused.answer.status
        response.headers.extend(dict(refused.headers))
        return response
    except LoginError as error:
        response = _page(services, target, name=name, error=str(error))
        response.status_code = 401
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    start_session(user)
    for text in (advice := services.accounts.advise(user, password)):
        flash(text)
    return see_other(url_for("accounts.account") if advice else target)


def _page(services: Services, target: str, *, name: str = "", error: str = "") -> Response:
    has_users = services.accounts.has_users()
    page = render_template("login.html", target=target, name=name, error=error, has_users=has_users)
    return make_response(page)
