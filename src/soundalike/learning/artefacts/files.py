"""One artefact version on disk: a manifest, ids and arrays, all checked before they are used."""

import hashlib
import json
import stat
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import DamagedArtefactError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.groups import GroupColumns, GroupVectors
from soundalike.domain.similarity.recipe import Recipe, columns_of
from soundalike.domain.similarity.space import AffineMap, Artefact, ArtefactDraft, Neighbours, SimilaritySpace
from soundalike.domain.types import ArtefactVersion, LibraryId, TrackId
from soundalike.learning.artefacts.checks import check_arrays, refuse
from soundalike.learning.artefacts.durable import sync
from soundalike.learning.documents import recipe_from, schema_from

FORMAT = 2
MANIFEST, IDS = "manifest.json", "track_ids.json"
OF_MAP = ("mean", "scale", "weights", "offset")
"""Arrays of each ingredient, with its number: ``mean_0``."""

REQUIRED = ("coordinates", "neighbours", "distances")
GROUPS, SPREAD = OPTIONAL = ("group_vectors", "distance_spread")

_OLD_FORMAT = 1
_MANIFEST_BYTES = 4 << 20
# What json and NumPy may raise for a damaged or foreign file.
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    OverflowError,
    SyntaxError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)

_Arrays = Mapping[str, npt.NDArray[Any]]


