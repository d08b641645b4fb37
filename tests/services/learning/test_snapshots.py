from pathlib import Path

from services.learning.school import SCHEMA, School
from soundalike.learning.snapshots import ParquetSnapshots


def test_an_export_has_all_that_is_known(school: School, tmp_path: Path) -> None:
    snapshot = school.library.export(str(tmp_path / "out.parquet"), [SCHEMA])
    table = ParquetSnapshots().read(snapshot)
    assert (len(table), table.schemas) == (5, (SCHEMA,))
