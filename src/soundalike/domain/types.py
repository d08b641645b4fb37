"""Units and identifiers as distinct types, so that mypy keeps them apart."""

from typing import NewType

import numpy as np
import numpy.typing as npt

TrackId = NewType("TrackId", str)
"""Opaque and URL-safe: the same in store, artefact, API, command line and events."""

ArtistId = NewType("ArtistId", str)
"""Hex digest, as that of albums and genres: the same names, the same id (`domain.catalogue`)."""

AlbumId = NewType("AlbumId", str)
GenreId = NewType("GenreId", str)
ArtefactVersion = NewType("ArtefactVersion", str)
RootName = NewType("RootName", str)

RelativePath = NewType("RelativePath", bytes)
"""Bytes below a root, ``/`` between parts; ``b""`` is the root itself."""

AudioHash = NewType("AudioHash", str)
"""Hex digest of a file's encoded audio without its tags."""

LibraryId = NewType("LibraryId", str)
"""32 hex digits, shared by a library's store, artefacts and key, and by its copies."""

DurationMs = NewType("DurationMs", int)

FloatArray = npt.NDArray[np.float32]
"""float32 of any shape; each use gives the shape."""

IndexArray = npt.NDArray[np.int32]
"""int32 row numbers; -1 is none."""

UserId = NewType("UserId", str)
"""Opaque and URL-safe; ``"you"`` is the only listener if there are no accounts."""

EventId = NewType("EventId", str)
"""A UUID in lower case or a ULID in upper case, unique within its user."""

ProfileVersion = NewType("ProfileVersion", str)
"""Hex digest of a profile: the same listens, the same version."""
