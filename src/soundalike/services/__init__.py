"""Use cases; they see only the domain and its ports."""

from dataclasses import dataclass

from soundalike.services.accounts import Accounts
from soundalike.services.library import Library
from soundalike.services.listening import Listening
from soundalike.services.listens import Listens
from soundalike.services.neighbours import NeighbourFinder
from soundalike.services.profiles import Profiles
from soundalike.services.recommending import Recommender


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a player needs: browse, hear, be known, be recommended."""

    library: Library
    listening: Listening
    neighbours: NeighbourFinder
    profiles: Profiles
    listens: Listens
    recommender: Recommender
    accounts: Accounts
