"""Choosing an engine, with a sentence that says which and why."""

from soundalike.domain.errors import EngineError
from soundalike.domain.ports import SimilarityEngine
from soundalike.model.java import spark_readiness
from soundalike.model.local import LocalEngine
from soundalike.model.snapshot import ParquetSnapshots


def choose_engine(choice: str, *, master: str | None = None) -> tuple[SimilarityEngine, str]:
    """Return the engine for ``auto``, ``spark`` or ``local``, and one line for the user.

    Spark is started at its first use, so that choosing it costs nothing.

    Parameters
    ----------
    master : str, optional
        Spark's master URL; ``local[*]`` by default.

    Raises
    ------
    EngineError
        If Spark is asked for and Java or PySpark is missing, or the choice is none of the three.
    """
    if choice == "local":
        return LocalEngine(ParquetSnapshots()), "engine local: NumPy on this machine, as asked for"
    if choice not in {"auto", "spark"}:
        msg = f"engine {choice!r} is not known; use auto, spark or local"
        raise EngineError(msg)
    is_ready, sentence = spark_readiness()
    if is_ready:
        # Only here may PySpark be imported: it takes half a second and need not be installed.
        from soundalike.model.spark import SparkEngine  # noqa: PLC0415 - as said above

        where = master or "local[*]"
        return SparkEngine(master=where), f"engine spark: {sentence}, master {where}"
    if choice == "spark":
        msg = f"the engine spark cannot start: {sentence}; or use '--engine local'"
        raise EngineError(msg)
    return LocalEngine(ParquetSnapshots()), f"engine local, because {sentence}"
