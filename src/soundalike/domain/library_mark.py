"""What a store says of itself: the id of its library, and whether it is whole."""

import hashlib
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


def library_id_of_before(first_track_id: str) -> LibraryId:
    """Return the id for the library of a store that a version without such ids made.

    It depends on the first track alone, whose id is random: a backup that is put back and migrated again gets
    the id that artefacts and key have from the first time.
    """
    digest = hashlib.blake2b(first_track_id.encode(errors="surrogatepass"), digest_size=16, person=b"library")
    return LibraryId(digest.hexdigest())
