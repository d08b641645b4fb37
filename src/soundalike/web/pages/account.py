"""The page of a user's own account: what is stored, tokens, password and deletion."""

from flask import Response, flash, make_response, render_template, request, url_for

from soundalike.domain.errors import AccountError, LoginError
from soundalike.domain.users import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from soundalike.services import Services
from soundalike.services.listeners.accounts import MAX_LABEL_LENGTH, NewToken
from soundalike.web.caching import no_store
from soundalike.web.pages.login import see_other
from soundalike.web.pages.new_token import forget, hand_over, handed_over
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import Listener, WebProtocol
from soundalike.web.security.authentication import delete_own_data, start_session
from soundalike.web.security.current_user import current_listener, current_user_id
from soundalike.web.security.rate_limit import RateLimits

DELETE_WORD = "delete"
FORGOTTEN = "forgotten"
"""The category of the message that names a user whose data the browser deletes too."""


def account_blueprint(services: Services, limits: RateLimits, pages: WebProtocol) -> RouteBlueprint:
    """Return the account's page and its forms; each form shows the page, or redirects to it.

    Parameters
    ----------
    services : Services
        The use cases.
    limits : RateLimits
        Bound the attempts at a password.
    pages : WebProtocol
        That of pages.
    """
    accounts = RouteBlueprint("accounts", pages)

    @accounts.handler
    def account() -> Response:
        made = handed_over(services.accounts.tokens_of(current_user_id()))
        return forget(_page(services, made=made))

    @accounts.handler
    def change_password() -> Response:
        try:
            _change_password(services, limits)
        except AccountError as error:
            return _page(services, error=("password", error))
        flash("Your password is changed, and you are logged out everywhere else.")
        return see_other(url_for("accounts.account"))

    @accounts.handler
    def make_token() -> Response:
        try:
            made = services.accounts.make_token(current_user_id(), request.form.get("label", ""))
        except AccountError as error:
            return _page(services, error=("tokens", error))
        return hand_over(see_other(url_for("accounts.account")), made)

    @accounts.handler
    def revoke_token(token_id: str) -> Response:
        is_revoked = services.accounts.revoke_token(current_user_id(), token_id)
        flash("The token is revoked." if is_revoked else "The token was already revoked.")
        return see_other(url_for("accounts.account"))

    @accounts.handler
    def delete() -> Response:
        try:
            _confirm_deletion(services, limits)
        except AccountError as error:
            return _page(services, error=("delete", error))
        user_id = current_user_id()
        delete_own_data(services)
        flash(user_id, FORGOTTEN)
        flash("All your data is deleted.")
        return see_other(url_for("accounts.account"))

    accounts.after_request(no_store)
    return accounts


def _change_password(services: Services, limits: RateLimits) -> None:
    listener = current_listener()
    password = request.form.get("new_password", "")
    _check_own_password(services, limits, listener)
    if password != request.form.get("repeated", ""):
        msg = "the two new passwords are not the same"
        raise AccountError(msg)
    services.accounts.change_password(listener.user_id, password)
    start_session(services.accounts.login(listener.name or "", password))


def _confirm_deletion(services: Services, limits: RateLimits) -> None:
    listener = current_listener()
    if listener.name is not None:
        _check_own_password(services, limits, listener)
    elif request.form.get("word", "").strip().lower() != DELETE_WORD:
        msg = f"type {DELETE_WORD} to confirm"
        raise AccountError(msg)


def _check_own_password(services: Services, limits: RateLimits, listener: Listener) -> None:
    name = listener.name or ""
    limits.check_password(request.remote_addr or "", listener.user_id, name)
    try:
        services.accounts.login(name, request.form.get("password", ""))
    except LoginError:
        msg = "this is not your password"
        raise AccountError(msg) from None


def _page(
    services: Services, *, error: tuple[str, AccountError] | None = None, made: NewToken | None = None
) -> Response:
    listener = current_listener()
    page = render_template(
        "account.html",
        user=services.accounts.user(listener.user_id),
        tokens=services.accounts.tokens_of(listener.user_id),
        listen_count=services.profiles.of(listener.user_id).taste.count,
        errors={} if error is None else {error[0]: str(error[1])},
        made=made,
        delete_word=DELETE_WORD,
        max_label=MAX_LABEL_LENGTH,
        min_password=MIN_PASSWORD_LENGTH,
        max_password=MAX_PASSWORD_LENGTH,
    )
    return make_response(page, 400 if error else 200)
