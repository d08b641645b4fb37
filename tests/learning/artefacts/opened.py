"""An artefact store in a folder, for its tests."""

from pathlib import Path

from artefact_store import make_draft
from making import SOME_TIME, make_schema
from soundalike.domain.similarity.space import ArtefactDraft
from soundalike.learning.artefacts.store import FolderArtefactStore

RECIPE = make_draft({"a": [0.0]}).recipe
"""What all drafts here are made by."""

LINE = {"a": [0.0], "b": [1.0], "c": [3.0], "d": [7.0]}


def open_artefacts(folder: Path) -> FolderArtefactStore:
    return FolderArtefactStore(folder, schemas=[make_schema(1)], clock=lambda: SOME_TIME)


def draft(**places: list[float]) -> ArtefactDraft:
    return make_draft(places or LINE)
