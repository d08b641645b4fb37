"""Everything that a store has, each entity declared in one place.

`store copy`, the export of a user's data and its erasure are loops over `ENTITIES`: an entity
that is added to the table is copied, exported and erased without other changes.
"""

from typing import Any

from soundalike.services.entities.entity import Entity
from soundalike.services.entities.library import FEATURES, PROBLEMS, ROOTS, SUCCESSORS, TRACKS
from soundalike.services.entities.listeners import (
    ACCOUNTS,
    CREDENTIALS,
    ENDED_SESSIONS,
    ERASURES,
    LISTENS,
    PROFILES,
)

ENTITIES: tuple[Entity[Any], ...] = (
    ACCOUNTS,
    CREDENTIALS,
    ENDED_SESSIONS,
    TRACKS,
    SUCCESSORS,  # after the tracks, which make some as they are written
    FEATURES,  # after the tracks that they are of
    PROBLEMS,
    ERASURES,
    LISTENS,
    PROFILES,
    ROOTS,
)
"""In the order in which they are copied."""
