"""One artefact version on disk: a manifest, ids and arrays, all checked before they are used."""

import hashlib
import json
import stat
import tokenize
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import DamagedArtefactError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.space import (
    Artefact,
    ArtefactDraft,
    Neighbours,
    Rotation,
    Scaling,
    SimilaritySpace,
    SpaceRecipe,
)
from soundalike.domain.types import ArtefactVersion, TrackId
from soundalike.learning.artefacts.durable import sync

FORMAT = 1
MANIFEST, IDS = "manifest.json", "track_ids.json"
ARRAYS = ("mean", "scale", "weights", "offset", "coordinates", "neighbours", "distances")
FILES = (MANIFEST, IDS, *(f"{name}.npy" for name in ARRAYS))
_MANIFEST_BYTES = 4 << 20
_STRONGEST = 4.0
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


def write_version(folder: Path, draft: ArtefactDraft, created: str) -> None:
    """Write all files of a version into an empty folder and sync them.

    Parameters
    ----------
    folder : Path
        Empty.
    draft : ArtefactDraft
        What to write.
    created : str
        Time for the manifest.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    (folder / IDS).write_text(json.dumps(list(draft.track_ids)), encoding="utf-8")
    for name, array in _arrays(draft).items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    recipe, space = draft.recipe, draft.space
    document = {
        "format": FORMAT,
        "created": created,
        "feature_set": asdict(draft.schema),
        "recipe": asdict(recipe),
        "clip": space.clip,
        "is_unit_length": space.is_unit_length,
        "tracks": len(draft.track_ids),
        "neighbours_per_track": draft.neighbours.rows.shape[1],
        "facts": dict(draft.facts),
        "sha256": {name: _sha256(folder / name) for name in FILES if name != MANIFEST},
    }
    (folder / MANIFEST).write_text(json.dumps(document, indent=1), encoding="utf-8")
    for name in FILES:
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


def _arrays(draft: ArtefactDraft) -> Mapping[str, npt.NDArray[Any]]:
    space, neighbours = draft.space, draft.neighbours
    as_float = {
        "mean": space.mean,
        "scale": space.scale,
        "weights": space.weights,
        "offset": space.offset,
        "coordinates": draft.coordinates,
        "distances": neighbours.distances,
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.ascontiguousarray(array, dtype=np.float32) for name, array in as_float.items()
    }
    arrays["neighbours"] = np.ascontiguousarray(neighbours.rows, dtype=np.int32)
    return arrays


def _read(folder: Path) -> Artefact:
    document = _read_manifest(folder)
    for name in FILES:
        if name != MANIFEST and _sha256(folder / name) != document["sha256"][name]:
            _refuse(f"{name} does not match its checksum")
    track_ids = json.loads((folder / IDS).read_text(encoding="utf-8"))
    is_words = isinstance(track_ids, list) and all(isinstance(text, str) and text for text in track_ids)
    if not is_words or len(set(track_ids)) < len(track_ids):
        _refuse("the track ids are not unique words")
    schema = _schema(document["feature_set"])
    arrays = {name: np.lib.format.open_memmap(folder / f"{name}.npy", mode="r") for name in ARRAYS}
    _check_shapes(arrays, (len(track_ids), len(schema)), document)
    _check_numbers(arrays)
    clip = document["clip"]
    if not (clip is None or (isinstance(clip, int | float) and clip > 0)):
        _refuse(f"clip is {clip!r}")
    return Artefact(
        version=ArtefactVersion(folder.name),
        schema=schema,
        recipe=recipe_from(document["recipe"]),
        space=SimilaritySpace(
            mean=np.array(arrays["mean"]),
            scale=np.array(arrays["scale"]),
            clip=clip,
            weights=np.array(arrays["weights"]),
            offset=np.array(arrays["offset"]),
            is_unit_length=bool(document["is_unit_length"]),
        ),
        track_ids=tuple(TrackId(text) for text in track_ids),
        coordinates=arrays["coordinates"],
        neighbours=Neighbours(arrays["neighbours"], arrays["distances"]),
        facts={str(key): str(value) for key, value in document["facts"].items()}
        | {"created": str(document["created"])},
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    for name in FILES:
        # A FIFO would block the reader, and a link could lead anywhere.
        if not stat.S_ISREG((folder / name).lstat().st_mode):
            _refuse(f"{name} is not a regular file")
    if (folder / MANIFEST).stat().st_size > _MANIFEST_BYTES:
        _refuse(f"{MANIFEST} is too large for a manifest")
    document: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        _refuse(f"its format is {document['format']!r}, but this soundalike reads {FORMAT}")
    return document


def recipe_from(document: Mapping[str, Any]) -> SpaceRecipe:
    """Read a recipe as `dataclasses.asdict` wrote it.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is not a recipe.
    """
    values = {field.name: document[field.name] for field in fields(SpaceRecipe)}
    values["scaling"] = Scaling(values["scaling"])
    values["rotation"] = Rotation(values["rotation"])
    values["strength"] = float(values["strength"])
    values["clip"] = None if values["clip"] is None else float(values["clip"])
    values["is_unit_length"] = bool(values["is_unit_length"])
    if not (0 <= values["strength"] <= _STRONGEST and (values["clip"] is None or values["clip"] > 0)):
        msg = f"its recipe is out of range: {dict(document)}"
        raise ValueError(msg)
    return SpaceRecipe(**values)


def _schema(document: Mapping[str, Any]) -> FeatureSchema:
    return FeatureSchema(
        name=str(document["name"]),
        version=int(document["version"]),
        features=tuple(map(str, document["features"])),
        groups=tuple(map(str, document["groups"])),
    )


def _check_shapes(
    arrays: Mapping[str, npt.NDArray[Any]], size: tuple[int, int], document: Mapping[str, Any]
) -> None:
    tracks, features = size
    width, k = int(arrays["weights"].shape[-1]), int(document["neighbours_per_track"])
    expected = {
        "mean": (features,),
        "scale": (features,),
        "weights": (features, width),
        "offset": (width,),
        "coordinates": (tracks, width),
        "neighbours": (tracks, k),
        "distances": (tracks, k),
    }
    for name, shape in expected.items():
        kind = np.dtype(np.int32 if name == "neighbours" else np.float32)
        if arrays[name].shape != shape or arrays[name].dtype != kind:
            _refuse(f"{name}.npy is {arrays[name].dtype} of {arrays[name].shape}, not {kind} of {shape}")
    if tracks != document["tracks"]:
        _refuse(f"it has {tracks} track ids, but its manifest says {document['tracks']}")


def _check_numbers(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    for name in ("mean", "scale", "weights", "offset", "coordinates"):
        if not np.isfinite(arrays[name]).all():
            _refuse(f"{name}.npy has numbers that are not finite")
    if (arrays["scale"] < 0).any():
        _refuse("scale.npy has negative numbers")
    rows, distances = arrays["neighbours"], arrays["distances"]
    tracks = len(rows)
    if (rows < -1).any() or (rows >= tracks).any() or (rows == np.arange(tracks)[:, None]).any():
        _refuse("neighbours.npy has rows outside the library, or a track as its own neighbour")
    if not (distances >= 0).all() or (np.isinf(distances) != (rows == -1)).any():
        _refuse("distances.npy does not fit neighbours.npy")
    if (distances[:, 1:] < distances[:, :-1]).any():
        _refuse("distances.npy is not sorted along its rows")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(why: str) -> None:
    raise ValueError(why)
