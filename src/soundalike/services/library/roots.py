"""Where named roots are on this machine."""

from collections.abc import Mapping
from pathlib import Path

from soundalike.domain.files import Location, Root
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.types import RelativePath, RootName


class RootMap:
    """Where roots are: as the store last saw them, or as the settings say for this machine.

    Parameters
    ----------
    store : LibraryStore
        Has the roots.
    overrides : mapping of RootName to Path
        Folders on this machine, absolute and without links.
    """

    def __init__(self, store: LibraryStore, overrides: Mapping[RootName, Path]) -> None:
        self._store = store
        self._overrides = dict(overrides)

    def roots(self) -> tuple[Root, ...]:
        """Return every root with its folder on this machine, by name."""
        places = {root.name: root.location for root in self._store.roots()} | self._overrides
        return tuple(Root(name, places[name]) for name in sorted(places))

    def path_of(self, location: Location) -> Path | None:
        """Return the path of a location on this machine, or None if its root is unknown here."""
        override = self._overrides.get(location.root)
        if override is not None:
            return _below(override, location.path)
        for root in self._store.roots():
            if root.name == location.root:
                return _below(root.location, location.path)
        return None

    def scope(self, directory: Path) -> tuple[Location, ...]:
        """Return the folders of known roots at or below a folder; none if the folder is in no root.

        Parameters
        ----------
        directory : Path
            Absolute and without links.
        """
        found = []
        for root in self.roots():
            if directory == root.location or directory.is_relative_to(root.location):
                below = bytes(directory.relative_to(root.location))
                found.append(Location(root.name, RelativePath(b"" if below == b"." else below)))
            elif root.location.is_relative_to(directory):
                found.append(Location(root.name, RelativePath(b"")))
        return tuple(found)

    def holds(self, directory: Path) -> bool:
        """Whether the folder is a root, or below one."""
        return any(directory.is_relative_to(root.location) for root in self.roots())

    def adopt(self, directory: Path) -> Root:
        """Make a folder a root, named after itself."""
        taken = {root.name for root in self.roots()}
        stem = directory.name.encode(errors="surrogateescape").decode(errors="replace") or "music"
        names = (stem if count == 1 else f"{stem}-{count}" for count in range(1, len(taken) + 2))
        root = Root(next(RootName(name) for name in names if name not in taken), directory)
        self._store.save_root(root)
        return root


def _below(place: Path, path: RelativePath) -> Path:
    return place / path.decode(errors="surrogateescape")
