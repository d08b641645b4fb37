"""A folder of artefacts says to which library it belongs."""

from pathlib import Path

import pytest

from learning.artefacts.opened import draft
from making import SOME_TIME, make_schema
from soundalike.domain.types import LibraryId
from soundalike.learning.artefacts.belonging import find_artefacts
from soundalike.learning.artefacts.files import MANIFEST
from soundalike.learning.artefacts.store import FolderArtefactStore

OURS, OTHER = LibraryId("a" * 32), LibraryId("b" * 32)


def publish(folder: Path, library_id: LibraryId) -> None:
    store = FolderArtefactStore(
        folder, schemas=[make_schema(1)], clock=lambda: SOME_TIME, library_id=library_id
    )
    store.publish(draft())


def test_nothing_belongs_to_no_library(tmp_path: Path) -> None:
    assert find_artefacts(tmp_path / "nowhere") is None
    (tmp_path / ".writing-000001-ab").mkdir()
    (tmp_path / ".writing-000001-ab" / MANIFEST).write_text("{}")
    assert find_artefacts(tmp_path) is None


def test_the_newest_artefact_says_it(tmp_path: Path) -> None:
    for library_id in (OTHER, OURS):
        publish(tmp_path, library_id)
        found = find_artefacts(tmp_path)
        assert found is not None
        assert found.library_id == library_id
        assert str(tmp_path) in found.name


@pytest.mark.parametrize("manifest", ["{}", "[]", "", "\x00", '{"library_id": 5}', "[" * 100_000])
def test_what_older_versions_wrote_or_is_damaged_has_no_id(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "000007").mkdir()
    (tmp_path / "000007" / MANIFEST).write_text(manifest)
    found = find_artefacts(tmp_path)
    assert found is not None
    assert found.library_id is None
