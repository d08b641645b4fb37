"""Clips for measurements: found as a scan would find them, analysed and built as the program would."""

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
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.snapshot import LibraryTable, TrackParts
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


def analyse(found: FoundFile) -> tuple[Analysis, FeatureVectors] | None:
    """Analyse a file; None if that fails."""
    result = analyse_file(found, [_timbre()], {})
    if isinstance(result, Analysis):
        return result, result.vectors[0]
    return None


def tabulate(
    track_ids: Sequence[TrackId],
    vectors: Sequence[FeatureVectors],
    *,
    genres: Sequence[str | None] | None = None,
    artists: Sequence[str | None] | None = None,
) -> LibraryTable:
    """Put vectors in a table, by default without labels."""
    parts = [each.parts for each in vectors]
    return LibraryTable(
        schemas=(vectors[0].schema,),
        track_ids=tuple(track_ids),
        summaries=np.stack([each.summary for each in vectors]),
        parts=(TrackParts(np.concatenate(parts), np.array([len(each) for each in parts])),),
        genres=tuple(genres or (None,) * len(vectors)),
        artists=tuple(artists or (None,) * len(vectors)),
    )


def build(table: LibraryTable, recipe: Recipe) -> Artefact:
    """Build an artefact from a table."""
    space = fit_locally(recipe, table)
    coordinates = space.transform(table.summaries)
    return Artefact(
        version=ArtefactVersion("000001"),
        schemas=table.schemas,
        recipe=recipe,
        space=space,
        track_ids=table.track_ids,
        coordinates=coordinates,
        neighbours=exact_neighbours(coordinates, NEIGHBOURS),
        groups=space.group_vectors(table.schemas, table.summaries),
    )
