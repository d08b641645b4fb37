"""Use cases; they see only the domain and its ports."""

from dataclasses import dataclass

from soundalike.services.library.browse import Library
from soundalike.services.library.entries import Entries
from soundalike.services.library.media import Media
from soundalike.services.library.scan_control import ScanControl
from soundalike.services.listeners.accounts import Accounts
from soundalike.services.listeners.ingest import ListenIngest
from soundalike.services.listeners.personal_data import PersonalData
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.services.recommendation.similar import NeighbourFinder


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases of the web player."""

    library: Library
    entries: Entries
    media: Media
    neighbours: NeighbourFinder
    profiles: Profiles
    listens: ListenIngest
    recommender: Recommender
    accounts: Accounts
    personal_data: PersonalData
    scans: ScanControl
