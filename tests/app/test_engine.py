"""Which engine learns is decided by how many tracks there are to learn from."""

from pathlib import Path

import pytest

from making import make_track, make_vectors
from soundalike.app import open_app
from soundalike.domain.features import FeatureSchema
from soundalike.domain.fma import FMA_SETS
from soundalike.domain.ports.library import Store
from soundalike.learning import engines
from soundalike.settings import Settings

FEW, MANY = 2, 9


def save(store: Store, name: str, count: int, schema: FeatureSchema) -> None:
    for number in range(count):
        track = make_track(f"{name}{number}", path=f"{name}{number}.mp3".encode())
        store.save_track(track, make_vectors(schema))


def test_tracks_without_features_decide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "SPARK_FROM", MANY)
    monkeypatch.setattr(engines, "spark_readiness", lambda: (False, "Spark is not here"))
    with open_app(Settings(data=tmp_path, artefacts=tmp_path / "artefacts")) as app:
        save(app.store, "own", FEW, app.trainer.schemas[0])
        save(app.store, "imported", MANY, FMA_SETS[0])
        with app.engine() as (_, reason):
            assert f"(here {FEW})" in reason
        of_imports = next(one for one in app.imported if FMA_SETS[0] in one.schemas)
        with app.engine(of_imports.trainer) as (_, reason):
            assert "Spark is not here" in reason
