from pathlib import Path

import pytest

from learning.libraries import make_music, tiny, write_snapshot
from soundalike.domain.errors import EngineError
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.snapshot import Snapshot
from soundalike.domain.types import FloatArray
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.services.learning.tuning_lsh import tune_lsh


class ExactJoin:
    """Compares all tracks."""

    def __init__(self, coordinates: FloatArray) -> None:
        self.coordinates = coordinates

    def neighbours(self, k: int) -> Neighbours:
        return exact_neighbours(self.coordinates, k)

    def candidates(self) -> float:
        return len(self.coordinates) - 1.0


class JoiningEngine(LocalEngine):
    """Joins exactly."""

    def coordinates(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        return space.transform(ParquetSnapshots().read(snapshot).summaries)

    def lsh_join(self, coordinates: FloatArray, parameters: LshParameters) -> ExactJoin:
        assert parameters.bucket_length > 0
        return ExactJoin(coordinates)


def test_a_large_library_is_sampled(tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(50), tmp_path / "music.parquet")
    engine = JoiningEngine(ParquetSnapshots())
    tuning = tune_lsh(engine, tiny(), snapshot, sample_limit=20, progress=lambda *_: None)
    assert tuning.track_count == 20
    assert {(trial.recall, trial.candidates) for trial in tuning.trials} == {(1.0, 19.0)}


def test_numpy_has_no_lsh_and_says_what_has(tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(30), tmp_path / "music.parquet")
    engine = LocalEngine(ParquetSnapshots())
    space = engine.fit(tiny(), snapshot)
    with pytest.raises(EngineError, match="--engine spark"):
        engine.lsh_neighbours(space, snapshot, k=3, parameters=LshParameters(bucket_length=1.0, tables=2))
    with pytest.raises(EngineError, match="--engine spark"):
        tune_lsh(engine, tiny(), snapshot, progress=lambda *_: None)
