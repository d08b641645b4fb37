"""The web player as a Flask application over services."""

from flask import Flask

from soundalike.services import Services
from soundalike.web.api import make_api
from soundalike.web.assets import make_assets
from soundalike.web.faults import answer_faults
from soundalike.web.guard import Guard
from soundalike.web.pages import make_pages


def create_app(services: Services, *, allowed_hosts: frozenset[str] = frozenset()) -> Flask:
    """Return the player: pages, API and streams.

    Parameters
    ----------
    services : Services
        What it shows and plays; safe to be called from several threads.
    allowed_hosts : frozenset of str
        Host names to answer to besides ``localhost``, ``127.0.0.1`` and ``[::1]``.
    """
    app = Flask(__name__, static_folder=None)
    # Even under test, an error nobody foresaw is answered, not thrown at the server.
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.merge_slashes = False
    app.register_blueprint(make_api(services))
    app.register_blueprint(make_assets())
    app.register_blueprint(make_pages(services))
    answer_faults(app)
    app.wsgi_app = Guard(app.wsgi_app, allowed_hosts)  # type: ignore[method-assign] # Flask's own way to wrap
    return app
