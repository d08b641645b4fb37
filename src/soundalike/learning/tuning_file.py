"""What tuning chose, stored as one small JSON file."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soundalike.domain.errors import ModelError
from soundalike.domain.similarity.space import LshParameters
from soundalike.domain.tuning import LshTrial, LshTuning, Objective, SpaceScore, SpaceTuning
from soundalike.learning.artefacts.durable import written_atomically
from soundalike.learning.documents import recipe_from

_log = logging.getLogger(__name__)


class TuningFile:
    """Stores tunings in a file; one that cannot be read is ignored and logged once.

    Parameters
    ----------
    path : Path
        Of the JSON file; it and its folders are created at the first save.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_damage_logged = False

    def space(self) -> SpaceTuning | None:
        """Return the last choice of a recipe, or None."""
        try:
            document = self._read().get("space")
            return None if document is None else _space(document)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self._warn(error)
            return None

    def lsh(self) -> LshTuning | None:
        """Return the last choice of LSH parameters, or None."""
        try:
            document = self._read().get("lsh")
            return None if document is None else _lsh(document)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self._warn(error)
            return None

    def save_space(self, tuning: SpaceTuning) -> None:
        """Save a choice of a recipe.

        Raises
        ------
        ModelError
            If the file cannot be written.
        """
        self._save("space", asdict(tuning))

    def save_lsh(self, tuning: LshTuning) -> None:
        """Save a choice of LSH parameters.

        Raises
        ------
        ModelError
            If the file cannot be written.
        """
        self._save("lsh", asdict(tuning))

    def _read(self) -> dict[str, Any]:
        """Read the whole file; empty if there is none."""
        try:
            document = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, RecursionError) as error:
            raise ValueError(str(error)) from error
        if not isinstance(document, dict):
            msg = "it has no tunings"
            raise TypeError(msg)
        return document

    def _save(self, key: str, tuning: Mapping[str, Any]) -> None:
        try:
            document = self._read()
        except (ValueError, TypeError):
            document = {}
        text = json.dumps({**document, key: tuning}, indent=1)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with written_atomically(self._path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            msg = f"cannot save the tuning in {self._path}: {error}"
            raise ModelError(msg) from error

    def _warn(self, error: Exception) -> None:
        if not self._is_damage_logged:
            _log.warning("%s is damaged and ignored (%s); run 'soundalike tune'", self._path, error)
            self._is_damage_logged = True


def _space(document: Mapping[str, Any]) -> SpaceTuning:
    return SpaceTuning(
        objective=Objective(document["objective"]),
        scores=tuple(
            SpaceScore(
                recipe=recipe_from(row["recipe"]),
                score=float(row["score"]),
                standard_error=float(row["standard_error"]),
                hubness=float(row["hubness"]),
            )
            for row in document["scores"]
        ),
        chosen=recipe_from(document["chosen"]),
        track_count=int(document["track_count"]),
    )


def _lsh(document: Mapping[str, Any]) -> LshTuning:
    return LshTuning(
        recipe=recipe_from(document["recipe"]),
        trials=tuple(
            LshTrial(
                parameters=_parameters(row["parameters"]),
                recall=float(row["recall"]),
                candidates=float(row["candidates"]),
                seconds=float(row["seconds"]),
            )
            for row in document["trials"]
        ),
        chosen=_parameters(document["chosen"]),
        track_count=int(document["track_count"]),
    )


def _parameters(document: Mapping[str, Any]) -> LshParameters:
    bucket_length, tables = float(document["bucket_length"]), int(document["tables"])
    if not (0 < bucket_length < float("inf") and tables > 0):
        msg = f"LSH parameters out of range: {document}"
        raise ValueError(msg)
    return LshParameters(bucket_length=bucket_length, tables=tables)
