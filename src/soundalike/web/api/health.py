"""Whether the player works, for those who watch it."""

from typing import Any

from flask import Response, jsonify

from soundalike.domain.ports.listening import LogHealth
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.errors.responses import LOG_AWAY
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol, nobody


def health_blueprint(services: Services, api: WebProtocol) -> RouteBlueprint:
    """Return the route of the player's health.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    """
    health = RouteBlueprint("health", api.finding(nobody))

    @health.handler
    def healthz() -> Response:
        services.listens.check_store()
        version = services.neighbours.artefact_version()
        events = (
            {} if services.listens.is_folding else {"events": _health_body(services.listens.log_health())}
        )
        return jsonify(status="ok", tracks=services.library.count(), artefact=version, **events)

    health.after_request(revalidate)
    return health


def _health_body(health: LogHealth) -> dict[str, Any]:
    """Return the health of the log; what a log that is away says may name servers, so it is left out."""
    detail = health.detail if health.is_up else LOG_AWAY
    return {"is_up": health.is_up, "is_consumed": health.is_consumed, "detail": detail}
