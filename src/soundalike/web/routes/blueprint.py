"""Blueprints whose handlers are routes of the table, and what they tell of the request that is answered."""

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from soundalike.web.routes.protocol import WebProtocol
from soundalike.web.routes.route import Route

Handler = Callable[..., ResponseReturnValue]


class RouteBlueprint(Blueprint):
    """Some of the routes of a protocol.

    Parameters
    ----------
    name : str
        Its name, with which the names of its routes begin.
    protocol : WebProtocol
        Finds the users of its requests, and shows its errors.
    """

    def __init__(self, name: str, protocol: WebProtocol) -> None:
        super().__init__(name, __name__)
        self.protocol = protocol
        self.routes = {route.name: route for route in protocol.routes}

    def handler(self, handle: Handler) -> Handler:
        """Answer the route of this blueprint that has the name of a function, with that function.

        It gets the variables of the path, the validated parameters and the validated body by their names.
        """
        route = self.routes[f"{self.name}.{handle.__name__}"]

        @wraps(handle)
        def answer(**variables: str) -> ResponseReturnValue:
            return handle(**variables, **route.read(request))

        self.add_url_rule(route.path, handle.__name__, answer, methods=[route.method])
        return handle


def current_route() -> Route | None:
    """Return the route of the request that is being answered, or None where the table has none."""
    blueprint = current_app.blueprints.get(request.blueprint or "")
    return blueprint.routes.get(request.endpoint or "") if isinstance(blueprint, RouteBlueprint) else None


def current_protocol() -> WebProtocol:
    """Return the protocol of the current request: that of its blueprint, else that of its address."""
    blueprint = current_app.blueprints.get(request.blueprint or "")
    return blueprint.protocol if isinstance(blueprint, RouteBlueprint) else protocol_at(request.path)


def protocol_at(path: str) -> WebProtocol:
    """Return the protocol of an address, whether or not there is anything."""
    spoken = {
        start: one.protocol
        for one in current_app.blueprints.values()
        if isinstance(one, RouteBlueprint)
        for start in one.protocol.addresses
    }
    return spoken[max((start for start in spoken if f"{path}/".startswith(f"{start}/")), key=len)]
