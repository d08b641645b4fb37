"""What a store says of itself: the id of its library, and whether it is whole."""

from dataclasses import dataclass

from soundalike.domain.types import LibraryId


@dataclass(frozen=True, slots=True)
class LibraryMark:
    """The mark of a store.

    Parameters
    ----------
    library_id : LibraryId or None
        Shared with all copies, artefacts and the key that signs sessions; None for a new, empty store.
    is_unfinished : bool
        Whether it is a copy that has not been finished.
    """

    library_id: LibraryId | None = None
    is_unfinished: bool = False


UNMARKED = LibraryMark()
"""The mark of a new store."""
