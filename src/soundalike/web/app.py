"""The web player as a Flask application over services."""

from collections.abc import Iterable

from flask import Blueprint, Flask

from soundalike.services import Services
from soundalike.web.api.description import description_blueprint
from soundalike.web.api.entries import entries_blueprint
from soundalike.web.api.health import health_blueprint
from soundalike.web.api.listening import listening_blueprint
from soundalike.web.api.me import me_blueprint
from soundalike.web.api.metrics import metrics_blueprint
from soundalike.web.api.protocol import json_protocol
from soundalike.web.api.scans import scans_blueprint
from soundalike.web.api.tracks import tracks_blueprint
from soundalike.web.errors.circuit_breaker import StoreBreaker, ask_store, fail_fast, make_store_breaker
from soundalike.web.errors.responses import handle_errors
from soundalike.web.media.routes import covers_blueprint, media_blueprint
from soundalike.web.pages.account import account_blueprint
from soundalike.web.pages.assets import assets_blueprint
from soundalike.web.pages.catalogue import catalogue_blueprint
from soundalike.web.pages.library import library_blueprint
from soundalike.web.pages.login import login_blueprint
from soundalike.web.pages.protocol import page_protocol
from soundalike.web.security.authentication import Authenticator, authenticate_requests, keep_sessions
from soundalike.web.security.client_address import Proxies
from soundalike.web.security.csrf import prepare_csrf_tokens
from soundalike.web.security.current_user import current_listener_or_none
from soundalike.web.security.host_check import HostCheck
from soundalike.web.security.rate_limit import RateLimits, limit_listens
from soundalike.web.security.same_origin import check_writes
from soundalike.web.temporary_files import TemporaryFiles


def create_app(  # noqa: PLR0913 - each is an option of its own
    services: Services,
    *,
    session_key: bytes,
    allowed_hosts: frozenset[str] = frozenset(),
    is_exposed: bool = False,
    proxies: Proxies | None = None,
    limits: RateLimits | None = None,
    breaker: StoreBreaker | None = None,
) -> Flask:
    """Return the player: pages, API and streams.

    Parameters
    ----------
    services : Services
        The use cases; safe for several threads.
    session_key : bytes
        Signs sessions.
    allowed_hosts : frozenset of str
        Host names to accept besides ``localhost``, ``127.0.0.1`` and ``[::1]``.
    is_exposed : bool
        Whether other machines can reach the player: then everyone has to log in, even while there is no
        account, and every IP address is accepted as a host.
    proxies : Proxies or None
        Those that are believed about the address of a client; None is none.
    limits : RateLimits or None
        None makes the usual ones.
    breaker : StoreBreaker or None
        The circuit breaker of the store; None makes a closed one.
    """
    limits, breaker = limits or RateLimits(), breaker or make_store_breaker()
    app = Flask(__name__, static_folder=None)
    # Even in tests, an unforeseen error is answered, not raised to the server.
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.merge_slashes = False
    app.context_processor(
        lambda: {"listener": current_listener_or_none(), "is_folding": services.listens.is_folding}
    )
    # In the order in which a request passes them.
    fail_fast(app, breaker)
    keep_sessions(app, services.accounts, session_key=session_key)
    authenticate_requests(app)
    handle_errors(app)
    prepare_csrf_tokens(app)
    check_writes(app)
    limit_listens(app, limits)
    authenticator = Authenticator(services.accounts, is_exposed=is_exposed)
    for blueprint in _blueprints(services, limits, authenticator, TemporaryFiles()):
        app.register_blueprint(blueprint)
    app.wsgi_app = HostCheck(  # type: ignore[method-assign] # Flask's own way to wrap
        app,
        allowed_hosts,
        has_users=lambda: ask_store(breaker, services.accounts.has_users),
        is_exposed=is_exposed,
        proxies=proxies or Proxies(),
    )
    return app


def _blueprints(
    services: Services, limits: RateLimits, authenticator: Authenticator, temporary: TemporaryFiles
) -> Iterable[Blueprint]:
    api, pages = json_protocol(authenticator), page_protocol(authenticator)
    yield health_blueprint(services, api)
    yield description_blueprint(api)
    yield tracks_blueprint(services, api)
    yield entries_blueprint(services, api)
    yield listening_blueprint(services, api)
    yield me_blueprint(services, api, temporary)
    yield scans_blueprint(services, api)
    yield metrics_blueprint(services, api)
    yield media_blueprint(services, api, temporary)
    yield covers_blueprint(services, pages, temporary)
    yield library_blueprint(services, pages)
    yield catalogue_blueprint(services, pages)
    yield account_blueprint(services, limits, pages)
    # A token is no reason to skip the login, and none to refuse it.
    yield login_blueprint(services, limits, pages.finding(authenticator.find_by_session))
    yield assets_blueprint(pages)
