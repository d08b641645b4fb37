"""Everything that a store has, each entity declared in one place.

`store copy`, the export of a user's data and its erasure are loops over `ENTITIES`: an entity
that is added to the table is copied, exported and erased without other changes.
"""

from typing import Any

from soundalike.services.entities.entity import Entity
from soundalike.services.entities.library import PROBLEMS, ROOTS, TRACKS
from soundalike.services.entities.listeners import ACCOUNTS, ERASURES, LISTENS, PROFILES, TOKENS

ENTITIES: tuple[Entity[Any], ...] = (
    ACCOUNTS,  # first, so that half a copy never looks like a store without accounts, which everyone may use
    TOKENS,
    TRACKS,
    PROBLEMS,
    ERASURES,
    LISTENS,
    PROFILES,
    ROOTS,  # last, as a seal: a store with roots is whole
)
"""In the order in which they are copied."""
