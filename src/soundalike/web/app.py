"""The web player as a Flask application over services."""

from flask import Flask

from soundalike.services import Services
from soundalike.web.api.listening import make_personal
from soundalike.web.api.me import make_me
from soundalike.web.api.tracks import make_api
from soundalike.web.errors.circuit_breaker import StoreBreaker, ask_store, fail_fast, make_store_breaker
from soundalike.web.errors.responses import handle_errors
from soundalike.web.pages.account import make_accounts
from soundalike.web.pages.assets import make_assets
from soundalike.web.pages.library import make_pages
from soundalike.web.pages.login import make_entry
from soundalike.web.security.authentication import recognise_listeners
from soundalike.web.security.csrf import refuse_forged_forms
from soundalike.web.security.current_user import listener_or_none
from soundalike.web.security.host_check import Guard
from soundalike.web.security.rate_limit import Limits, limit_rates
from soundalike.web.security.same_origin import refuse_foreign_pages


def create_app(
    services: Services,
    *,
    session_key: bytes,
    allowed_hosts: frozenset[str] = frozenset(),
    is_exposed: bool = False,
    limits: Limits | None = None,
    breaker: StoreBreaker | None = None,
) -> Flask:
    """Return the player: pages, API and streams.

    Parameters
    ----------
    services : Services
        What it shows and plays; safe to be called from several threads.
    session_key : bytes
        Signs sessions.
    allowed_hosts : frozenset of str
        Host names to answer to besides ``localhost``, ``127.0.0.1`` and ``[::1]``.
    is_exposed : bool
        Whether it is bound to an address that other machines reach: then everybody has to log in, also
        while there is no account, and any address may be its own.
    limits : Limits or None
        How often one may ask; None takes the usual.
    breaker : StoreBreaker or None
        The circuit breaker of the store; None makes a closed one.
    """
    limits, breaker = limits or Limits(), breaker or make_store_breaker()
    app = Flask(__name__, static_folder=None)
    # Even under test, an error nobody foresaw is answered, not thrown at the server.
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.merge_slashes = False
    app.context_processor(lambda: {"listener": listener_or_none(), "is_folding": services.listens.is_folding})
    # In the order in which a request has to pass them.
    fail_fast(app, breaker)
    recognise_listeners(app, services.accounts, session_key=session_key, is_exposed=is_exposed)
    refuse_foreign_pages(app)
    handle_errors(app)
    limit_rates(app, limits)
    refuse_forged_forms(app)
    for routes in (
        make_api(services),
        make_personal(services),
        make_me(services),
        make_entry(services, limits),
        make_accounts(services, limits),
        make_assets(),
        make_pages(services),
    ):
        app.register_blueprint(routes)
    app.wsgi_app = Guard(  # type: ignore[method-assign] # Flask's own way to wrap
        app.wsgi_app,
        allowed_hosts,
        has_users=lambda: ask_store(breaker, services.accounts.has_users),
        is_exposed=is_exposed,
    )
    return app
