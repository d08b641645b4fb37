"""Clips as measurements hear them: found as a scan would, tabulated and built as training would."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import Analysis, FileStamp, FoundFile, Location
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.space import Artefact, SpaceRecipe
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.types import ArtefactVersion, RelativePath, RootName, TrackId

MUSIC = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "music"
NEIGHBOURS = 50


_timbre = cache(Timbre)


def find(folder: Path, name: str) -> FoundFile:
    """Describe a file as a scan would."""
    status = (folder / name).stat()
    return FoundFile(
        location=Location(RootName("music"), RelativePath(name.encode())),
        real_path=folder / name,
        is_linked=False,
        stamp=FileStamp(status.st_size, status.st_mtime_ns),
    )


def hear(found: FoundFile) -> tuple[Analysis, FeatureVectors] | None:
    """Listen to a file; None where it cannot be heard."""
    heard = analyse_file(found, _timbre(), known=frozenset())
    return (heard, heard.vectors) if isinstance(heard, Analysis) and heard.vectors is not None else None


def tabulate(
    track_ids: Sequence[TrackId],
    vectors: Sequence[FeatureVectors],
    *,
    genres: Sequence[str | None] | None = None,
    artists: Sequence[str | None] | None = None,
) -> LibraryTable:
    """Put vectors in a table, by default without labels."""
    return LibraryTable(
        schema=vectors[0].schema,
        track_ids=tuple(track_ids),
        whole=np.stack([each.whole for each in vectors]),
        first_half=np.stack([each.first_half for each in vectors]),
        second_half=np.stack([each.second_half for each in vectors]),
        genres=tuple(genres or (None,) * len(vectors)),
        artists=tuple(artists or (None,) * len(vectors)),
    )


def build(table: LibraryTable, recipe: SpaceRecipe) -> Artefact:
    """Learn a space from a table, with everybody's neighbours."""
    space = fit_locally(recipe, table)
    coordinates = space.transform(table.whole)
    return Artefact(
        version=ArtefactVersion("000001"),
        schema=table.schema,
        recipe=recipe,
        space=space,
        track_ids=table.track_ids,
        coordinates=coordinates,
        neighbours=exact_neighbours(coordinates, NEIGHBOURS),
    )
