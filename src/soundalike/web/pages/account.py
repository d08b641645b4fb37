"""The page of one's own account: what is stored, tokens, password, and an end to it."""

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from soundalike.domain.errors import AccountError, LoginError
from soundalike.domain.users import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from soundalike.services import Services
from soundalike.services.listeners.accounts import MAX_LABEL_LENGTH, NewToken
from soundalike.web.api.me import forget_listener
from soundalike.web.pages.login import check_login, keep_private, see
from soundalike.web.security.authentication import start_session
from soundalike.web.security.current_user import Listener, known_listener, listener_id
from soundalike.web.security.rate_limit import Limits

DELETE_WORD = "delete"
FORGOTTEN = "forgotten"
"""The kind of message that tells a browser whom to forget."""


def make_accounts(services: Services, limits: Limits) -> Blueprint:
    """Return the account's page and its forms; each form answers with the page, or leads back to it."""
    pages = Blueprint("accounts", __name__, url_prefix="/account")

    @pages.get("")
    def account() -> Response:
        return _page(services)

    @pages.post("/password")
    def change_password() -> Response:
        try:
            _change_password(services, limits)
        except AccountError as error:
            return _page(services, fault=("password", error))
        flash("Your password is changed, and you are logged out everywhere else.")
        return see(url_for("accounts.account"))

    @pages.post("/tokens")
    def make_token() -> Response:
        try:
            made = services.accounts.make_token(listener_id(), request.form.get("label", ""))
        except AccountError as error:
            return _page(services, fault=("tokens", error))
        return _page(services, made=made)

    @pages.post("/tokens/<token_id>/revoke")
    def revoke_token(token_id: str) -> Response:
        is_revoked = services.accounts.revoke_token(listener_id(), token_id)
        flash("The token is revoked." if is_revoked else "That token was gone already.")
        return see(url_for("accounts.account"))

    @pages.post("/delete")
    def delete() -> Response:
        try:
            _confirm_deletion(services, limits)
        except AccountError as error:
            return _page(services, fault=("delete", error))
        gone = known_listener().user_id
        forget_listener(services)
        flash(gone, FORGOTTEN)
        flash("Everything that was stored on you is deleted.")
        return see(url_for("accounts.account"))

    pages.after_request(keep_private)
    return pages


def _change_password(services: Services, limits: Limits) -> None:
    listener = known_listener()
    password = request.form.get("new_password", "")
    _check_own_password(services, limits, listener)
    if password != request.form.get("repeated", ""):
        msg = "the two new passwords differ"
        raise AccountError(msg)
    services.accounts.change_password(listener.user_id, password)
    start_session(services.accounts.login(listener.name or "", password))


def _confirm_deletion(services: Services, limits: Limits) -> None:
    listener = known_listener()
    if listener.name is not None:
        _check_own_password(services, limits, listener)
    elif request.form.get("word", "").strip().lower() != DELETE_WORD:
        msg = f"type {DELETE_WORD} to go on"
        raise AccountError(msg)


def _check_own_password(services: Services, limits: Limits, listener: Listener) -> None:
    try:
        check_login(services, limits, listener.name or "", request.form.get("password", ""))
    except LoginError:
        msg = "that is not your password"
        raise AccountError(msg) from None


def _page(
    services: Services, *, fault: tuple[str, AccountError] | None = None, made: NewToken | None = None
) -> Response:
    listener = known_listener()
    page = render_template(
        "account.html",
        user=services.accounts.user(listener.user_id),
        tokens=services.accounts.tokens_of(listener.user_id),
        heard=services.profiles.of(listener.user_id).taste.count,
        faults={} if fault is None else {fault[0]: str(fault[1])},
        made=made,
        delete_word=DELETE_WORD,
        max_label=MAX_LABEL_LENGTH,
        min_password=MIN_PASSWORD_LENGTH,
        max_password=MAX_PASSWORD_LENGTH,
    )
    return make_response(page, 400 if fault else 200)
