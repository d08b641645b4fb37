"""Use cases; they see only the domain and its ports."""

from dataclasses import dataclass

from soundalike.services.library import Library
from soundalike.services.listening import Listening
from soundalike.services.neighbours import NeighbourFinder


@dataclass(frozen=True, slots=True)
class Services:
    """What a player needs: browse, listen, be recommended."""

    library: Library
    listening: Listening
    neighbours: NeighbourFinder
