"""Which library a folder of artefacts belongs to, without reading the artefacts."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from soundalike.domain.types import LibraryId
from soundalike.learning.artefacts.files import MANIFEST

IMPORTED = "imported"
"""Below the folder of artefacts: one folder of artefacts for each feature set that was imported."""

_VERSION = re.compile(r"[0-9]{6,18}")


@dataclass(frozen=True, slots=True)
class ArtefactFolder:
    """A folder with artefacts.

    Parameters
    ----------
    path : Path
        Where it is.
    library_id : LibraryId or None
        Of the newest; None if a version that knew no ids made it, or it is damaged.
    """

    path: Path
    library_id: LibraryId | None

    @property
    def name(self) -> str:
        """What and where it is, for people."""
        return f"the artefact folder {str(self.path)!r}"

    def take_up(self, library_id: LibraryId) -> None:
        """Do nothing: what is built next has the id."""


def find_artefacts(folder: Path) -> ArtefactFolder | None:
    """Return the folder with its library, if there are artefacts in it."""
    # Those of the older format stand in the folder itself, others in the folder of their recipe.
    found = [*folder.glob(f"*/{MANIFEST}"), *folder.glob(f"*/*/{MANIFEST}")]
    found += folder.glob(f"{IMPORTED}/*/*/*/{MANIFEST}")
    versions = [path for path in found if _VERSION.fullmatch(path.parent.name)]
    if not versions:
        return None
    newest = max(versions, key=lambda path: int(path.parent.name))
    try:
        library_id = json.loads(newest.read_text(encoding="utf-8")).get("library_id")
    except (OSError, ValueError, AttributeError, RecursionError):
        library_id = None
    return ArtefactFolder(folder, LibraryId(library_id) if isinstance(library_id, str) else None)
