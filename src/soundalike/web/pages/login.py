"""Pages to log in and out."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from soundalike.domain.errors import LoginError
from soundalike.domain.users import User, name_key
from soundalike.services import Services
from soundalike.services.listeners.accounts import composed
from soundalike.web.errors.responses import RequestRefusedError
from soundalike.web.security.authentication import LOGIN_ENDPOINT, end_session, own_address, start_session
from soundalike.web.security.current_user import listener_or_none
from soundalike.web.security.rate_limit import Limits, refuse_over
from soundalike.web.security.same_origin import client_address

_MAX_NAME_KEY = 128


def make_entry(services: Services, limits: Limits) -> Blueprint:
    """Return the routes by which one comes in and goes."""
    entry = Blueprint("entry", __name__)

    @entry.get("/login")
    def login() -> Response:
        target = own_address(request.args.get("next", "/"))
        return _login_page(services, target) if listener_or_none() is None else see(target)

    @entry.post("/login")
    def log_in() -> Response:
        target = own_address(request.form.get("next", "/"))
        # Without accounts there is nothing to log in to, and nobody to try passwords on.
        return _log_in(services, limits, target) if services.accounts.has_users() else see(target)

    @entry.post("/logout")
    def log_out() -> Response:
        end_session()
        return see(url_for(LOGIN_ENDPOINT))

    entry.after_request(keep_private)
    return entry


def check_login(services: Services, limits: Limits, name: str, password: str) -> User:
    """Return whom a name and a password belong to; each name has so many tries a minute.

    Raises
    ------
    LoginError
        If they do not belong together.
    RequestRefusedError
        If there were too many tries.
    """
    refuse_over(limits.names, name_key(composed(name))[:_MAX_NAME_KEY])
    return services.accounts.login(name, password)


def see(address: str) -> Response:
    """Lead on, by GET, to where the result of a form is seen."""
    return make_response(redirect(address, code=303))


def keep_private(response: Response) -> Response:
    """Let nobody keep what is about a person."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _log_in(services: Services, limits: Limits, target: str) -> Response:
    name = request.form.get("name", "")
    try:
        refuse_over(limits.addresses, client_address(request))
        user = check_login(services, limits, name, request.form.get("password", ""))
    except RequestRefusedError as refused:
        response = _login_page(services, target, name=name, fault=refused.answer.message)
        response.status_code = refused.answer.status
        response.headers.extend(dict(refused.headers))
        return response
    except LoginError as error:
        response = _login_page(services, target, name=name, fault=str(error))
        response.status_code = 401
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    start_session(user)
    return see(target)


def _login_page(services: Services, target: str, *, name: str = "", fault: str = "") -> Response:
    has_users = services.accounts.has_users()
    page = render_template("login.html", target=target, name=name, fault=fault, has_users=has_users)
    return make_response(page)
