"""How each route of the table is called, and two users who call them."""

from dataclasses import dataclass, replace
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from soundalike.domain.catalogue import album_id, artist_id
from soundalike.domain.genres import genre_id
from soundalike.domain.types import UserId
from soundalike.web.routes.route import Route, Who
from soundalike.web.routes.table import API_ROUTES, PAGE_ROUTES
from web.clients import LOCAL, PASSWORD, form_token
from web.stage import Stage

EVENT = {
    "id": "00000000-0000-4000-8000-000000000abc",
    "track_id": "a",
    "kind": "liked",
    "position_ms": None,
    "at": "2026-01-01T00:00:00Z",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a route by its test.

    Parameters
    ----------
    route : Route
        The route.
    path : str
        The path to call; TOKEN stands for the id of a token.
    json, form : mapping or None
        The body to send.
    """

    route: Route
    path: str
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None

    def __str__(self) -> str:
        return self.route.call

    @property
    def is_open(self) -> bool:
        return self.route.who is Who.ANYONE

    @property
    def is_library(self) -> bool:
        """Whether it shows tracks, which are the same for all users."""
        return self.route.name.partition(".")[0] in LIBRARY or self.route.name in LIBRARY

    @property
    def is_write(self) -> bool:
        return self.route.method != "GET"

    @property
    def is_api(self) -> bool:
        return self.route in API_ROUTES

    def with_token_id(self, token_id: str) -> "Call":
        """Return the call with the id of a token in its path, where it takes one."""
        return replace(self, path=self.path.replace("TOKEN", token_id))

    def call(self, client: FlaskClient, headers: dict[str, str], *, method: str = "") -> TestResponse:
        """Call the route as it is meant to be called, or by another method; forms have their CSRF token."""
        page = "/login" if self.is_open else "/account"
        token = {} if self.form is None else {"csrf_token": form_token(client, page)}
        return self.send(client, headers, method=method, **token)

    def send(
        self, client: FlaskClient, headers: dict[str, str], *, method: str = "", **fields: str
    ) -> TestResponse:
        """Call the route without a CSRF token."""
        answer = client.open(
            self.path,
            method=method or self.route.method,
            headers=headers,
            json=self.json,
            data=None if self.form is None else {**self.form, **fields},
        )
        answer.get_data()
        answer.close()
        return answer


# A token's id is the only parameter that names data of a user.
VALUES = {
    "<track_id>": "a",
    "<token_id>": "TOKEN",
    "<asked>": "x",
    "<path:name>": "logo.svg",
    "<album_id>": album_id("some album", "some artist"),
    "<artist_id>": artist_id("some artist"),
    "<genre_id>": genre_id("some genre"),
}
JSON: dict[str, dict[str, Any]] = {
    "listening.listens": {"events": [EVENT]},
    "me.delete": {},
    "me.make_token": {"label": "mine"},
    "me.revoke_token": {},
    "scans.want": {},
    "scans.pause": {},
    "scans.resume": {},
}
FORMS = {
    "login.submit": {"name": "ann", "password": PASSWORD},
    "login.log_out": {},
    "accounts.change_password": {"password": PASSWORD, "new_password": "k3jd8s2m", "repeated": "k3jd8s2m"},
    "accounts.make_token": {"label": "mine"},
    "accounts.revoke_token": {},
    "accounts.delete": {"password": PASSWORD, "word": "delete"},
}
LIBRARY = {
    "tracks",
    "entries",
    "media",
    "covers",
    "pages",
    "catalogue",
    "listening.recommendations",
    "listening.radio",
}


def call_of(route: Route) -> Call:
    path = route.path
    for variable, value in VALUES.items():
        path = path.replace(variable, value)
    return Call(route, path, JSON.get(route.name), FORMS.get(route.name))


CALLS = tuple(map(call_of, (*API_ROUTES, *PAGE_ROUTES)))
CLOSED = [call for call in CALLS if not call.is_open]
WRITES = [call for call in CALLS if call.is_write]
READS = [call for call in CALLS if not call.is_write]


class TwoUsers:
    """Ann and Bob; each has played something, and Bob has a token."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        for number, name in enumerate(("a", "b", "of-bob-heard")):
            stage.add(name, point=(float(number), 0.0), genre="Some Genre")
        stage.settle_catalogue()
        stage.build()
        self.ann = stage.add_user("ann")
        stage.services.accounts.make_admin(stage.add_user("bob").id)  # or he becomes one when Ann goes
        self.bob = stage.services.accounts.named("bob")
        stage.listen(self.ann.id, 10, track_id="b")
        self.heard = stage.listen(self.bob.id, 99, track_id="of-bob-heard", kind="liked")
        self.made = stage.services.accounts.make_token(self.bob.id, "of-bob-label")

    def find_data_of_bob(self, route: Call, text: str) -> list[str]:
        secrets = [
            self.heard.id,
            self.made.token.id,
            "of-bob-label",
            self.made.secret,
            self.bob.password_hash,
        ]
        data = secrets + ['"bob"', self.bob.id] + ([] if route.is_library else ["of-bob-heard"])
        return [word for word in data if word in text]

    def data_of(self, user_id: UserId) -> object:
        """Return all that is stored about a user."""
        store = self.stage.store
        return (
            tuple(store.listens_of(user_id)),
            store.profile_version(user_id),
            store.erased(user_id).until_ms,
            store.credentials_of(user_id),
            store.user(user_id),
        )

    def all_data(self) -> object:
        """Return all that is stored about both."""
        return self.stage.store.users(), self.data_of(self.ann.id), self.data_of(self.bob.id)

    def ask_as_ann(
        self, route: Call, headers: dict[str, str] | None = None, *, method: str = ""
    ) -> TestResponse:
        """Call a route with Ann's session, and with the id of Bob's token where it takes one."""
        client = self.stage.client() if route.is_open else self.stage.log_in("ann")
        return route.with_token_id(self.made.token.id).call(client, headers or LOCAL, method=method)