def write_version(folder: Path, draft: ArtefactDraft, *, created: str, library_id: LibraryId | None) -> None:
    """Write all files of a version into an empty folder and sync them.

    Parameters
    ----------
    folder : Path
        Empty.
    draft : ArtefactDraft
        What to write.
    created : str
        Time for the manifest.
    library_id : LibraryId or None
        The library that it was learned from.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    (folder / IDS).write_text(json.dumps(list(draft.track_ids)), encoding="utf-8")
    names = [IDS]
    for name, array in _arrays(draft):
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
        names.append(f"{name}.npy")
    document = {
        "format": FORMAT,
        "created": created,
        "library_id": library_id,
        "feature_sets": [asdict(schema) for schema in draft.schemas],
        "recipe": asdict(draft.recipe),
        "maps": [
            {"clip": each.clip, "is_unit_length": each.is_unit_length, "factor": each.factor}
            for each in draft.space.maps
        ],
        "groups": [asdict(group) for group in draft.groups.groups] if draft.groups else [],
        "tracks": len(draft.track_ids),
        "neighbours_per_track": draft.neighbours.rows.shape[1],
        "facts": dict(draft.facts),
        "library_change": draft.library_change,
        "sha256": {name: _sha256(folder / name) for name in names},
    }
    (folder / MANIFEST).write_text(json.dumps(document, indent=1), encoding="utf-8")
    for name in (*names, MANIFEST):
        sync(folder / name)
    sync(folder)


def read_version(folder: Path) -> Artefact:
    """Check all of a version and map it into memory.

    Raises
    ------
    DamagedArtefactError
        If anything differs from what was written; the message names the folder and what is wrong.
    """
    try:
        return _read(folder)
    except _UNREADABLE as error:
        detail = str(error) or type(error).__name__
        msg = f"artefact {folder.name} in {folder.parent} is damaged or foreign: {detail}"
        raise DamagedArtefactError(msg) from error


def read_old_recipe(folder: Path) -> Recipe | None:
    """Return by which recipe a version of the older format was built, if it is one."""
    try:
        document = _read_manifest(folder)
        return recipe_from(document["recipe"]) if document["format"] == _OLD_FORMAT else None
    except _UNREADABLE:
        return None


def _arrays(draft: ArtefactDraft) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for number, each in enumerate(draft.space.maps):
        for name in OF_MAP:
            yield f"{name}_{number}", np.ascontiguousarray(getattr(each, name), dtype=np.float32)
    yield "coordinates", np.ascontiguousarray(draft.coordinates, dtype=np.float32)
    yield "neighbours", np.ascontiguousarray(draft.neighbours.rows, dtype=np.int32)
    yield "distances", np.ascontiguousarray(draft.neighbours.distances, dtype=np.float32)
    if draft.groups is not None:
        yield GROUPS, np.ascontiguousarray(draft.groups.values, dtype=np.float32)
    if draft.distance_spread is not None:
        yield SPREAD, np.ascontiguousarray(draft.distance_spread, dtype=np.float32)


def _read(folder: Path) -> Artefact:
    document = _read_manifest(folder)
    if document["format"] != FORMAT:
        refuse(f"its format is {document['format']!r}, but this soundalike reads {FORMAT}")
    recipe = recipe_from(document["recipe"])
    arrays = _map_arrays(folder, document, recipe)
    track_ids = _read_ids(folder)
    schemas = tuple(schema_from(each) for each in document["feature_sets"])
    if [schema.name for schema in schemas] != list(recipe.feature_sets):
        refuse("its feature sets are not those of its recipe")
    space = _space(document["maps"], recipe, schemas, arrays)
    groups = tuple(_group(each) for each in document["groups"])
    if len(track_ids) != document["tracks"]:
        refuse(f"it has {len(track_ids)} track ids, but its manifest says {document['tracks']}")
    check_arrays(arrays, space, groups, (len(track_ids), int(document["neighbours_per_track"])))
    return Artefact(
        version=ArtefactVersion(folder.name),
        schemas=schemas,
        recipe=recipe,
        space=space,
        track_ids=track_ids,
        coordinates=arrays["coordinates"],
        neighbours=Neighbours(arrays["neighbours"], arrays["distances"]),
        facts={str(key): str(value) for key, value in document["facts"].items()}
        | {"created": str(document["created"])},
        groups=GroupVectors(groups, arrays[GROUPS]) if GROUPS in arrays else None,
        distance_spread=arrays.get(SPREAD),
        library_change=str(document.get("library_change", "")),
    )


def _map_arrays(folder: Path, document: Mapping[str, Any], recipe: Recipe) -> _Arrays:
    """Check the sums of all files, and map the arrays into memory."""
    sums: Mapping[str, str] = document["sha256"]
    names = [f"{name}_{number}" for number in range(len(recipe.ingredients)) for name in OF_MAP]
    names += [*REQUIRED, *(name for name in OPTIONAL if f"{name}.npy" in sums)]
    files = [IDS, *(f"{name}.npy" for name in names)]
    for name in files:
        _require_regular(folder / name)
        if _sha256(folder / name) != sums[name]:
            refuse(f"{name} does not match its checksum")
    return {name: np.lib.format.open_memmap(folder / f"{name}.npy", mode="r") for name in names}


def _read_ids(folder: Path) -> tuple[TrackId, ...]:
    track_ids = json.loads((folder / IDS).read_text(encoding="utf-8"))
    is_words = isinstance(track_ids, list) and all(isinstance(text, str) and text for text in track_ids)
    if not is_words or len(set(track_ids)) < len(track_ids):
        refuse("the track ids are not unique words")
    return tuple(TrackId(text) for text in track_ids)


def _read_manifest(folder: Path) -> dict[str, Any]:
    _require_regular(folder / MANIFEST)
    if (folder / MANIFEST).stat().st_size > _MANIFEST_BYTES:
        refuse(f"{MANIFEST} is too large for a manifest")
    document: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return document


def _require_regular(path: Path) -> None:
    # A FIFO would block the reader, and a link could lead anywhere.
    if not stat.S_ISREG(path.lstat().st_mode):
        refuse(f"{path.name} is not a regular file")


def _space(
    documents: Sequence[Mapping[str, Any]], recipe: Recipe, schemas: Sequence[FeatureSchema], arrays: _Arrays
) -> SimilaritySpace:
    maps = []
    for number, (ingredient, document) in enumerate(zip(recipe.ingredients, documents, strict=True)):
        clip, factor = document["clip"], float(document["factor"])
        if not (clip is None or (isinstance(clip, int | float) and clip > 0)):
            refuse(f"clip is {clip!r}")
        if not 0 < factor < float("inf"):
            refuse(f"factor is {factor!r}")
        # They are small, and not worth a map in memory.
        own = {name: np.array(arrays[f"{name}_{number}"]) for name in OF_MAP}
        maps.append(
            AffineMap(
                columns=columns_of(ingredient, schemas).side_by_side,
                clip=clip,
                is_unit_length=bool(document["is_unit_length"]),
                factor=factor,
                **own,
            )
        )
    return SimilaritySpace(tuple(maps))


def _group(document: Mapping[str, Any]) -> GroupColumns:
    return GroupColumns(
        feature_set=str(document["feature_set"]),
        group=str(document["group"]),
        start=int(document["start"]),
        stop=int(document["stop"]),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
