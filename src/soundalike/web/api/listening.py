"""The listening API: events from players, and what to play next."""

from flask import Response, jsonify

from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.rules import MEMORY
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.caching import no_store
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.web.security.current_user import current_user_id
from soundalike.wire import judgements_body
from soundalike.wire.listens import listens_from
from soundalike.wire.recommendations import radio_body, recommendations_body


def listening_blueprint(services: Services, api: WebProtocol) -> RouteBlueprint:
    """Return the routes that learn from a user and recommend to them.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    """
    listening = RouteBlueprint("listening", api)

    @listening.handler
    def listens(body: object) -> tuple[Response, int]:
        user_id = current_user_id()
        receipt = services.listens.ingest(user_id, listens_from(body, user_id))
        # What a consumer folds later may turn out to be known already, or hidden.
        folded = {"hidden": receipt.hidden} if receipt.is_folded else {"folded": False}
        return jsonify(
            accepted=receipt.accepted,
            duplicates=receipt.duplicates,
            generation=receipt.generation,
            **folded,
        ), 202

    @listening.handler
    def profile() -> Response:
        # Clients poll it until it changes, so an unchanged profile is not read again.
        profile = services.profiles.of(current_user_id())
        return jsonify(profile_version=profile.version, listens=profile.taste.count)

    @listening.handler
    def judgements() -> Response:
        return jsonify(judgements_body(services.profiles.of(current_user_id())))

    @listening.handler
    def recommendations(
        limit: int,
        seed: TrackId | None,
        recent: tuple[TrackId, ...],
        exclude: tuple[TrackId, ...],
        adventure: float,
        playable: str | None,
    ) -> Response:
        question = Question(
            limit=limit,
            seed=seed,
            recent=recent[-MEMORY:],
            exclude=exclude,
            adventure=adventure,
            is_playable_only=playable is None,
        )
        return jsonify(recommendations_body(services.recommender.recommend(current_user_id(), question)))

    @listening.handler
    def radio(
        track_id: str, limit: int, recent: tuple[TrackId, ...], adventure: float, playable: str | None
    ) -> Response:
        seed = TrackId(track_id)
        question = Question(
            limit=limit,
            seed=seed,
            recent=recent[-MEMORY:] or (seed,),
            adventure=adventure,
            is_playable_only=playable is None,
        )
        return jsonify(radio_body(seed, services.recommender.recommend(current_user_id(), question)))

    @listening.after_request
    def no_store_unless_said(response: Response) -> Response:
        return response if "Cache-Control" in response.headers else no_store(response)

    return listening
