from pathlib import Path

import pytest

from services.learning.school import School


@pytest.fixture
def school(tmp_path: Path) -> School:
    school = School(tmp_path)
    school.add_many("abcde")
    return school
